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

TEST_CASE("a fraction that is no double is meant as it is written or computed") {
    // As doubles these products are a little below the whole number, or the fraction is.
    CHECK(top_k::fraction(0.29).k_of(100) == 29);
    CHECK(top_k::fraction(0.57).k_of(100) == 57);
    CHECK(top_k::fraction(0.1).k_of(30) == 3);
    CHECK(top_k::fraction(0.1 * 3).k_of(10) == 3);
    CHECK(top_k::fraction(0.7 + 0.1).k_of(10) == 8);
    CHECK(top_k::fraction(1 - 0.9).k_of(10) == 1);
    CHECK(top_k::fraction(1 - 0.999).k_of(1000) == 1);
    CHECK(top_k::fraction(1 - 0.3).k_of(10) == 7);
    CHECK(top_k::fraction(1.0 / 3).k_of(3) == 1);
    // What is less than that by more than rounding is less.
    CHECK(top_k::fraction(0.0999999999999).k_of(10) == 0);
    CHECK(top_k::fraction(0x1.fffffffffffffp-1).k_of(10) == 9); // the double below 1
    CHECK(top_k::fraction(double{0.7f}).k_of(10) == 6);
    CHECK(top_k::fraction(denormal_of<double>(1)).k_of(1000) == 0);
    CHECK(top_k::fraction(1).k_of(~std::size_t{0}) == ~std::size_t{0});
    CHECK(top_k::fraction(0.5).k_of((std::size_t{1} << 50) + 1) == std::size_t{1} << 49);
}

TEST_CASE("a dropped fraction f is k = n - floor(f n)") {
    CHECK(top_k::dropping(0.9).k_of(10) == 1);
    CHECK(top_k::dropping(0.9).k_of(5) == 1);
    CHECK(top_k::dropping(0.5).k_of(5) == 3);
    CHECK(top_k::dropping(0.71).k_of(100) == 29);
    CHECK(top_k::dropping(1 - 0.29).k_of(100) == 29);
    CHECK(top_k::dropping(0.0).k_of(7) == 7);
    CHECK(top_k::dropping(1.0).k_of(7) == 0);
    CHECK(top_k::dropping(0.9).k_of(0) == 0);
    CHECK(show(top_k::dropping(0.6)(std::array{4.0, 1.0, 0.5, 0.3, 0.2})) == "11000");
    CHECK(show(top_k::dropping(0.6)(std::array{4.0, 1.0, 0.5, 1.0, 0.2})) ==
          "11010"); // ties are kept: fewer go
    CHECK(show(top_k::dropping(0.2)(std::array{4.0, 0.0, 0.0, 1.0, 0.2})) == "10011"); // zeros never stay
}

TEST_CASE("fractions a/b, kept or dropped, agree with whole numbers") {
    std::size_t wrong = 0;
    for (std::size_t b = 1; b <= 1000; ++b) {
        for (std::size_t a = 0; a <= b; ++a) {
            const volatile double divisor = static_cast<double>(b); // -ffast-math multiplies by 1 / b else
            const double f = static_cast<double>(a) / divisor;
            for (const std::size_t n :
                 {std::size_t{10}, b, 7 * b, std::size_t{14336}, (std::size_t{1} << 40) + b}) {
                const std::size_t kept = a * n / b;
                const std::size_t others = (b - a) * n / b;
                wrong += top_k::fraction(f).k_of(n) != kept || top_k::dropping(f).k_of(n) != n - kept ||
                         top_k::fraction(1 - f).k_of(n) != others ||
                         top_k::dropping(1 - f).k_of(n) != n - others;
            }
        }
    }
    CHECK(wrong == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("a fraction outside [0, 1] is refused with its value") {
    CHECK(message_of([] { top_k::fraction(50); }) ==
          "tamis::top_k::fraction: the kept fraction must be in [0, 1], got 50");
    CHECK(message_of([] { top_k::dropping(90); }) ==
          "tamis::top_k::dropping: the dropped fraction must be in [0, 1], got 90");
    CHECK_THROWS_AS(top_k::dropping(-0.1), std::invalid_argument);
    CHECK_THROWS_AS(top_k::fraction(-0.1), std::invalid_argument);
    CHECK_THROWS_AS(top_k::fraction(nan_of<double>), std::invalid_argument);
}
#endif
