#include <tamis/rule/cett.hpp>

#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>

namespace {
constexpr std::array with_a_zero{4.0f, -1.0f, 0.5f, 0.0f, 2.0f};
constexpr std::array five_norms{0.25f, 2.0f, 1.0f, 7.0f, 0.125f}; // contributions 1, 2, 0.5, 0, 0.25
} // namespace

TEST_CASE("the calibrated form drops neurons whose contribution is below eps") {
    CHECK(show(tamis::cett(five_norms, 0.5)(with_a_zero)) == "11100");
    CHECK(show(tamis::cett(five_norms, 0.501)(with_a_zero)) == "11000");
    CHECK(show(tamis::cett(five_norms, 0.0)(with_a_zero)) == "11101");
}

TEST_CASE("the bound drops the tail of contributions that fits in target * norm of the output") {
    CHECK(show(tamis::cett_bound(five_norms, 0.25, 1.0)(with_a_zero)) == "11100");
    CHECK(show(tamis::cett_bound(five_norms, 0.25, 2.99)(with_a_zero)) == "11100");
    CHECK(show(tamis::cett_bound(five_norms, 0.25, 3.0)(with_a_zero)) == "11000");
    CHECK(show(tamis::cett_bound(five_norms, 0.0, 3.0)(with_a_zero)) == "11101");
    CHECK(show(tamis::cett_bound(five_norms, 1.0, 3.75)(with_a_zero)) == "00000");
}
