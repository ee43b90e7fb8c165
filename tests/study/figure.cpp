#include <tamis/study/figure.hpp>

#include "support/bits.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>

namespace figure_test {

using namespace tamis::study;

TEST_CASE("figure: one that lost a term is NaN, another is what it is, to the bit") {
    static_assert(unless_lost(0, 0.25) == 0.25);
    static_assert(tamis::is_nan(unless_lost(1, 0.25)));
    CHECK(unless_lost(0, -3.5) == -3.5);
    CHECK(tamis::is_nan(unless_lost(7, -3.5)));
    CHECK(tamis::is_nan(unless_lost(0, at_run_time(nan_of<double>)))); // as it came
    CHECK(tamis::is_nan(not_a_number));
    CHECK(tamis::is_nan(not_a_float));
}

TEST_CASE("figure: finite is neither NaN nor infinite, of either sign") {
    for (const float value : {nan_of<float>, negative_nan_of<float>, inf_of<float>, negative_inf_of<float>}) {
        CHECK(!is_finite(at_run_time(value)));
        CHECK(!is_finite(static_cast<double>(at_run_time(value))));
    }
    for (const float value : {0.0f, -0.0f, 1.0f, denormal_of<float>(1), std::numeric_limits<float>::max(),
                              std::numeric_limits<float>::lowest()}) {
        CHECK(is_finite(at_run_time(value)));
    }
    const std::array values{1.0f, at_run_time(nan_of<float>), at_run_time(negative_inf_of<float>), 0.0f};
    CHECK(count_not_finite(values) == 2);
    CHECK(count_not_finite(std::array<double, 0>{}) == 0);
}

TEST_CASE("figure: a saturated sum ends at the largest integer, in any order") {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    CHECK(saturated_sum(2, 3) == 5);
    CHECK(saturated_sum(most - 1, 1) == most);
    CHECK(saturated_sum(most, 1) == most);
    CHECK(saturated_sum(saturated_sum(most, 9), 4) == saturated_sum(9, saturated_sum(4, most)));
}

} // namespace figure_test
