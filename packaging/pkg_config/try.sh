#!/usr/bin/env bash
# cmake --install, then g++ $(pkg-config --cflags tamis): from a moved prefix, and from absolute folders.
source "$(dirname "$0")/../common.sh"
need pkg-config "pkgconf or pkg-config"
pkg-config --exists 'xsimd >= 8.1' || skip "xsimd has no file for pkg-config here"
configure() { cmake -S "$checkout" "$@" -D TAMIS_BUILD_TESTS=OFF -D TAMIS_BUILD_BENCH=OFF -D TAMIS_BUILD_EXAMPLES=OFF >/dev/null; }
compile() { "$cxx" -std=c++20 -DTAMIS_NO_ISA_NOTE "$@" -o "$work/program" && "$work/program"; }

say "a prefix that is moved"
configure -B "$work/build" -D CMAKE_INSTALL_PREFIX="$work/built here"
cmake --install "$work/build" >/dev/null
mv "$work/built here" "$work/moved"
export PKG_CONFIG_PATH=$work/moved/share/pkgconfig
pkg-config --validate tamis
compile $(pkg-config --cflags tamis) "$program"
if pkg-config --exists 'eigen3 >= 3.4'; then
    compile $(pkg-config --cflags tamis-eigen) -DWITH_EIGEN "$program"
fi
[ "$(pkg-config --modversion tamis)" = "$(sed -n 's/#define TAMIS_VERSION_[A-Z]* //p' "$checkout/include/tamis/version.hpp" | paste -sd .)" ]

say "absolute folders"
configure -B "$work/build_absolute" -D CMAKE_INSTALL_PREFIX="$work/a" -D CMAKE_INSTALL_INCLUDEDIR="$work/headers" \
    -D CMAKE_INSTALL_DATADIR="$work/data"
cmake --install "$work/build_absolute" >/dev/null
PKG_CONFIG_PATH=$work/data/pkgconfig compile $(PKG_CONFIG_PATH=$work/data/pkgconfig pkg-config --cflags tamis) "$program"
mkdir "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(consumer LANGUAGES CXX)
find_package(tamis REQUIRED)
add_executable(program $program)
target_link_libraries(program PRIVATE tamis::tamis)
CMAKE
cmake -S "$work/consumer" -B "$work/consumer/build" -D tamis_DIR="$work/data/cmake/tamis" >/dev/null
cmake --build "$work/consumer/build" >/dev/null
"$work/consumer/build/program"

say "without the Eigen half"
configure -B "$work/build_plain" -D CMAKE_INSTALL_PREFIX="$work/plain" -D TAMIS_INSTALL_EIGEN=OFF
cmake --install "$work/build_plain" >/dev/null
[ ! -e "$work/plain/share/pkgconfig/tamis-eigen.pc" ] && [ ! -e "$work/plain/include/tamis/study" ]
PKG_CONFIG_PATH=$work/plain/share/pkgconfig compile -I"$work/plain/include" "$program"
