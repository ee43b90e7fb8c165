#!/usr/bin/env bash
# The program of all packages by every compiler that is here, g++ 11 to 16 and clang 14 to 22: compiled and run in C++20, read in
# C++23 and C++26 as far as the compiler knows them, with libc++ too; then other versions of xsimd and Eigen. It prints a table;
# what is not here is named behind it.
#   TAMIS_TRY_COMPILERS   "g++-11 clang++-22": these alone
#   TAMIS_TRY_SUITES      "trixie sid": suites of Debian whose headers of xsimd and Eigen are taken as well (apt, no root needed)
source "$(dirname "$0")/../common.sh"
read -ra compilers <<<"${TAMIS_TRY_COMPILERS:-$(echo g++-{11..16} clang++-{14..22})}"
read -ra suites <<<"${TAMIS_TRY_SUITES:-}"
left_out=()

# In C++20 one unit is compiled and run; other standards are only read, which finds what they refuse.
flags=(-O0 -march=x86-64-v3 -DTAMIS_NO_ISA_NOTE -I"$checkout/include" "$program" -o "$work/program")
grep -qw avx2 /proc/cpuinfo || flags=("${flags[@]/-march=x86-64-v3/}")
known() { echo 'int main() {}' | "$1" -std=c++"$2" -x c++ -fsyntax-only - 2>/dev/null; }
attempt() {
    if "$@" >"$work/log" 2>&1; then return; fi
    { echo "FAILED: $*"; tail -20 "$work/log"; } >>"$work/failures"
    return 1
}
ran() { attempt "$@" "${flags[@]}" && attempt "$work/program" && printf runs || printf FAILED; }
reads() { # reads <standard> <compiler> <option>...
    local standard=$1
    shift
    if [ -n "${short:-}" ] || ! known "$1" "$standard"; then printf -- -; return; fi
    attempt "$@" -std=c++"$standard" -fsyntax-only "${flags[@]:0:${#flags[@]}-2}" && printf compiles || printf FAILED
}

# versions <compiler> <include option>...: of the headers that it finds, xsimd's and Eigen's.
versions() {
    local found
    found=$("$@" -x c++ -std=c++20 -E -P - 2>/dev/null <<'CPP' | tr -d ' '
#include <xsimd/config/xsimd_config.hpp>
#if __has_include(<Eigen/Version>)
#include <Eigen/Version>
#elif __has_include(<Eigen/Core>)
#include <Eigen/src/Core/util/Macros.h>
#endif
=xsimd XSIMD_VERSION_MAJOR.XSIMD_VERSION_MINOR
=eigen EIGEN_WORLD_VERSION.EIGEN_MAJOR_VERSION.EIGEN_MINOR_VERSION
CPP
) || return 1
    # Eigen calls 3.4 "3.4.0", and 5.0 "3.5.0".
    sed -n -e 's/^=xsimd//p' -e 's/^=eigenEIGEN.*/-/p' -e 's/^=eigen3\.4\..*/3.4/p' -e 's/^=eigen3\.//p' <<<"$found"
}
row() { # row <name> <compiler> <option>...: a line of the table
    local name=$1 compiler=$2 v
    shift 2
    mapfile -t v < <(versions "$compiler" "$@")
    [ ${#v[@]} = 2 ] || { left_out+=("xsimd for $name"); return; }
    local with=()
    [ "${v[1]}" = - ] || with=(-DWITH_EIGEN)
    printf '| %s | %s | %s | %s | %s | %s |\n' "$name" "${v[0]}" "${v[1]}" "$(ran "$compiler" -std=c++20 "${with[@]}" "$@")" \
        "$(reads 23 "$compiler" "$@")" "$(reads 26 "$compiler" "$@")"
    rows=$((rows + 1))
}

rows=0
here=()
for folder in /usr/include/eigen3 /usr/local/include/eigen3; do
    if [ -e $folder/Eigen/Core ]; then here=(-isystem $folder); break; fi
done
printf '| compiler | xsimd | Eigen | C++20 | C++23 | C++26 |\n|---|---|---|---|---|---|\n'
for compiler in "${compilers[@]}"; do
    command -v "$compiler" >/dev/null || { left_out+=("$compiler"); continue; }
    name="$compiler ($("$compiler" -dumpfullversion -dumpversion))"
    row "$name" "$compiler" "${here[@]}"
    case $compiler in
        clang*) if echo '#include <vector>' | "$compiler" -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null; then
                    short=yes row "$name, libc++" "$compiler" -stdlib=libc++ "${here[@]}"
                else
                    left_out+=("$compiler's libc++")
                fi ;;
    esac
done
for suite in "${suites[@]}"; do
    folder=$work/$suite
    if ! from_suite "$suite" "$folder" libxsimd-dev libeigen3-dev; then left_out+=("$suite's headers"); continue; fi
    short=yes row "c++ ($("$cxx" -dumpfullversion -dumpversion)), $suite's headers" "$cxx" -isystem "$folder/usr/include" -isystem "$folder/usr/include/eigen3"
done
[ ${#left_out[@]} = 0 ] || say "left out, not here: ${left_out[*]}"
[ ! -s "$work/failures" ] || { cat "$work/failures"; exit 1; }
[ $rows -gt 0 ] || skip "no compiler is here"
