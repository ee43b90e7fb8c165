#!/usr/bin/env bash
# Lines and branches of include/tamis that the tests run, by gcov: bash tests/coverage/run.sh [ctest's -R expression]
# Needs gcovr (pip install gcovr). Optimisation is off: an inlined line has no count of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=build/coverage
cmake -S . -B $dir -D CMAKE_BUILD_TYPE=Debug -D TAMIS_NATIVE=ON -D TAMIS_BUILD_BENCH=OFF -D TAMIS_BUILD_EXAMPLES=ON \
    -D CMAKE_CXX_FLAGS="--coverage -O0 -fno-inline -fprofile-update=atomic" -D CMAKE_CXX_FLAGS_DEBUG=-g1 >/dev/null
cmake --build $dir --parallel "$(nproc)"
find $dir -name '*.gcda' -delete
ctest --test-dir $dir -j "$(nproc)" -LE '^(consumer|headers|must_not_compile|data)$' ${1:+-R "$1"} --output-on-failure
gcovr --root . --filter include/tamis/ --exclude-throw-branches --exclude-unreachable-branches --merge-mode-functions=separate \
    --print-summary --sort uncovered-number --txt $dir/lines.txt $dir
echo "$dir/lines.txt has each header"
