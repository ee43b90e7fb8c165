#include <tamis/rule/max_p.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

using tamis::max_p;

TEST_CASE_TEMPLATE("max-p keeps what reaches p of the largest", T, float, double) {
    const std::array v{T(4), T(-1), T(0.5), T(0.3), T(0.2)};
    CHECK(show(max_p{0.1}(v)) == "11100");
    CHECK(show(max_p{0.25}(v)) == "11000"); // exactly p of it is enough
    CHECK(show(max_p{0.5}(v)) == "10000");
}

TEST_CASE("p = 0 keeps all but zeros, p = 1 the maximum and its ties") {
    const std::array v{2.0f, -2.0f, 1.0f, 0.0f, denormal_of<float>(1)};
    CHECK(show(max_p{0.0}(v)) == "11101");
    CHECK(show(max_p{1.0}(v)) == "11000");
}

TEST_CASE("nothing and zeros have an empty mask") {
    CHECK(max_p{0.5}(std::vector<float>{}).size() == 0);
    CHECK(show(max_p{0.0}(std::array{0.0f, -0.0f})) == "00");
    CHECK(show(max_p{1.0}(std::array{0.0f, -0.0f})) == "00");
}

TEST_CASE_TEMPLATE("NaN is active and never the maximum; infinities are alone", T, float, double) {
    CHECK(show(max_p{0.5}(std::array{nan_of<T>, T(1), T(2), T(0.5), negative_nan_of<T>})) == "11101");
    CHECK(show(max_p{0.0}(std::array{T(1), negative_inf_of<T>, nan_of<T>, T(0)})) == "0110");
    CHECK(show(max_p{0.5}(std::array{T(1), inf_of<T>, T(-3)})) == "010");
}

TEST_CASE_TEMPLATE("the product p * max is exact: one unit below it is dropped", T, float, double) {
    using bits = tamis::bits_of<T>;
    const T third =
        tamis::max_p{1.0 / 3.0}.cut_of(tamis::scores<T>{std::span<const T>{std::array{T(3)}}}).threshold();
    // 1/3 as a double is less than a third, so 1 itself is above the product, and the float below it is not.
    CHECK(third == T(1));
    const T below = from_bits<T>(tamis::magnitude_bits(T(1)) - bits{1});
    CHECK(show(max_p{1.0 / 3.0}(std::array{T(3), T(1), below})) == "110");
    CHECK(show(max_p{0.5}(std::array{denormal_of<T>(3), denormal_of<T>(2), denormal_of<T>(1)})) == "110");
    CHECK(show(max_p{0x1p-1074}(std::array{std::numeric_limits<T>::max(), denormal_of<T>(1)})) ==
          (sizeof(T) == 4 ? "11" : "10"));
}

#if defined(__cpp_exceptions)
TEST_CASE("a p outside [0, 1] is refused with its value") {
    CHECK(message_of([] { max_p{2}; }) == "tamis::max_p: p must be in [0, 1], got 2");
    CHECK_THROWS_AS(max_p{-1.0}, std::invalid_argument);
    CHECK_THROWS_AS(max_p{nan_of<double>}, std::invalid_argument);
}
#endif
