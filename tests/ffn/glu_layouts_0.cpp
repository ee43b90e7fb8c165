#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

// Every subset of the four sites in every layout, against Eigen in double: here with W_down output_major, as
// in a checkpoint. The formats and two activations take turns.

TEST_CASE("glu_ffn: all sites in all layouts of gate and up, down output_major") {
    for_constants<subset_count>([]<class Subset>(Subset) {
        for_constants<layout_count / 2>([]<class UpLayouts>(UpLayouts) {
            constexpr std::size_t layouts = UpLayouts::value + 0;
            constexpr std::size_t formats = (Subset::value + Subset::value / 4 + layouts) % format_count;
            if constexpr ((Subset::value + layouts) % 2 == 0) {
                check_glu(case_of<Subset::value, layouts, formats>(tamis::silu{}, exact_silu));
            } else {
                check_glu(case_of<Subset::value, layouts, formats>(tamis::relu{}, exact_relu));
            }
        });
    });
}
