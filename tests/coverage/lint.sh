#!/usr/bin/env bash
# clang-tidy (the checks of .clang-tidy) and cppcheck over all public headers: bash tests/coverage/lint.sh
set -uo pipefail
cd "$(dirname "$0")/../.."
eigen=${EIGEN:-/usr/include/eigen3}
failed=0
unit=$(mktemp --suffix=.cpp)
trap 'rm -f "$unit"' EXIT
printf '#include <tamis/%s>\n' tamis.hpp study/study.hpp eigen.hpp ffn/prefill.hpp exec/team.hpp >"$unit"
clang-tidy --quiet --header-filter='include/tamis/.*' "$unit" -- -std=c++20 -march=x86-64-v3 -Iinclude -isystem "$eigen" || failed=1
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem --suppress=syntaxError -D__GNUC__=12 -D__x86_64__=1 -D__AVX2__=1 -D__cplusplus=202002L -Iinclude \
    include/tamis || failed=1
exit $failed
