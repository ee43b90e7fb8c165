#include <tamis/score/power.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>
#include <limits>

namespace power_test {

using tamis::magnitude_bits;
using tamis::power;

TEST_CASE("q = 2 is exact for floats, the least and the largest too") {
    CHECK(power{2}(3.0f, 0) == 9.0);
    CHECK(power{2}(-0.1f, 0) == static_cast<double>(0.1f) * static_cast<double>(0.1f));
    CHECK(power{2}(denormal_of<float>(1), 0) == 0x1p-298);
    CHECK(power{2}(denormal_of<float>(3), 0) == 0x9p-298);
    CHECK(power{2}(std::numeric_limits<float>::max(), 0) == 0x1.fffffc000002p+255);
}

TEST_CASE("q = 1 is the magnitude") {
    engine random{21};
    for (int i = 0; i < 1000; ++i) {
        const float v =
            from_bits<float>(entry_of(shape::geometric, ieee{8, 23}, below(random, 100), 100, random));
        CHECK(magnitude_bits(power{1}(v, 0)) == magnitude_bits(static_cast<double>(v)));
    }
}

TEST_CASE("halves, quarters and sixteenths by square roots: perfect powers come out exactly") {
    CHECK(power{1.5}(4.0f, 0) == 8.0);
    CHECK(power{1.5}(-9.0, 0) == 27.0);
    CHECK(power{2.5}(4.0, 0) == 32.0);
    CHECK(power{1.25}(16.0f, 0) == 32.0);
    CHECK(power{1.75}(16.0f, 0) == 128.0);
    CHECK(power{1.0625}(65536.0f, 0) == 131072.0);
    CHECK(power{6.9375}(65536.0f, 0) == 0x1p111);
    CHECK(power{7}(2.0f, 0) == 128.0);
    CHECK(power{1.5}(2.0f, 0) == doctest::Approx(2.8284271247461903).epsilon(1e-15));
}

TEST_CASE("a power is monotonous") {
    for (const double q : {1.0625, 1.5, 2.0, 3.3125, 7.0}) {
        double before = 0;
        for (std::uint64_t bits = 1; bits < 0x7f800000u; bits += 0x123457) {
            const double now = power{q}(from_bits<float>(bits), 0);
            CAPTURE(q);
            CAPTURE(bits);
            CHECK(magnitude_bits(now) >= magnitude_bits(before));
            before = now;
        }
    }
}

TEST_CASE_TEMPLATE("zeros, infinities and NaN stay what they are", T, float, double) {
    for (const double q : {1.0, 1.5, 2.0, 7.0}) {
        CHECK(magnitude_bits(power{q}(T(0), 0)) == 0);
        CHECK(magnitude_bits(power{q}(negative_zero_of<T>, 0)) == 0);
        CHECK(magnitude_bits(power{q}(at_run_time(negative_inf_of<T>), 0)) == tamis::infinity_bits<double>);
        CHECK(magnitude_bits(power{q}(at_run_time(negative_nan_of<T>), 0)) > tamis::infinity_bits<double>);
    }
}

TEST_CASE("overflow is infinity, underflow zero") {
    CHECK(magnitude_bits(power{2}(1e200, 0)) == tamis::infinity_bits<double>);
    CHECK(magnitude_bits(power{2}(1e-200, 0)) == 0);
    CHECK(magnitude_bits(power{2}(0x1.8p-512, 0)) == 0); // 2^-1022.8 would be a denormal
    CHECK(magnitude_bits(power{1}(denormal_of<double>(1), 0)) == 0);
    CHECK(power{2}(0x1p-510, 0) == 0x1p-1020);
}

#if defined(__cpp_exceptions)
TEST_CASE("a q outside [1, 7] or between the steps is refused with its value") {
    CHECK(message_of([] { power{0.5}; }) ==
          "tamis::power: q must be a multiple of 1/16 in [1, 7] (1, 1.5, 2 ...), got 0.5");
    for (const double q : {0.0, -2.0, 7.0625, 1.03125, 1.1, 2.0000000001, nan_of<double>, inf_of<double>}) {
        CHECK_THROWS_AS(power{q}, std::invalid_argument);
    }
}
#endif

} // namespace power_test
