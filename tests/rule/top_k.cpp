#include <tamis/rule/top_k.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

using tamis::top_k;

TEST_CASE_TEMPLATE("top-k keeps the k largest magnitudes", T, float, double) {
    const std::array v{T(4), T(-1), T(0.5), T(0.3), T(-0.2)};
    CHECK(show(top_k{2}(v)) == "11000");
    CHECK(show(top_k{1}(v)) == "10000");
    CHECK(show(top_k{5}(v)) == "11111");
}

TEST_CASE("ties of the k-th are kept") {
    CHECK(show(top_k{2}(std::array{1.0f, 2.0f, -1.0f, 0.5f, 1.0f})) == "11101");
    CHECK(show(top_k{1}(std::array{1.0f, -1.0f})) == "11");
}

TEST_CASE("k = 0 keeps none, k beyond the number of entries all but zeros") {
    const std::array v{1.0f, 0.0f, -2.0f, -0.0f};
    CHECK(show(top_k{0}(v)) == "0000");
    CHECK(show(top_k{2}(v)) == "1010");
    CHECK(show(top_k{3}(v)) == "1010"); // a zero is not active, however many are wanted
    CHECK(show(top_k{4}(v)) == "1010");
    CHECK(show(top_k{5}(v)) == "1010");
    CHECK(show(top_k{~std::size_t{0}}(v)) == "1010");
    CHECK(top_k{3}(std::vector<float>{}).size() == 0);
}

TEST_CASE_TEMPLATE("NaN has no rank and is active beside the k", T, float, double) {
    const std::array v{nan_of<T>, T(1), T(2), negative_nan_of<T>};
    CHECK(show(top_k{0}(v)) == "1001");
    CHECK(show(top_k{1}(v)) == "1011");
}

TEST_CASE_TEMPLATE("infinities rank first, denormals last", T, float, double) {
    const std::array v{denormal_of<T>(1), T(1), negative_inf_of<T>, denormal_of<T>(2)};
    CHECK(show(top_k{1}(v)) == "0010");
    CHECK(show(top_k{2}(v)) == "0110");
    CHECK(show(top_k{3}(v)) == "0111");
}

TEST_CASE("a kept fraction f is k = floor(f n)") {
    CHECK(top_k::fraction(0.5).k_of(5) == 2);
    CHECK(top_k::fraction(0.7).k_of(10) == 7);
    CHECK(top_k::fraction(0.0).k_of(10) == 0);
    CHECK(top_k::fraction(1.0).k_of(10) == 10);
    CHECK(top_k::fraction(0.999).k_of(1) == 0);
    CHECK(top_k{3}.k_of(10) == 3);
    CHECK(show(top_k::fraction(0.4)(std::array{4.0, 1.0, 0.5, 0.3, 0.2})) == "11000");
    CHECK(show(top_k::fraction(0.4)(std::array{0.0, 0.0, 0.5, 0.3, 0.2})) ==
          "00110"); // of all entries, zeros too
}

#if defined(__cpp_exceptions)
TEST_CASE("a fraction outside [0, 1] is refused with its value") {
    CHECK(message_of([] { top_k::fraction(50); }) ==
          "tamis::top_k::fraction: the kept fraction must be in [0, 1], got 50");
    CHECK_THROWS_AS(top_k::fraction(-0.1), std::invalid_argument);
    CHECK_THROWS_AS(top_k::fraction(nan_of<double>), std::invalid_argument);
}
#endif
