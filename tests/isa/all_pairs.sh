#!/usr/bin/env bash
# One program with objects for every instruction set: at -O0 and at -O2 no two share code that differs. At -O2, with either
# order of linking, each runs on a processor that has no more than it was compiled for (emulated by qemu-x86_64); at -O0
# xsimd's functions are calls that all units share, so there is nothing to run.
#     bash tests/isa/all_pairs.sh [compiler] [folder for what is built]
# QUICK=1: sets that differ in kind, which is what CI has the time for.
set -euo pipefail
cd "$(dirname "$0")/../.."
cxx=${1:-c++}
out=${2:-build/isa}
mkdir -p "$out"
options="-std=c++20 -D TAMIS_NO_ISA_NOTE -Iinclude -Itests/isa -w ${CXXFLAGS:-}"

# name | where QUICK=1 has it | the flags | a processor that has them and nothing more, if qemu knows one
sets='base       | -O0 -O2 | -march=x86-64                              | Opteron_G1
ssse3      |         | -march=x86-64 -mssse3                      | Conroe
sse41      |         | -march=x86-64 -msse4.1                     | Penryn
v2         | -O2     | -march=x86-64-v2                           | Nehalem
avx        |         | -march=x86-64-v2 -mavx                     | SandyBridge
v3_no_bmi2 | -O2     | -march=x86-64-v3 -mno-bmi2                 | Haswell,-bmi2
v3         | -O0 -O2 | -march=x86-64-v3                           | Haswell
v3_vnni    | -O2     | -march=x86-64-v3 -mavxvnni                 |
v4         | -O0 -O2 | -march=x86-64-v4                           |
v4_vnni    |         | -march=x86-64-v4 -mavx512vnni              |
icelake    |         | -march=icelake-server                      |
v3_fast    | -O2     | -march=x86-64-v3 -ffast-math               | Haswell
v3_nothrow |         | -march=x86-64-v3 -fno-exceptions -fno-rtti | Haswell'

wrong=0
for optimisation in -O0 -O2; do
    objects=()
    units=
    chosen=$sets
    [ -z "${QUICK:-}" ] || chosen=$(awk -F'|' -v o="$optimisation" 'index($2, o)' <<<"$sets")
    while IFS='|' read -r name _ flags _; do
        name=${name// /}
        $cxx $options $optimisation $flags -D TAMIS_TEST_NAME="$name" -c tests/isa/unit.cpp \
            -o "$out/$name$optimisation.o"
        objects+=("$out/$name$optimisation.o")
        units+=" X($name)"
    done <<<"$chosen"
    echo "$cxx $optimisation"
    bash tests/isa/shared_code.sh "$([ $optimisation = -O0 ] && echo 0 || echo 1)" "${objects[@]}" || wrong=1

    [ $optimisation = -O2 ] || continue

    reversed=()
    for object in "${objects[@]}"; do reversed=("$object" "${reversed[@]}"); done
    $cxx $options $optimisation -march=x86-64 -D "TAMIS_TEST_UNITS=$units" -c tests/isa/run.cpp \
        -o "$out/run$optimisation.o"
    for order in forwards backwards; do
        [ $order = forwards ] || objects=("${reversed[@]}")
        program="$out/run$optimisation.$order"
        $cxx "$out/run$optimisation.o" "${objects[@]}" -o "$program"
        if ! command -v qemu-x86_64 >/dev/null; then
            echo "SKIPPED: qemu-x86_64 (package qemu-user) is not here, so nothing was run"
            continue
        fi
        while IFS='|' read -r name _ _ processor; do
            name=${name// /}
            processor=${processor// /}
            [ -n "$processor" ] || continue
            qemu-x86_64 -cpu "$processor" "$program" all base "$name" >"$out/said" 2>&1 ||
                { echo "$name (linked $order) fails on $processor: $(tail -1 "$out/said")"; wrong=1; }
        done <<<"$chosen"
    done
done
[ $wrong = 0 ] && echo "all pairs: good"
exit $wrong
