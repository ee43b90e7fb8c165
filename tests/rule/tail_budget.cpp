#include <tamis/rule/tail_budget.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <limits>
#include <vector>

using tamis::tail_budget;

TEST_CASE_TEMPLATE("the largest tail that fits in the budget is dropped", T, float, double) {
    const std::array v{T(4), T(-1), T(0.5), T(0.25), T(0.125)};
    CHECK(show(tail_budget{0.0}(v)) == "11111");
    CHECK(show(tail_budget{0.125}(v)) == "11110"); // all of the budget may be used
    CHECK(show(tail_budget{0.374}(v)) == "11110");
    CHECK(show(tail_budget{0.375}(v)) == "11100");
    CHECK(show(tail_budget{1.875}(v)) == "10000");
    CHECK(show(tail_budget{5.875}(v)) == "00000");
}

TEST_CASE("ties are dropped or kept together") {
    const std::array v{2.0f, 1.0f, -1.0f, 1.0f};
    CHECK(show(tail_budget{2.5}(v)) == "1111");
    CHECK(show(tail_budget{3.0}(v)) == "1000");
}

TEST_CASE("zeros cost nothing") {
    CHECK(show(tail_budget{0.0}(std::array{0.0f, 1.0f, -0.0f})) == "010");
    CHECK(show(tail_budget{7.0}(std::array{0.0f, -0.0f})) == "00");
    CHECK(tail_budget{7.0}(std::vector<float>{}).size() == 0);
}

TEST_CASE_TEMPLATE("NaN and infinities stay, whatever the budget", T, float, double) {
    const std::array v{nan_of<T>, T(1), inf_of<T>, negative_nan_of<T>, negative_inf_of<T>, T(2)};
    CHECK(show(tail_budget{0.0}(v)) == "111111");
    CHECK(show(tail_budget{1.0}(v)) == "101111");
    CHECK(show(tail_budget{std::numeric_limits<double>::max()}(v)) == "101110");
}

TEST_CASE_TEMPLATE("tails that overflow or underflow are summed exactly", T, float, double) {
    const std::vector<T> large(10, std::numeric_limits<T>::max());
    const double ten_times = sizeof(T) == 4 ? 10.0 * static_cast<double>(std::numeric_limits<float>::max())
                                            : std::numeric_limits<double>::max();
    CHECK(tail_budget{ten_times}(large).count() == (sizeof(T) == 4 ? 0u : 10u));
    const std::array tiny{denormal_of<T>(1), denormal_of<T>(2), T(1)};
    CHECK(show(tail_budget{sizeof(T) == 4 ? 0x1p-149 : 0x1p-1074}(tiny)) == "011");
    CHECK(show(tail_budget{sizeof(T) == 4 ? 0x3p-149 : 0x3p-1074}(tiny)) == "001");
}

TEST_CASE("a budget between two floats' sums is rounded down, one far below them to nothing") {
    CHECK(show(tail_budget{0x1.8p-149}(std::array{denormal_of<float>(1), denormal_of<float>(2)})) == "01");
    CHECK(show(tail_budget{0x1p-1074}(std::array{denormal_of<float>(1)})) == "1");
}

#if defined(__cpp_exceptions)
TEST_CASE("a negative, infinite or NaN budget is refused with its value") {
    CHECK(message_of([] { tail_budget{-2}; }) ==
          "tamis::tail_budget: the budget must be finite and >= 0, got -2");
    CHECK_THROWS_AS(tail_budget{inf_of<double>}, std::invalid_argument);
    CHECK_THROWS_AS(tail_budget{nan_of<double>}, std::invalid_argument);
}
#endif
