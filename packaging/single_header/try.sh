#!/usr/bin/env bash
# The single header alone, the Eigen half behind it, and in one program with the ordinary headers.
source "$(dirname "$0")/../common.sh"
need python3 "Python 3"
echo '#include <xsimd/xsimd.hpp>' | "$cxx" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null || skip "xsimd is not here"
flags=(-std=c++20 -O0 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -DTAMIS_NO_ISA_NOTE)
python3 "$checkout/packaging/single_header/amalgamate.py" "$work/one"

say "alone"
"$cxx" "${flags[@]}" -DSINGLE_HEADER -I"$work/one" "$program" -o "$work/program"
"$work/program"
"$cxx" "${flags[@]}" -fno-exceptions -fno-rtti -DSINGLE_HEADER -I"$work/one" -fsyntax-only "$program"

cd "$work"
say "in one program with the ordinary headers: types are the same, and so are functions"
printf '#include <tamis.hpp>\ntamis::mask a(std::span<const float> v) { return tamis::top_p{0.9}(v); }\n' >a.cpp
printf '#include <tamis/tamis.hpp>\ntamis::mask a(std::span<const float> v);\nint main() {\n    const std::vector<float> x{3, -2, 0.1f, 0};\n    return a(x) == tamis::top_p{0.9}(x) ? 0 : 1;\n}\n' >b.cpp
"$cxx" "${flags[@]}" -Ione -c a.cpp
"$cxx" "${flags[@]}" -I"$checkout/include" -c b.cpp
"$cxx" a.o b.o -o both && ./both

say "both in one unit are refused"
printf '#include <tamis.hpp>\n#include <tamis/cut.hpp>\n' >c.cpp
printf '#include <tamis/cut.hpp>\n#include <tamis.hpp>\n' >d.cpp
refuses "take one of the two in a unit" "$cxx" "${flags[@]}" -Ione -I"$checkout/include" -fsyntax-only c.cpp
refuses "take one of the two in a unit" "$cxx" "${flags[@]}" -Ione -I"$checkout/include" -fsyntax-only d.cpp

for eigen in /usr/include/eigen3 /usr/local/include/eigen3; do
    [ -e $eigen/Eigen/Core ] || continue
    say "the Eigen half"
    printf '#include <tamis_eigen.hpp>\nint main() {\n    const Eigen::VectorXf v = Eigen::VectorXf::Ones(5);\n    return tamis::top_p{0.9}(v).count() == 5 ? 0 : 1;\n}\n' >e.cpp
    "$cxx" "${flags[@]}" -Ione -isystem $eigen e.cpp -o eigen && ./eigen
    break
done
