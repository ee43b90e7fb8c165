#!/usr/bin/env bash
# Ways of CMake that tests/consumer does not have: an old CMake, other generators, tamis twice in a project, xsimd fetched, and
# a plain install on a machine that lacks what tests need. Each compiles packaging/program or less.
source "$(dirname "$0")/../common.sh"
need cmake CMake
(cd "$work" && cmake --find-package -D NAME=xsimd -D COMPILER_ID=GNU -D LANGUAGE=CXX -D MODE=EXIST) >/dev/null 2>&1 ||
    [ -e /usr/include/xsimd/xsimd.hpp ] || skip "xsimd is not here"
quietly() { "$@" >"$work/log" 2>&1 || { tail -40 "$work/log"; exit 1; }; }
lists() { mkdir -p "$1"; { printf 'cmake_minimum_required(VERSION 3.16)\nproject(user LANGUAGES CXX)\n'; cat; } >"$1/CMakeLists.txt"; }
user() { # user <cmake> <name> <option>...: builds and runs
    quietly "$1" -S "$work/$2" -B "$work/$2/build" "${@:3}"
    quietly "$1" --build "$work/$2/build"
    "$(find "$work/$2/build" -name program -type f | head -1)"
}

say "a plain install where doctest, oneTBB, oneDNN, benchmark, CLI11 and json are not to be had"
hidden=()
for package in doctest TBB benchmark CLI11 nlohmann_json; do hidden+=(-D "CMAKE_DISABLE_FIND_PACKAGE_$package=TRUE"); done
quietly cmake -S "$checkout" -B "$work/plain" "${hidden[@]}"
grep -q 'TAMIS_BUILD_TESTS is off' "$work/log"
quietly cmake --install "$work/plain" --prefix "$work/prefix"

lists "$work/installed" <<CMAKE
find_package(tamis REQUIRED COMPONENTS eigen)
add_executable(program $program)
target_link_libraries(program PRIVATE tamis::eigen tamis::native)
target_compile_definitions(program PRIVATE WITH_EIGEN)
CMAKE
# Warnings that tamis does not promise to be free of: it is a system header.
lists "$work/subdirectory" <<CMAKE
add_subdirectory($checkout tamis)
add_executable(program $program)
target_link_libraries(program PRIVATE tamis::tamis)
target_compile_definitions(program PRIVATE TAMIS_NO_ISA_NOTE)
target_compile_options(program PRIVATE -Wall -Wextra -Wold-style-cast -Wdouble-promotion -Weffc++ -Werror)
CMAKE
say "installed, by Ninja Multi-Config; as a part, under a user's warnings, by Unix Makefiles"
if command -v ninja >/dev/null; then
    user cmake installed -G "Ninja Multi-Config" -D CMAKE_PREFIX_PATH="$work/prefix"
else
    user cmake installed -D CMAKE_PREFIX_PATH="$work/prefix"
fi
user cmake subdirectory -G "Unix Makefiles"

say "CMake 3.16"
old=$work/old
if [ -n "${TAMIS_TRY_OLD_CMAKE:-}" ]; then
    oldest=$TAMIS_TRY_OLD_CMAKE
else
    python3 -m venv "$old" && "$old/bin/pip" install -q --disable-pip-version-check 'cmake==3.16.8' && oldest=$old/bin/cmake || oldest=
fi
if [ -n "$oldest" ]; then
    quietly "$oldest" -S "$checkout" -B "$work/plain_old"
    quietly "$oldest" -D CMAKE_INSTALL_PREFIX="$work/prefix_old" -P "$work/plain_old/cmake_install.cmake"
    rm -rf "$work"/{installed,subdirectory}/build
    user "$oldest" installed -D CMAKE_PREFIX_PATH="$work/prefix_old"
    user "$oldest" subdirectory
else
    say "not to be had; left out"
fi

say "find_package in sibling folders, with Eigen; beside one that takes the sources"
lists "$work/siblings" <<CMAKE
add_subdirectory(one)
add_subdirectory(two)
add_subdirectory(three)
CMAKE
mkdir "$work"/siblings/{one,two,three}
printf 'find_package(tamis REQUIRED COMPONENTS eigen)\nadd_library(one STATIC one.cpp)\ntarget_link_libraries(one PUBLIC tamis::tamis tamis::eigen)\n' >"$work/siblings/one/CMakeLists.txt"
printf '#include <tamis/mask/mask.hpp>\nstd::size_t one() { return tamis::mask_words(65); }\n' >"$work/siblings/one/one.cpp"
printf 'find_package(tamis REQUIRED COMPONENTS eigen)\nadd_executable(program main.cpp)\ntarget_link_libraries(program PRIVATE one tamis::eigen)\n' >"$work/siblings/two/CMakeLists.txt"
printf '#include <Eigen/Core>\n#include <tamis/version.hpp>\n#include <cstddef>\nstd::size_t one();\nint main() { return one() == 2 ? 0 : 1; }\n' >"$work/siblings/two/main.cpp"
printf 'add_subdirectory(%s tamis)\nadd_library(three INTERFACE)\ntarget_link_libraries(three INTERFACE tamis::tamis)\n' "$checkout" >"$work/siblings/three/CMakeLists.txt"
user cmake siblings -D CMAKE_PREFIX_PATH="$work/prefix"

say "xsimd fetched with OVERRIDE_FIND_PACKAGE, tamis fetched, a static library of the parent's exported: found again, all three"
# A stand-in for xsimd's checkout: its targets and install rules as its CMakeLists.txt has them, around the headers here.
mkdir -p "$work/xsimd"
cat >"$work/xsimd/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(xsimd VERSION 13.0.0 LANGUAGES CXX)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
add_library(xsimd INTERFACE)
target_include_directories(xsimd INTERFACE "$<BUILD_INTERFACE:/usr/include>" $<INSTALL_INTERFACE:include>)
install(TARGETS xsimd EXPORT xsimd-targets)
install(DIRECTORY /usr/include/xsimd DESTINATION include)
install(EXPORT xsimd-targets FILE xsimdTargets.cmake DESTINATION share/cmake/xsimd)
file(WRITE ${PROJECT_BINARY_DIR}/xsimdConfig.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/xsimdTargets.cmake)\n")
write_basic_package_version_file(${PROJECT_BINARY_DIR}/xsimdConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/xsimdConfig.cmake ${PROJECT_BINARY_DIR}/xsimdConfigVersion.cmake DESTINATION share/cmake/xsimd)
CMAKE
for half in core eigen; do
    lists "$work/fetched_$half" <<CMAKE
include(FetchContent)
FetchContent_Declare(xsimd SOURCE_DIR $work/xsimd OVERRIDE_FIND_PACKAGE)
set(TAMIS_INSTALL ON)
FetchContent_Declare(tamis SOURCE_DIR $checkout)
FetchContent_MakeAvailable(tamis)
add_library(one STATIC $work/siblings/one/one.cpp)
target_link_libraries(one PUBLIC tamis::tamis$([ $half = core ] || echo " tamis::eigen"))
install(TARGETS one EXPORT one-targets ARCHIVE DESTINATION lib)
install(EXPORT one-targets NAMESPACE one:: DESTINATION share/cmake/one)
file(WRITE \${PROJECT_BINARY_DIR}/one-config.cmake "include(CMakeFindDependencyMacro)
find_dependency(tamis COMPONENTS eigen)
include(\\\${CMAKE_CURRENT_LIST_DIR}/one-targets.cmake)
")
install(FILES \${PROJECT_BINARY_DIR}/one-config.cmake DESTINATION share/cmake/one)
CMAKE
    quietly cmake -S "$work/fetched_$half" -B "$work/fetched_$half/build"
    quietly cmake --build "$work/fetched_$half/build"
    quietly cmake --install "$work/fetched_$half/build" --prefix "$work/three_$half"
    lists "$work/last_$half" <<CMAKE
find_package(one REQUIRED)
add_executable(program $work/siblings/two/main.cpp)
target_link_libraries(program PRIVATE one::one tamis::eigen)
CMAKE
    user cmake "last_$half" -D CMAKE_PREFIX_PATH="$work/three_$half"
done
