#!/usr/bin/env bash
# clang-tidy (the checks of .clang-tidy) and cppcheck over all public headers, in one unit: bash tests/coverage/lint.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
eigen=${EIGEN:-/usr/include/eigen3}
failed=0
unit=$(mktemp --suffix=.cpp)
trap 'rm -f "$unit"' EXIT
printf '#include <tamis/%s>\n' tamis.hpp study/study.hpp eigen.hpp ffn/prefill.hpp exec/team.hpp >"$unit"
clang-tidy --quiet --config-file=.clang-tidy --warnings-as-errors='*' --header-filter='include/tamis/.*' "$unit" -- \
    -std=c++20 -march=x86-64-v3 -Iinclude -isystem "$eigen" || failed=1
# Of what is not ours nothing is read; syntax that it does not know (requires, in some places) is not an error of ours either.
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --max-configs=1 --suppress=missingIncludeSystem --suppress=syntaxError -D__GNUC__=12 -D__x86_64__=1 -D__AVX2__=1 \
    -D__SSE2__=1 -D__cplusplus=202002L -Iinclude "$unit" || failed=1
exit $failed
