#!/bin/sh
# fuzz.sh [CALLS] [SEED] [FORMATS]: random calls of the C interface under AddressSanitizer and UBSan, one level of kernels, compiled by
# $CXX. Not optimised: so it compiles in a fraction of the time, and a call takes 50 microseconds. Formats as TAMIS_C_FORMATS has them. A million calls: fuzz.sh 1000000
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/@list@/ X(native, (true) __VA_OPT__(, ) __VA_ARGS__)/' "$here/../../../cmake/tamis_levels.hpp.in" > "$work/tamis_levels.hpp"
for unit in level.cpp tamis.cpp tests/fuzz.cpp; do
    ${CXX:-c++} -std=c++20 -O0 -g1 -march=x86-64-v3 -fsanitize=address,undefined -fno-sanitize-recover=all -DTAMIS_LEVEL=native \
        -DTAMIS_C_FORMATS="${3:-f32,bf16,q8_0,q4_k}" -I"$here/../../../include" -I"$here/.." -I"$work" -c "$here/../$unit" \
        -o "$work/$(basename "$unit").o"
done
${CXX:-c++} -fsanitize=address,undefined "$work"/*.o -o "$work/fuzz"
ASAN_OPTIONS=allocator_may_return_null=1 "$work/fuzz" "${1:-100000}" "${2:-1}"
