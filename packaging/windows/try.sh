#!/usr/bin/env bash
# Windows: the program by MinGW-w64's g++, else by zig (PyPI's ziglang; its first run builds a C++ library, minutes of it), for
# SSE2 and for AVX2, behind windows.h and its macros; run under wine.
source "$(dirname "$0")/../common.sh"
export WINEDEBUG=-all WINEPREFIX=${TAMIS_TRY_WINEPREFIX:-$work/wine}
xsimd=$(echo '#include <xsimd/xsimd.hpp>' | "$cxx" -std=c++20 -x c++ -M - 2>/dev/null | tr -s ' \\' '\n' | grep '/xsimd/xsimd.hpp$' || true)
[ -n "$xsimd" ] || skip "xsimd is not here"
mkdir "$work/include"
ln -s "$(dirname "$xsimd")" "$work/include/xsimd" # alone: the machine's other headers are not for Windows
if command -v x86_64-w64-mingw32-g++-posix >/dev/null; then
    compiler=(x86_64-w64-mingw32-g++-posix -static)
elif command -v x86_64-w64-mingw32-g++ >/dev/null; then
    compiler=(x86_64-w64-mingw32-g++ -static)
elif python3 -c 'import ziglang' 2>/dev/null; then
    compiler=(python3 -m ziglang c++ -target x86_64-windows-gnu)
else
    skip "neither g++-mingw-w64-x86-64-posix nor ziglang is here"
fi
run=$(command -v wine64 || command -v wine || echo /usr/lib/wine/wine64)
say "by ${compiler[*]}"
for arch in x86-64 x86-64-v3; do
    flags=(-march=$arch)
    # GCC keeps 32-byte vectors on a stack that Windows aligns to 16 bytes: the assembler's moves have to allow it.
    case ${compiler[0]}-$arch in *mingw*-v3) flags+=(-Wa,-muse-unaligned-vector-move) ;; esac
    "${compiler[@]}" -std=c++20 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -DTAMIS_NO_ISA_NOTE -include windows.h "${flags[@]}" \
        -I"$checkout/include" -isystem "$work/include" "$program" -o "$work/program_$arch.exe"
    [ -x "$run" ] || { say "$arch compiles; wine is not here, so nothing was run"; continue; }
    [ $arch = x86-64 ] || grep -qw avx2 /proc/cpuinfo || { say "$arch compiles; this machine cannot run it"; continue; }
    say "$arch: $("$run" "$work/program_$arch.exe" | tr -d '\r')"
done
