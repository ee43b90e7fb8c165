#!/usr/bin/env bash
# Meson: the wrap (from an archive, by its hash), dependency('tamis') from an installed package by pkg-config and by CMake,
# and cmake.subproject.
source "$(dirname "$0")/../common.sh"
python_tool 'meson>=1.3' ninja
pkg-config --exists 'xsimd >= 8.1' || skip "xsimd has no file for pkg-config here"
version=$(sed -n 's/#define TAMIS_VERSION_[A-Z]* //p' "$checkout/include/tamis/version.hpp" | paste -sd .)
mkdir -p "$work/source/tamis-$version"
cp -r "$checkout"/{CMakeLists.txt,LICENSE,cmake,include,meson.build} "$work/source/tamis-$version"
tar -C "$work/source" -czf "$work/tamis-$version.tar.gz" "tamis-$version"

# build <way>: the user's project in a folder of its own.
build() {
    say "$1"
    local user=$work/$1
    mkdir -p "$user/subprojects"
    cp "$checkout"/packaging/meson/meson{.build,_options.txt} "$user"
    cp "$program" "$user/main.cpp"
    case $1 in
        wrap)
            sed -e "s|^source_url.*|source_url = file://$work/tamis-$version.tar.gz|" \
                -e "s/^source_hash.*/source_hash = $(sha256sum "$work/tamis-$version.tar.gz" | cut -d' ' -f1)/" \
                "$checkout/packaging/meson/tamis.wrap" >"$user/subprojects/tamis.wrap" ;;
        cmake_subproject) ln -s "$work/source/tamis-$version" "$user/subprojects/tamis-cmake" ;;
    esac
    { meson setup -D way="$1" "${@:2}" "$user/build" "$user" && ninja -C "$user/build"; } >"$work/log" 2>&1 ||
        { tail -40 "$work/log"; exit 1; }
    "$user/build/program"
}

build wrap
build cmake_subproject
cmake -S "$checkout" -B "$work/tamis" -D TAMIS_BUILD_TESTS=OFF -D TAMIS_BUILD_BENCH=OFF -D TAMIS_BUILD_EXAMPLES=OFF >/dev/null
cmake --install "$work/tamis" --prefix "$work/prefix" >/dev/null
build cmake --cmake-prefix-path "$work/prefix"
PKG_CONFIG_PATH=$work/prefix/share/pkgconfig build pkg_config
