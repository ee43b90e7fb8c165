#!/usr/bin/env bash
# libFuzzer on all targets at once, under the address and undefined behaviour sanitizers, with TAMIS_HARDENED:
#
#     bash tests/fuzz/run.sh [SECONDS] [WORKERS]      # 30 and 1 by default; hours: 28800 2
#
# What is new goes to build/fuzz/found, which a later run begins with; what fails is build/fuzz/crash-*. To play it again:
# build/fuzz/fuzz FILE. To keep it in the corpus: build/fuzz/fuzz -merge=1 tests/fuzz/corpus build/fuzz/found (a few, small).
# CXX: a clang with libFuzzer. ARCH: -march, x86-64-v3 by default on x86-64. WHAT=SELECTOR...: letters of the targets to run.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
workers=${2:-1}
CXX=${CXX:-clang++}
dir=build/fuzz
mkdir -p $dir/found
arch=()
[ "$(uname -m)" != x86_64 ] || arch=(-march="${ARCH:-x86-64-v3}")
eigen=${EIGEN:-/usr/include/eigen3}
flags=(-std=c++20 -O1 -g1 "${arch[@]}" -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -DTAMIS_HARDENED
    -D_GLIBCXX_ASSERTIONS -DTAMIS_FUZZ_NO_STUDY -Iinclude -Itests -Iexamples/study -isystem "$eigen")
objects=()
for source in tests/fuzz/{masks,ffns,readers,texts,libfuzzer}.cpp tests/ffn/support_reference.cpp; do
    object=$dir/$(basename "$source" .cpp).o
    newer=$(find include tests/fuzz tests/ffn tests/support examples/study -name '*.[ch]pp' -newer "$object" 2>/dev/null | head -1 || true)
    [ -e "$object" ] && [ -z "$newer" ] || $CXX "${flags[@]}" -c "$source" -o "$object"
    objects+=("$object")
done
$CXX -fsanitize=address,undefined,fuzzer "${objects[@]}" -lgmpxx -lgmp -o $dir/fuzz
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for file in tests/fuzz/corpus/*; do
    case $(head -c1 "$file") in
        [rsl]) ;; # those of study.cpp, which is not in here
        *) [ -n "${WHAT:-}" ] && [[ "$WHAT" != *$(head -c1 "$file")* ]] || cp "$file" "$corpus" ;;
    esac
done
parallel=()
[ "$workers" -le 1 ] || parallel=(-jobs="$workers" -workers="$workers")
cd $dir # where it leaves a log for each worker
./fuzz -max_total_time="$seconds" -max_len=4096 -timeout=300 -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1 \
    "${parallel[@]}" found "$corpus" 2>&1 | grep -Ev '^#[0-9]+.(NEW|REDUCE|pulse|RELOAD)'
