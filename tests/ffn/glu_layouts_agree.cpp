#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

// Layout and format decide what is read, not what comes out: the same masks and, up to rounding, the same y.
// The weights and values are small integers over powers of two, so that rounding decides no mask here.

namespace {

template <std::size_t Subset>
void check() {
    const problem p = random_problem(29, 53, true, Subset);
    std::vector<float> first_y;
    site_masks first_masks;
    for_constants<layout_count>([&]<class Layouts>(Layouts) {
        CAPTURE(Layouts::value);
        std::vector<float> y(p.width());
        recorder seen;
        run_glu<Subset, Layouts::value, Layouts::value % format_count, tamis::relu>(p, 8, y, seen);
        if (first_y.empty()) {
            first_y = y;
            first_masks = seen.masks();
        }
        float difference = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            difference = std::max(difference, std::fabs(y[i] - first_y[i]));
        }
        CHECK(difference < 1e-4f);
        CHECK(seen.masks() == first_masks);
    });
}

} // namespace

TEST_CASE("all layouts give one result") {
    check<0>();
    check<9>();
    check<15>();
}
