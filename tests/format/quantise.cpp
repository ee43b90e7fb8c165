// The arithmetic of packing, each step against what IEEE 754 says of it.
#include <tamis/format/quantise.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>

#include <array>

namespace quantise_test {

using namespace tamis::detail;

TEST_CASE("integers over a power of two, to nearest, ties to even") {
    struct row {
        std::uint64_t integer;
        int shift;
        std::uint64_t expected;
    };
    constexpr row rows[] = {{1, 1, 0},  {2, 1, 1},           {3, 1, 2},          {5, 1, 2},  {7, 1, 4},
                            {5, 2, 1},  {6, 2, 2},           {10, 2, 2},         {11, 2, 3}, {13, 3, 2},
                            {12, 3, 2}, {20, 3, 2},          {21, 3, 3},         {3, 0, 3},  {3, -2, 12},
                            {1, 62, 0}, {~0ull >> 2, 62, 1}, {~0ull >> 2, 63, 0}};
    for (const row& r : rows) {
        CAPTURE(r.integer);
        CAPTURE(r.shift);
        CHECK(nearest_even(r.integer, r.shift) == r.expected);
    }
}

TEST_CASE("a double to the 24 bits of a float, ties to even") {
    constexpr double step = 0x1p-23;
    for (const double whole : {1.0, 1.0 + step, 1.5, 2.0 - step}) {
        const bool odd = (std::bit_cast<std::uint64_t>(whole) >> 29 & 1) != 0;
        for (const double sign : {1.0, -1.0}) {
            CHECK(to_24_bits(sign * whole) == sign * whole);
            CHECK(to_24_bits(sign * (whole + step / 2)) == sign * (odd ? whole + step : whole));
            CHECK(to_24_bits(sign * (whole + step / 2 - 0x1p-52)) == sign * whole);
            CHECK(to_24_bits(sign * (whole + step / 2 + 0x1p-52)) == sign * (whole + step));
        }
    }
}

TEST_CASE("the scale is the quotient as a float, denormal or not") {
    // weight, in units of the last place of the quotient, over the steps; ties among them
    const auto unit_of = [](std::uint32_t bits, int steps) {
        const std::array weights{std::bit_cast<float>(bits)};
        return std::bit_cast<std::uint32_t>(quantiser{weights, steps}.unit());
    };
    struct row {
        std::uint32_t weight;
        int steps;
        std::uint32_t unit;
    };
    constexpr row rows[] = {
        {4, -8, 0x80000000u},  // half a denormal: to even
        {5, -8, 0x80000001u},  // a little more
        {12, -8, 0x80000002u}, // one and a half
        {20, -8, 0x80000002u}, // two and a half
        {21, -8, 0x80000003u},
        {0x80000014u, -8, 2}, // of a negative weight the scale is none below zero
        {64, 127, 1},         // 64 / 127 of a denormal
        {63, 127, 0},
        {191, 127, 2},                   // 1.504
        {190, 127, 1},                   // 1.496
        {0x42fe0000u, 127, 0x3f800000u}, // 127
        {0x41000000u, -8, 0xbf800000u},  // 8
        {0x00ffffffu, -8, 0x80200000u},  // 2^24 - 1 denormals over 8: a tie goes up to even
    };
    for (const row& r : rows) {
        CAPTURE(r.weight);
        CAPTURE(r.steps);
        CHECK(unit_of(r.weight, r.steps) == r.unit);
    }
    engine random{5};
    std::size_t wrong = 0;
    for (int round = 0; round < 3000; ++round) { // normal ones: the processor's own quotient
        const auto bits = static_cast<std::uint32_t>(below(random, 0x7f800000u - 0x04800000u) + 0x04800000u);
        const volatile float w = std::bit_cast<float>(bits), steps = 127;
        const volatile double exact = static_cast<double>(w) / 127; // rounded twice: only near a tie another
        const auto near = static_cast<float>(exact);
        const float unit = std::bit_cast<float>(unit_of(bits, 127));
        wrong += unit != near && unit != w / steps ? 1u : 0u;
    }
    CHECK(wrong == 0);
}

} // namespace quantise_test
