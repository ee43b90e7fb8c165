#!/usr/bin/env bash
# The program of all packages by every compiler that is here (g++ 11 to 16, clang 14 to 22), in C++20, 23 and 26 as far as it
# knows them, and with libc++. One line each; what is not here is named as left out.
source "$(dirname "$0")/../common.sh"
left_out=()
tried=0
compile() { # compile <name> <compiler and options>...
    local name=$1
    shift
    if "$@" -O0 -DTAMIS_NO_ISA_NOTE -I"$checkout/include" "$program" -o "$work/program" 2>"$work/log"; then
        "$work/program" >"$work/out" || { cat "$work/out"; exit 1; }
        say "$name: right"
        tried=$((tried + 1))
    else
        tail -20 "$work/log"
        echo "$name does not compile it"
        exit 1
    fi
}
for compiler in g++-{11..16} clang++-{14..22} g++ clang++; do
    command -v "$compiler" >/dev/null || { left_out+=("$compiler"); continue; }
    for standard in 20 23 26; do
        echo 'int main() {}' | "$compiler" -std=c++$standard -x c++ -fsyntax-only - 2>/dev/null || continue
        compile "$compiler -std=c++$standard" "$compiler" -std=c++$standard
    done
    case $compiler in
        clang*) if echo '#include <vector>' | "$compiler" -stdlib=libc++ -x c++ -fsyntax-only - 2>/dev/null; then
                    compile "$compiler with libc++" "$compiler" -std=c++20 -stdlib=libc++
                else
                    left_out+=("$compiler's libc++")
                fi ;;
    esac
done
say "left out, not here: ${left_out[*]}"
[ $tried -gt 0 ] || skip "no compiler is here"
