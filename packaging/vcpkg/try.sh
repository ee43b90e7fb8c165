#!/usr/bin/env bash
# The port, with and without the feature eigen, and the port in registry shape from an archive. By vcpkg itself where it is in
# PATH; else, where VCPKG_ROOT is a checkout of it, by its scripts as the tool calls them; else by emulate.cmake. It says which.
source "$(dirname "$0")/../common.sh"
need cmake CMake
need python3 "Python 3"
here=$checkout/packaging/vcpkg
ports=$here/registry/ports
version=$(sed -n 's/#define TAMIS_VERSION_[A-Z]* //p' "$checkout/include/tamis/version.hpp" | paste -sd .)
quietly() { "$@" >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }; }

mkdir -p "$work/source/tamis-$version"
cp -r "$checkout"/{CMakeLists.txt,LICENSE,cmake,include} "$work/source/tamis-$version"
tar -C "$work/source" -czf "$work/tamis-$version.tar.gz" "tamis-$version"
cp -r "$ports" "$work/ports"
sed -i -e "s|\"https://[^\"]*/releases/[^\"]*\"|\"file://$work/tamis-$version.tar.gz\"|" \
    -e "s/SHA512 .*/SHA512 $(sha512sum "$work/tamis-$version.tar.gz" | cut -d' ' -f1)/" "$work/ports/tamis/portfile.cmake"

if command -v vcpkg >/dev/null; then
    say "by vcpkg itself: $(vcpkg version | head -1)"
    package() { # package <port's folder> <features>: leaves its folder in $prefix
        quietly vcpkg install "tamis[$2]" --classic --overlay-ports="$(dirname "$1")" --x-install-root="$work/installed"
        prefix=$work/installed/$(ls "$work/installed" | grep -v vcpkg | head -1)
    }
    for manifest in "$here/tamis/vcpkg.json" "$ports/tamis/vcpkg.json"; do
        cp "$manifest" "$work/formatted.json"
        vcpkg format-manifest "$work/formatted.json" >/dev/null
        cmp "$manifest" "$work/formatted.json"
    done
elif [ -e "${VCPKG_ROOT:-}/scripts/ports.cmake" ]; then
    say "by vcpkg's scripts, without the tool"
    installed=$work/tree/x64-linux/share
    for helper in vcpkg-cmake vcpkg-cmake-config; do
        mkdir -p "$installed/$helper"
        cp "$VCPKG_ROOT/ports/$helper"/*.cmake "$installed/$helper"
    done
    mkdir -p "$work/downloads"
    cp "$work/tamis-$version.tar.gz" "$work/downloads" # the tool itself downloads
    package() {
        prefix=$work/packages/tamis_x64-linux
        (cd "$work" && VCPKG_FORCE_SYSTEM_BINARIES=1 quietly cmake -D CMD=BUILD -D PORT=tamis -D TARGET_TRIPLET=x64-linux \
            -D _HOST_TRIPLET=x64-linux -D TARGET_TRIPLET_FILE="$VCPKG_ROOT/triplets/x64-linux.cmake" \
            -D VCPKG_ROOT_DIR="$VCPKG_ROOT" -D _VCPKG_INSTALLED_DIR="$work/tree" -D CURRENT_PORT_DIR="$1" \
            -D BUILDTREES_DIR="$work/trees" -D PACKAGES_DIR="$work/packages" -D DOWNLOADS="$work/downloads" \
            -D VCPKG_PLATFORM_TOOLSET=external -D VCPKG_USE_HEAD_VERSION=0 -D ALLOW_NON_EMPTY=0 -D VERSION="$version" \
            -D FEATURES="core;${2/,/;}" -D ALL_FEATURES="core;eigen" -D VCPKG_BASE_VERSION=2999-12-31 \
            -D VCPKG_CONCURRENCY=1 -D GIT="$(command -v git)" \
            -D "VCPKG_PORT_CONFIGS=$installed/vcpkg-cmake/vcpkg-port-config.cmake;$installed/vcpkg-cmake-config/vcpkg-port-config.cmake" \
            -P "$VCPKG_ROOT/scripts/ports.cmake")
    }
else
    say "by an emulation of vcpkg's functions: neither vcpkg nor VCPKG_ROOT is here"
    package() {
        prefix=$work/package
        rm -rf "$prefix" "$work/trees"
        quietly cmake -D PORT_DIR="$1" -D CURRENT_PACKAGES_DIR="$prefix" -D CURRENT_BUILDTREES_DIR="$work/trees" \
            -D "FEATURES=core;${2/,/;}" -D ARCHIVE="$work/tamis-$version.tar.gz" -P "$here/emulate.cmake"
    }
fi

consumer() { # consumer <eigen too: ON or OFF>
    rm -rf "$work/consumer" && mkdir "$work/consumer"
    cp "$checkout/packaging/conan/test_package/CMakeLists.txt" "$work/consumer"
    cp "$program" "$work/consumer"
    cmake -S "$work/consumer" -B "$work/consumer/build" -D CMAKE_PREFIX_PATH="$prefix" -D WITH_EIGEN="$1" >"$work/log" 2>&1 &&
        cmake --build "$work/consumer/build" >>"$work/log" 2>&1 && "$work/consumer/build/example"
}
for port in "$here/tamis" "$work/ports/tamis"; do
    say "$port"
    package "$port" core
    [ -s "$prefix/share/tamis/copyright" ] && [ "$(find "$prefix" -iname 'licen*' | wc -l)" = 0 ]
    [ ! -e "$prefix/include/tamis/study" ] && [ -e "$prefix/share/tamis/tamis-config.cmake" ]
    consumer OFF || { tail -30 "$work/log"; exit 1; }
    if consumer ON; then echo "without the feature there is no tamis::eigen"; exit 1; fi
    package "$port" core,eigen
    consumer ON || { tail -30 "$work/log"; exit 1; }
done

# What format-manifest wants of the order and the indentation, where it cannot be asked.
for manifest in "$here/tamis/vcpkg.json" "$ports/tamis/vcpkg.json"; do
    python3 - "$manifest" <<'PYTHON'
import json, sys
text = open(sys.argv[1]).read()
manifest = json.loads(text)
assert text == json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "not in vcpkg's format"
order = ["name", "version", "port-version", "description", "homepage", "license", "supports", "dependencies", "features"]
assert list(manifest) == [key for key in order if key in manifest], "keys out of order"
names = [d if isinstance(d, str) else d["name"] for d in manifest["dependencies"]]
assert names == sorted(names), "dependencies out of order"
PYTHON
done
