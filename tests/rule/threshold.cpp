#include <tamis/rule/threshold.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <limits>
#include <vector>

using tamis::threshold;

TEST_CASE_TEMPLATE("a threshold drops what is strictly smaller", T, float, double) {
    CHECK(show(threshold{0.5}(std::array{T(4), T(-0.5), T(0.25), T(0), T(-1)})) == "11001");
}

TEST_CASE("a float is compared with the threshold as given, not with its rounding") {
    const double next = 0x1.0000000000001p0; // between the floats 1 and 1 + 2^-23
    CHECK(show(threshold{next}(std::array{1.0f, 0x1.000002p0f})) == "01");
    CHECK(show(threshold{0x1.fffffffffffffp-1}(std::array{1.0f, 0x1.fffffep-1f})) == "10");
    CHECK(show(threshold{0.1}(std::array{0.1f})) == "1"); // 0.1f is a little more than 0.1
    CHECK(show(threshold{0.7}(std::array{0.7f})) == "0"); // 0.7f a little less than 0.7
}

TEST_CASE_TEMPLATE("eps = 0 keeps all but zeros, down to the last denormal", T, float, double) {
    for (const double eps : {0.0, -0.0}) {
        CHECK(show(threshold{eps}(std::array{denormal_of<T>(1), T(0), negative_zero_of<T>, T(-1)})) ==
              "1001");
    }
    const std::array v{denormal_of<T>(1), denormal_of<T>(2), denormal_of<T>(3)};
    CHECK(show(threshold{sizeof(T) == 4 ? 0x1p-148 : 0x1p-1073}(v)) == "011");
}

TEST_CASE_TEMPLATE("NaN and infinities are active at every threshold", T, float, double) {
    for (const double eps : {0.0, 1.0, std::numeric_limits<double>::max(), inf_of<double>}) {
        CHECK(show(threshold{eps}(std::array{nan_of<T>, inf_of<T>, negative_inf_of<T>, T(0.5)})) ==
              (eps == 0.0 ? "1111" : "1110"));
    }
}

TEST_CASE("thresholds beyond the largest float keep no finite float") {
    CHECK(show(threshold{1e39}(std::array{std::numeric_limits<float>::max(), inf_of<float>})) == "01");
    CHECK(show(threshold{std::numeric_limits<double>::max()}(
              std::array{std::numeric_limits<double>::max()})) == "1");
    CHECK(threshold{1.0}(std::vector<double>{}).size() == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("a negative or NaN eps is refused with its value") {
    CHECK(message_of([] { threshold{-0.5}; }) == "tamis::threshold: eps must be >= 0, got -0.5");
    CHECK_THROWS_AS(threshold{nan_of<double>}, std::invalid_argument);
    CHECK_THROWS_AS(threshold{negative_inf_of<double>}, std::invalid_argument);
}
#endif
