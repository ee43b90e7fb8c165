#include <tamis/rule/top_p.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

using tamis::top_p;

TEST_CASE_TEMPLATE("top-p keeps the fewest largest entries whose sum reaches p of the total", T, float,
                   double) {
    const std::array v{T(4), T(1), T(0.5), T(0.3), T(0.2)};
    CHECK(show(top_p{0.9}(v)) == "11100"); // 5.5 >= 5.4
    CHECK(show(top_p{0.66}(v)) == "10000");
    CHECK(show(top_p{0.67}(v)) == "11000");
    CHECK(show(top_p{0.95}(v)) == "11110");
}

TEST_CASE("signs and places do not matter") {
    CHECK(show(top_p{0.9}(std::array{0.3f, -1.0f, 0.5f, -0.2f, -4.0f})) == "01101");
}

TEST_CASE("the crossing entry is kept with everything tied with it") {
    CHECK(show(top_p{0.5}(std::array{1.0f, -1.0f, 1.0f, 0.5f})) == "1110");
    CHECK(show(top_p{0.1}(std::array{2.0, 2.0, 1.0})) == "110");
    CHECK(show(top_p{0.5}(std::array{4.0, 4.0})) == "11");
}

TEST_CASE("p = 0 keeps the maximum and its ties, p = 1 all but zeros") {
    const std::array v{3.0f, -0.0f, 1e-30f, -3.0f, 0.0f, from_bits<float>(1)};
    CHECK(show(top_p{0.0}(v)) == "100100");
    CHECK(show(top_p{-0.0}(v)) == "100100");
    CHECK(show(top_p{1.0}(v)) == "101101"); // in floating point 6 + 1e-30 would not move
}

TEST_CASE("p is the number it is given as: 0.9f is a little less than 0.9") {
    const std::array v{from_bits<float>(0x3f666666), from_bits<float>(0x3dcccce0)}; // about 0.9 and 0.1
    const double share = static_cast<double>(v[0]) / (static_cast<double>(v[0]) + static_cast<double>(v[1]));
    CHECK(show(top_p{share - 1e-9}(v)) == "10");
    CHECK(show(top_p{share + 1e-9}(v)) == "11");
    CHECK(show(top_p{static_cast<double>(0.1f)}(std::array{1.0, 3.0, 3.0, 3.0})) == "0111");
    const std::array ten{9.0, 1.0};
    CHECK(show(top_p{static_cast<double>(0.9f)}(ten)) == "10"); // 0.9f < 9/10
    CHECK(show(top_p{0.9}(ten)) == "11");                       // 0.9 as a double > 9/10
}

TEST_CASE("nothing and zeros have an empty mask") {
    for (const double p : {0.0, 0.5, 1.0}) {
        CHECK(top_p{p}(std::vector<float>{}).size() == 0);
        CHECK(show(top_p{p}(std::array{0.0f, -0.0f, 0.0f})) == "000");
        CHECK(show(top_p{p}(std::array{0.0, -7.0})) == "01");
    }
}

TEST_CASE_TEMPLATE("NaN is always active and no part of the sum", T, float, double) {
    const std::array v{nan_of<T>, T(3), T(1), negative_nan_of<T>, T(0)};
    CHECK(show(top_p{0.75}(v)) == "11010");
    CHECK(show(top_p{0.76}(v)) == "11110");
    CHECK(show(top_p{0.5}(std::array{nan_of<T>, T(0)})) == "10");
}

TEST_CASE_TEMPLATE("infinities are all of the mass", T, float, double) {
    for (const double p : {0.0, 0.5, 1.0}) {
        CHECK(show(top_p{p}(std::array{T(1), inf_of<T>, negative_inf_of<T>, nan_of<T>,
                                       std::numeric_limits<T>::max()})) == "01110");
    }
}

TEST_CASE_TEMPLATE("a total that overflows is still the total", T, float, double) {
    std::vector<T> v(100, std::numeric_limits<T>::max());
    v.push_back(T(1));
    CHECK(top_p{0.999}(v).count() == 100);
    CHECK(top_p{1.0}(v).count() == 101);
}

TEST_CASE_TEMPLATE("denormals count", T, float, double) {
    const std::array v{denormal_of<T>(3), denormal_of<T>(1), T(0)};
    CHECK(show(top_p{0.75}(v)) == "100");
    CHECK(show(top_p{0.76}(v)) == "110");
}

TEST_CASE("top_p_power weighs by a power of the magnitudes") {
    const std::array v{3.0f, -2.0f, 1.0f};
    CHECK(show(top_p{0.6}(v)) == "110");
    CHECK(show(tamis::top_p_power(0.6, 2.0)(v)) == "100"); // 9 of 14
    CHECK(show(tamis::top_p_power(0.65, 2.0)(v)) == "110");
}

#if defined(__cpp_exceptions)
TEST_CASE("a p outside [0, 1] is refused with its value") {
    CHECK(message_of([] { top_p{1.5}; }) == "tamis::top_p: p must be in [0, 1], got 1.5");
    CHECK(message_of([] { top_p{-0.25}; }).find("-0.25") != std::string::npos);
    CHECK_THROWS_AS(top_p{0x1.0000000000001p0}, std::invalid_argument);
    CHECK_THROWS_AS(top_p{-0x1p-1074}, std::invalid_argument);
    CHECK_THROWS_AS(top_p{nan_of<double>}, std::invalid_argument);
    CHECK_THROWS_AS(top_p{negative_nan_of<double>}, std::invalid_argument);
    CHECK_THROWS_AS(top_p{inf_of<double>}, std::invalid_argument);
}
#endif
