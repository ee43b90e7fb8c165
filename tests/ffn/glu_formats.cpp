#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

// Every format, and formats mixed, in every layout, against Eigen in double. The weights are numbers that
// both formats hold exactly.

TEST_CASE("glu_ffn: formats in all layouts") {
    constexpr sizes some[] = {{17, 33}, {67, 133}};
    for_constants<format_count>([&]<class Formats>(Formats) {
        for_constants<layout_count>([&]<class Layouts>(Layouts) {
            check_glu(case_of<9, Layouts::value, Formats::value>(tamis::silu{}, exact_silu), some);
        });
    });
}

TEST_CASE("glu_ffn: a larger one") {
    constexpr sizes large[] = {{256, 1031}};
    check_glu(case_of<9, 7, 1>(tamis::gelu_tanh{}, exact_gelu_tanh), large);
    check_glu(case_of<2, 4, 0>(tamis::silu{}, exact_silu), large);
}
