#include <tamis/study/fp8.hpp>

#include "support/bits.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace fp8_test {

// All 256 codes against the formats' formulas; between each two neighbours the middle and the floats beside it.

using namespace tamis::study;

namespace {

/// (-1)^s 2^(E - bias) (1 + m / 2^f), for E = 0 2^(1 - bias) m / 2^f: OCP's text, in doubles.
double formula(int magnitude, int fraction_bits, int bias) {
    const int exponent = magnitude >> fraction_bits;
    const double fraction = std::ldexp(magnitude & ((1 << fraction_bits) - 1), -fraction_bits);
    return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

/// The float beside one, `steps` away from zero, by its bits: arithmetic could flush it.
float beside(float value, std::int32_t steps) {
    return from_bits<float>(std::bit_cast<std::uint32_t>(value) + static_cast<std::uint32_t>(steps));
}

float negative(float value) { return from_bits<float>(std::bit_cast<std::uint32_t>(value) ^ 0x80000000u); }

struct format {
    int fraction_bits, bias, largest;
};

/// How many floats round wrongly, of each code, the floats around it, and around the middle to the next. Behind the
/// largest code lies, for rounding, the next number in the row; `beyond` is what is stored for it.
template <class F>
int wrong_of(format f, int beyond) {
    int wrong = 0;
    const auto check = [&](float value, int expected) {
        wrong += F::round(value) == expected ? 0 : 1;
        wrong += F::round(negative(value)) == (expected | 0x80) ? 0 : 1;
    };
    for (int low = 0; low <= f.largest; ++low) {
        const int high = low < f.largest ? low + 1 : beyond;
        const auto value = static_cast<float>(formula(low, f.fraction_bits, f.bias));
        const auto next = static_cast<float>(formula(low + 1, f.fraction_bits, f.bias));
        const float middle = (value + next) / 2; // exact
        check(value, low);
        check(beside(value, 1), low);
        check(beside(middle, -1), low);
        check(middle, low % 2 == 0 ? low : high);
        check(beside(middle, 1), high);
        check(beside(next, -1), high);
    }
    return wrong;
}

} // namespace

TEST_CASE("e4m3: every code is what the formula says, 0x7f and 0xff are NaN") {
    for (int code = 0; code < 0x7f; ++code) {
        CAPTURE(code);
        const auto expected = static_cast<float>(formula(code, 3, 7));
        CHECK(e4m3::widen(static_cast<std::uint8_t>(code)) == expected);
        CHECK(e4m3::widen(static_cast<std::uint8_t>(code | 0x80)) == -expected);
        CHECK(std::bit_cast<std::uint32_t>(e4m3::widen(static_cast<std::uint8_t>(code | 0x80))) >=
              0x80000000u);
    }
    CHECK(tamis::is_nan(e4m3::widen(0x7f)));
    CHECK(tamis::is_nan(e4m3::widen(0xff)));
    CHECK(e4m3::widen(0x7e) == 448.0f);
    CHECK(e4m3::widen(0x01) == 0x1p-9f);
    CHECK(e4m3::widen(0x08) == 0x1p-6f); // the least normal number
}

TEST_CASE("e5m2: every code is what the formula says, then infinity, then NaN") {
    for (int code = 0; code < 0x7c; ++code) {
        CAPTURE(code);
        const auto expected = static_cast<float>(formula(code, 2, 15));
        CHECK(e5m2::widen(static_cast<std::uint8_t>(code)) == expected);
        CHECK(e5m2::widen(static_cast<std::uint8_t>(code | 0x80)) == -expected);
    }
    CHECK(std::bit_cast<std::uint32_t>(e5m2::widen(0x7c)) == 0x7f800000u);
    CHECK(std::bit_cast<std::uint32_t>(e5m2::widen(0xfc)) == 0xff800000u);
    for (const int code : {0x7d, 0x7e, 0x7f, 0xfd, 0xfe, 0xff}) {
        CHECK(tamis::is_nan(e5m2::widen(static_cast<std::uint8_t>(code))));
    }
    CHECK(e5m2::widen(0x7b) == 57344.0f);
    CHECK(e5m2::widen(0x01) == 0x1p-16f);
}

TEST_CASE("between all neighbours: to nearest, ties to even; e4m3 saturates, e5m2 goes to infinity") {
    CHECK(wrong_of<e4m3>({3, 7, 0x7e}, 0x7e) == 0);
    CHECK(wrong_of<e5m2>({2, 15, 0x7b}, 0x7c) == 0);
}

TEST_CASE("the ends of the range") {
    CHECK(e4m3::round(464.0f) == 0x7e);
    CHECK(e4m3::round(1e30f) == 0x7e);
    CHECK(e4m3::round(inf_of<float>) == 0x7e);
    CHECK(e4m3::round(negative_inf_of<float>) == 0xfe);
    CHECK(e5m2::round(beside(61440.0f, -1)) == 0x7b);
    CHECK(e5m2::round(61440.0f) == 0x7c);
    CHECK(e5m2::round(std::numeric_limits<float>::max()) == 0x7c);
    CHECK(e5m2::round(negative_inf_of<float>) == 0xfc);
    CHECK(e4m3::round(0x1p-10f) == 0x00); // a tie between 0 and the least
    CHECK(e4m3::round(beside(0x1p-10f, 1)) == 0x01);
    CHECK(e5m2::round(0x1p-17f) == 0x00);
    CHECK(e5m2::round(beside(0x1p-17f, 1)) == 0x01);
    for (const auto round : {e4m3::round, e5m2::round}) {
        CHECK(round(denormal_of<float>(1)) == 0x00);
        CHECK(round(denormal_of<float>(0x7fffff)) == 0x00);
        CHECK(round(negative_zero_of<float>) == 0x80);
        CHECK(round(0.0f) == 0x00);
    }
}

TEST_CASE("NaN stays a NaN of its sign, whatever its payload") {
    for (const std::uint32_t bits : {0x7f800001u, 0x7fc00000u, 0x7fffffffu}) {
        for (const auto round : {e4m3::round, e5m2::round}) {
            CHECK(round(from_bits<float>(bits)) == 0x7f);
            CHECK(round(from_bits<float>(bits | 0x80000000u)) == 0xff);
        }
    }
}

} // namespace fp8_test
