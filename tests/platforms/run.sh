#!/usr/bin/env bash
# The masks and a few FFNs on other platforms, cross-compiled by zig's clang, or by Debian's g++, and run by qemu-user, wasmtime or wine:
#
#     bash tests/platforms/run.sh [NAME...]              # by zig; names of the first table below; all by default
#     WITH=g++ bash tests/platforms/run.sh [NAME...]     # by g++, those of the second whose compilers are here
#
# XSIMD: the include folder of an xsimd 14.3 or later (what has no vectors of its own uses xsimd's emulated ones; without it only
# x86_64, aarch64 and windows are tried, by the system's xsimd). ZIG: the compiler, `zig` or `python3 -m ziglang`
# (pip install ziglang). FLAGS: -O2 by default. A platform whose runner is not there is compiled alone, and that is said.
# zig's first compilation for a platform builds its standard library: about a minute of one core. WebAssembly is run by the command
# wasmtime or by PyPI's library of that name (pip install wasmtime; PYTHON: the Python that has it).
set -uo pipefail
cd "$(dirname "$0")/../.."
ZIG=${ZIG:-$(command -v zig || echo "python3 -m ziglang")}
FLAGS=${FLAGS:--O2}
WITH=${WITH:-zig}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
emulated="-DXSIMD_WITH_EMULATED=1"

xsimd=${XSIMD:-}
if [ -z "$xsimd" ]; then # its folder alone: the rest of /usr/include is this machine's
    ln -s "$(dirname "$(echo '#include <xsimd/xsimd.hpp>' | ${CXX:-c++} -x c++ -M - 2>/dev/null | tr ' ' '\n' |
        grep -m1 'xsimd/xsimd.hpp')")" "$out/xsimd" || { echo "no xsimd: XSIMD says where it is"; exit 2; }
    xsimd=$out
fi

# name, target, the runner, flags of its own
zig_platforms() {
    cat <<TABLE
x86_64   x86_64-linux-musl         -                   | -mcpu=x86_64_v2
x86_64v3 x86_64-linux-musl         -                   | -mcpu=x86_64_v3
i686     x86-linux-musl            -                   | -mcpu=pentium4
aarch64  aarch64-linux-musl        qemu-aarch64        |
armv7    arm-linux-musleabihf      qemu-arm            | -mcpu=cortex_a7 $emulated
riscv64  riscv64-linux-musl        qemu-riscv64        | $emulated
s390x    s390x-linux-musl          qemu-s390x          | $emulated
s390xvxe s390x-linux-musl          qemu-s390x          | -mcpu=z14 -mzvector
ppc64le  powerpc64le-linux-musl    qemu-ppc64le        | $emulated -DXSIMD_DEFAULT_ARCH=xsimd::emulated<128>
ppcvsx   powerpc64le-linux-musl    qemu-ppc64le        |
wasm32   wasm32-wasi               wasmtime            | -msimd128 -fno-exceptions $emulated
wasmsimd wasm32-wasi               wasmtime            | -msimd128 -fno-exceptions -D__EMSCRIPTEN__
windows  x86_64-windows-gnu        wine                | -mcpu=x86_64_v2
macos    aarch64-macos             none                |
TABLE
}
gnu_platforms() {
    cat <<TABLE
aarch64  aarch64-linux-gnu         qemu-aarch64        |
armv7    arm-linux-gnueabihf       qemu-arm            | -mcpu=cortex-a7 $emulated
riscv64  riscv64-linux-gnu         qemu-riscv64        | $emulated
s390x    s390x-linux-gnu           qemu-s390x          | $emulated
s390xvxe s390x-linux-gnu           qemu-s390x          | -march=z14 -mzvector
ppc64le  powerpc64le-linux-gnu     qemu-ppc64le        | $emulated -DXSIMD_DEFAULT_ARCH=xsimd::emulated<128>
ppcvsx   powerpc64le-linux-gnu     qemu-ppc64le        |
windows  x86_64-w64-mingw32        wine                | -march=x86-64-v2
TABLE
}
# The compiler for a target; nothing where there is none.
compiler_for() {
    if [ "$WITH" = zig ]; then
        echo "$ZIG c++ -target $1 -Wno-nullability-completeness"
    elif command -v "$1-g++-posix" >/dev/null; then
        echo "$1-g++-posix -static"
    elif command -v "$1-g++" >/dev/null; then
        echo "$1-g++ -static"
    fi
}

failed=0
hashes=$out/hashes
: >"$hashes"
while IFS='|' read -r what own; do
    read -r name target runner <<<"$what"
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    compiler=$(compiler_for "$target")
    [ -n "$compiler" ] || { echo "$name: no $target-g++ here"; continue; }
    program=$out/$name
    [ "$name" != windows ] || program=$program.exe
    # shellcheck disable=SC2086
    if ! $compiler -std=c++20 $FLAGS $own -DTAMIS_NO_ISA_NOTE -Iinclude -Itests -isystem "$xsimd" \
        tests/platforms/program.cpp -o "$program" 2>"$out/log"; then
        echo "$name: does not compile: $(grep -m1 'error' "$out/log")"
        failed=1
        continue
    fi
    case $runner in
        -) runner= ;;
        wasmtime) command -v wasmtime >/dev/null || { ${PYTHON:-python3} -c "import wasmtime" 2>/dev/null &&
            runner="${PYTHON:-python3} tests/platforms/wasi.py"; } ;;
    esac
    if [ -n "$runner" ] && ! command -v "${runner%% *}" >/dev/null; then
        echo "$name: compiles and links$([ "$runner" = none ] || echo "; no $runner here to run it")"
        continue
    fi
    # shellcheck disable=SC2086
    if said=$(WINEDEBUG=-all timeout 600 $runner "$program" 2>"$out/log"); then
        echo "$name: ${said//$'\r'/}"
        grep -o 'masks [0-9a-f]*' <<<"$said" >>"$hashes"
    else
        echo "$name: FAILED: $said $(head -2 "$out/log")"
        failed=1
    fi
done < <(if [ "$WITH" = zig ]; then zig_platforms; else gnu_platforms; fi)
if [ "$(sort -u "$hashes" | wc -l)" -gt 1 ]; then
    echo "the masks are not the same everywhere"
    failed=1
fi
exit $failed
