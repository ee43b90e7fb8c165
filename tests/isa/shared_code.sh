#!/usr/bin/env bash
# Fails when objects compiled for different instruction sets share code that one of their processors may not know:
#     bash tests/isa/shared_code.sh <optimised: 0 or 1> <object>...
# A function that two of them have under one name must use the same instructions and kinds of registers in both, of those
# that not every processor has (the rest is a matter of tuning); and none of the library's own may have one name in two.
# Without optimisation, xsimd's and those of <cmath> are let pass.
set -euo pipefail
optimised=$1
shift
pass='^$'
[ "$optimised" = 1 ] || pass='xsimd|^_ZSt3expf$|^_ZNSt14numeric_limitsIfE8infinityEv$'
# What is not in every x86-64 processor and names no vector register.
scalar='^(popcnt|[lt]zcnt|andn|bextr|bls[irm]|bzhi|mulx|pdep|pext|rorx|s[ah][lr]x|movbe|crc32|ad[co]x|[ls]ahf|cmpxchg16b)'
for tool in nm objdump awk; do
    command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not here"; exit 0; }
done
for object; do
    echo "object $object"
    nm "$object" | awk '$(NF - 1) ~ /^[WVu]$/ && NF == 3 { print "weak " $NF }'
    objdump -dr -w --no-show-raw-insn "$object" | awk -v scalar="$scalar" '
        /^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); print "function " name; next }
        /^ *[0-9a-f]+:\t/ {
            sub(/^ *[0-9a-f]+:[ \t]+/, "")
            if (/%[xyz]mm|%k[0-7]/ || $1 ~ scalar) print "code " $1
            if (/%[xyz]mm(1[6-9]|2|3)/) print "code evex"
            if (/%zmm/) print "code zmm"
            if (/%ymm/) print "code ymm"
            if (/%r(1[6-9]|2|3)/) print "code egpr"
        }'
done | awk -v pass="$pass" '
    function same(a, b,    list, i, n) { # sets, as |one|two|
        n = split(a, list, "|")
        for (i = 2; i < n; ++i) if (index(b, "|" list[i] "|") == 0) return 0
        return length(a) == length(b)
    }
    function finish() {
        if (name != "" && weak[name] == object) {
            if (!(name in first)) {
                first[name] = object; body[name] = code
            } else if (name ~ /^_ZN?K?5tamis/) {
                print "one of the library in two units: " name; bad = 1
            } else if (!same(body[name], code) && name !~ pass && !(name in told)) {
                print "not the same in " first[name] " and " object ": " name; bad = 1; told[name] = 1
            }
        }
        name = ""; code = "|"
    }
    $1 == "object" { finish(); object = $2 }
    $1 == "weak" { weak[$2] = object; ++seen }
    $1 == "function" { finish(); name = $2 }
    $1 == "code" && index(code, "|" $2 "|") == 0 { code = code $2 "|" }
    END { finish(); print seen + 0 " functions that could be shared"; exit bad || seen == 0 }'
