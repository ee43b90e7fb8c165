#!/usr/bin/env bash
# Lines and branches of include/tamis that the tests run, by gcov: bash tests/coverage/run.sh [ctest's -R expression]
# Needs gcovr (pip install gcovr). Tests are compiled without optimisation, as always; the kernels and searches that they share
# (tests/support/compiled.cpp) with -O1, but lines are counted before anything is inlined. Lines of a brace alone do not count.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build/coverage
cmake -S . -B $dir -D CMAKE_BUILD_TYPE=Debug -D TAMIS_NATIVE=ON -D TAMIS_BUILD_BENCH=OFF -D TAMIS_BUILD_EXAMPLES=ON \
    -D CMAKE_CXX_FLAGS="--coverage -fprofile-update=atomic -fprofile-filter-files=include/tamis/" \
    -D CMAKE_CXX_FLAGS_DEBUG="-g1 -O1 -fno-early-inlining" >/dev/null
cmake --build $dir --parallel "${JOBS:-$(nproc)}"
find $dir -name '*.gcda' -delete
ctest --test-dir $dir -j "${JOBS:-$(nproc)}" -LE '^(consumer|headers|must_not_compile|data)$' ${1:+-R "$1"} --output-on-failure
gcovr --root . --filter include/tamis/ --exclude-throw-branches --exclude-unreachable-branches --exclude-noncode-lines \
    --gcov-ignore-errors=all --gcov-ignore-parse-errors=all \
    --merge-mode-functions=separate --merge-lines --print-summary --sort uncovered-number --txt $dir/lines.txt $dir
echo "$dir/lines.txt has each header"
