#!/usr/bin/env bash
# A new user's ways, each from a release's folder (packaging/release.py make) in an empty root that has a compiler and CMake alone:
#   sudo bash packaging/roots.sh RELEASE [suite...]         suites of Debian, by default: bookworm trixie sid
# A way is its commands and the files that a user writes, as docs/packages.md has them; it ends with a program that says "right".
# It prints a table: commands, seconds for packages to come (apt, pip), seconds from the archive to the running program; both of
# the processor, and behind them the clock's. TAMIS_ROOTS names a folder where roots are kept for the next time; TAMIS_WAYS ways.
set -euo pipefail
checkout=$(realpath "$(dirname "$(realpath "$0")")/..")
release=$(realpath "${1:?the folder that packaging/release.py made}")
shift
suites=("$@")
[ $# -gt 0 ] || suites=(bookworm trixie sid)
[ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null && grep -qw overlay /proc/filesystems ||
    { echo "skipped: it needs root, mmdebstrap and overlayfs"; exit 77; }
archive=$(find "$release" -maxdepth 1 -name 'tamis-[0-9]*.tar.gz' ! -name '*-site*')
tamis=$(basename "$archive" .tar.gz)
work=$(mktemp -d)
kept=${TAMIS_ROOTS:-$work/kept}
mkdir -p "$kept"
trap 'umount -R "$work/root" 2>/dev/null; rm -rf --one-file-system "$work"' EXIT

# lists <how it is found> <build option>...: the user's CMakeLists.txt
lists() { printf 'cmake_minimum_required(VERSION 3.16)\nproject(mine LANGUAGES CXX)\n%s\nadd_executable(mine main.cpp)\ntarget_link_libraries(mine PRIVATE tamis::tamis tamis::native)\n' "$1" >CMakeLists.txt; }
fetch='include(FetchContent)
FetchContent_Declare(tamis URL file:///release/'$tamis'.tar.gz)
FetchContent_MakeAvailable(tamis)'
build='cmake -S . -B build -D CMAKE_BUILD_TYPE=Release'
install_tamis="tar xzf /release/$tamis.tar.gz
cmake -S $tamis -B tamis
cmake --install tamis --prefix /opt/tamis"

ways=(FetchContent installed pkg-config single_header Conan Meson vcpkg)
get() { # get <way>: what brings packages
    case $1 in
        pkg-config) echo apt-get install -y libxsimd-dev pkgconf ;;
        Conan) echo 'apt-get install -y libxsimd-dev python3-venv
python3 -m venv tools
tools/bin/pip install conan' ;;
        Meson) echo apt-get install -y libxsimd-dev pkgconf meson ;;
        vcpkg) echo apt-get install -y libxsimd-dev libeigen3-dev python3 ;;
        *) echo apt-get install -y libxsimd-dev ;;
    esac
}
use() { # use <way>: from there to the program
    case $1 in
        FetchContent) printf '%s\n' "$build" 'cmake --build build' build/mine ;;
        installed) printf '%s\n' "$install_tamis" "$build -D CMAKE_PREFIX_PATH=/opt/tamis" 'cmake --build build' build/mine ;;
        pkg-config) printf '%s\n' "$install_tamis" \
            'g++ -std=c++20 -O3 -march=native $(PKG_CONFIG_PATH=/opt/tamis/share/pkgconfig pkg-config --cflags tamis) main.cpp -o mine' ./mine ;;
        single_header) printf '%s\n' 'g++ -std=c++20 -O3 -march=native -DSINGLE_HEADER -I/release main.cpp -o mine' ./mine ;;
        Conan) printf '%s\n' "tar xzf /release/$tamis.tar.gz" 'tools/bin/conan profile detect' \
            "tools/bin/conan create $tamis -pr:a default -pr:a xsimd -nr -s compiler.cppstd=20" \
            'tools/bin/conan install . -pr:a default -pr:a xsimd -nr -s compiler.cppstd=20 -of build' \
            "$build -D CMAKE_TOOLCHAIN_FILE=build/conan_toolchain.cmake" 'cmake --build build' build/mine ;;
        Meson) printf '%s\n' 'meson setup build --buildtype=release' 'meson compile -C build' build/mine ;;
        vcpkg) printf '%s\n' "tar xzf /release/$tamis.tar.gz" "bash $tamis/packaging/vcpkg/try.sh" ;; # by an emulation: the tool cannot be had
    esac
}
files() { # files <way>: what the user writes
    cp "$checkout/packaging/program/main.cpp" .
    case $1 in
        FetchContent) lists "$fetch" ;;
        installed | Conan) lists 'find_package(tamis REQUIRED)' ;;
        Meson)
            mkdir subprojects
            sed "s|^source_url.*|source_url = file:///release/$tamis.tar.gz|" "$release/recipes/tamis.wrap" >subprojects/tamis.wrap
            printf "project('mine', 'cpp', default_options: ['cpp_std=c++20'])\nexecutable('mine', 'main.cpp', dependencies: dependency('tamis'), cpp_args: '-march=native')\n" >meson.build ;;
    esac
    if [ "$1" = Conan ]; then
        printf '[requires]\n%s\n[generators]\nCMakeDeps\nCMakeToolchain\n' "${tamis/-//}" >conanfile.txt
        printf '[platform_requires]\nxsimd/%s\n' "$(in_root dpkg-query -W -f '${Version}' libxsimd-dev 2>/dev/null | sed 's/-.*//')" >xsimd
    fi
}
in_root() { chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive ${PIP_CERT:+PIP_CERT=/certificates.crt} "$@"; }
run_all() { # run_all: the commands of the standard input, each in its line; stops at the first that fails
    while read -r command; do in_root sh -c "cd /root/mine && $command" </dev/null || { echo "failed: $command"; return 1; }; done
}

TIMEFORMAT='%U %S %R'
spent() { awk '{ printf "%.0f (%.0f)", $1 + $2, $3 }'; }
printf '| Debian | way | commands | packages, s | archive to program, s | outcome |\n|---|---|---|---|---|---|\n'
failed=0
for suite in "${suites[@]}"; do
    [ -d "$kept/$suite" ] || mmdebstrap --quiet --variant=apt --include=g++,cmake,make \
        --aptopt='Acquire::Check-Valid-Until "false"' --skip=cleanup/apt/lists "$suite" "$kept/$suite" >"$work/log" 2>&1 ||
        { tail -3 "$work/log"; echo "skipped: no root of $suite"; rm -rf "${kept:?}/$suite"; continue; }
    for way in ${TAMIS_WAYS:-"${ways[@]}"}; do
        mkdir -p "$work"/{root,upper,scratch}
        mount -t overlay overlay -o "lowerdir=$kept/$suite,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
        mount -t proc proc "$work/root/proc"
        mkdir -p "$work/root/release" "$work/root/root/mine"
        mount --bind "$release" "$work/root/release"
        cp /etc/resolv.conf "$work/root/etc/"
        [ -z "${PIP_CERT:-}" ] || cp "$PIP_CERT" "$work/root/certificates.crt"
        commands=$({ get $way; use $way; } | wc -l)
        outcome=right
        { time { get $way | run_all >"$work/log" 2>&1 || outcome=FAILED; }; } 2>"$work/packages"
        (cd "$work/root/root/mine" && files $way)
        { time if [ $outcome = right ]; then
            { use $way | run_all >>"$work/log" 2>&1 && grep -q ': right$' "$work/log"; } || outcome=FAILED
        fi; } 2>"$work/program"
        printf '| %s | %s | %d | %s | %s | %s |\n' "$suite" "$way" "$commands" "$(spent <"$work/packages")" \
            "$(spent <"$work/program")" $outcome
        [ $outcome = right ] || { failed=1; tail -15 "$work/log"; }
        umount -R "$work/root"
        rm -rf --one-file-system "$work"/{root,upper,scratch}
    done
done
exit $failed
