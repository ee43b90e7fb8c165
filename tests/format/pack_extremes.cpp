#include "format/quantised.hpp"
#include "support/bits.hpp"
#include "support/flushed_denormals.hpp"

#include <tamis/element.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

namespace pack_extremes_test {

// Weights too small or too large for a scale, infinite ones and NaN: what packing makes of them, as the formats say it.

namespace {

/// 32 weights of a size, in a pattern that has zeros, equal ones, both signs and the size itself.
std::vector<float> block_of_size(float size) {
    std::vector<float> weights(32);
    for (std::size_t i = 0; i < 32; ++i) {
        const auto part = static_cast<double>(i % 5) / 4 * (i % 2 == 0 ? 1 : -1);
        weights[i] = i % 8 == 0 ? 0.0f : static_cast<float>(part * double{size});
    }
    weights[4] = size;
    return weights;
}

template <class F>
bool all_nan(const std::vector<float>& weights) {
    const auto row = packed<F>(weights);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!tamis::is_nan(F::at(row.data(), i))) {
            return false;
        }
    }
    return true;
}

} // namespace

TEST_CASE("int8_by_row: rows down to the least float keep their zeros and their bound") {
    const honoured_denormals guard;
    for (int exponent = -149; exponent < 128; ++exponent) {
        for (const double part : {1.0, 1.25, 1.984375}) {
            const auto size = static_cast<float>(std::ldexp(part, exponent));
            const auto weights = block_of_size(size);
            const auto row = packed<tamis::int8_by_row>(weights);
            std::uint32_t bits;
            std::memcpy(&bits, row.data(), sizeof bits);
            const double unit = tamis::widen(std::bit_cast<float>(bits));
            CAPTURE(exponent);
            CAPTURE(part);
            for (std::size_t i = 0; i < 32; ++i) {
                const double read = unit * static_cast<double>(static_cast<std::int8_t>(row[4 + i]));
                const double w = tamis::widen(weights[i]);
                REQUIRE(std::fabs(read - w) <= tamis::widen(size) / 254 * (1 + 1e-5) + 0x1p-150);
                REQUIRE((w != 0 || read == 0));
            }
        }
    }
}

TEST_CASE("int8_by_row: the same bytes where denormals are flushed") {
    for (const float size :
         {1e-36f, 4e-37f, 1e-38f, 3e-40f, denormal_of<float>(200), denormal_of<float>(1)}) {
        std::vector<float> weights(40);
        for (std::size_t i = 0; i < 40; ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(size);
            weights[i] = from_bits<float>((bits - bits / 41 * i) | (i % 3 == 0 ? 0x80000000u : 0u));
        }
        const auto honoured = packed<tamis::int8_by_row>(weights);
        const flushed_denormals guard;
        CHECK(packed<tamis::int8_by_row>(weights) == honoured);
    }
}

TEST_CASE("q8_0, q4_0: where f16 has no scale so small, blocks read as zeros") {
    for (const float size : {127 * 0x1.8p-26f, 1e-7f, 1e-20f, 4e-37f, 1e-38f, denormal_of<float>(11),
                             denormal_of<float>(4), denormal_of<float>(1)}) {
        CAPTURE(size);
        const auto weights = block_of_size(size);
        const auto eight = packed<tamis::q8_0>(weights);
        CHECK(half_at(eight, 0) == 0);
        const auto four = packed<tamis::q4_0>(block_of_size(size / 16));
        CHECK((half_at(four, 0) & 0x7fff) == 0);
        for (std::size_t i = 0; i < 32; ++i) {
            CHECK(tamis::q8_0::at(eight.data(), i) == 0);
            CHECK(tamis::q4_0::at(four.data(), i) == 0);
        }
    }
    CHECK(half_at(packed<tamis::q8_0>(std::vector<float>(32, 127 * 0x1p-24f)), 0) == 1);
}

TEST_CASE("q8_0, q4_0: scales that f16 does not hold are infinite, as in ggml; zeros become NaN") {
    std::vector<float> weights(32);
    weights[1] = 127 * 65520.0f;
    weights[2] = -127 * 65520.0f;
    const auto eight = packed<tamis::q8_0>(weights);
    CHECK(half_at(eight, 0) == 0x7c00);
    CHECK(tamis::is_nan(tamis::q8_0::at(eight.data(), 0)));
    CHECK(tamis::magnitude_bits(tamis::q8_0::at(eight.data(), 1)) == tamis::infinity_bits<float>);
    weights[1] = 127 * 65504.0f;
    weights[2] = 0;
    const auto largest = packed<tamis::q8_0>(weights);
    CHECK(half_at(largest, 0) == 0x7bff);
    CHECK(tamis::q8_0::at(largest.data(), 1) == 127 * 65504.0f);
    weights[1] = std::numeric_limits<float>::max();
    CHECK(half_at(packed<tamis::q8_0>(weights), 0) == 0x7c00);
    CHECK(half_at(packed<tamis::q4_0>(weights), 0) == 0xfc00);
    CHECK(packed<tamis::q4_0>(weights)[3] == std::byte{0x80}); // -8 of an infinite scale
    weights[1] = -8 * 65504.0f;
    CHECK(half_at(packed<tamis::q4_0>(weights), 0) == 0x7bff);
}

TEST_CASE("an infinite or NaN weight makes NaN of all that share its scale") {
    for (const float w : {inf_of<float>, negative_inf_of<float>, nan_of<float>, negative_nan_of<float>,
                          from_bits<float>(0x7f800001)}) {
        for (const std::size_t place : {0u, 15u, 16u, 31u}) {
            auto weights = block_of_size(3);
            weights[place] = w;
            CHECK(all_nan<tamis::q8_0>(weights));
            CHECK(all_nan<tamis::q4_0>(weights));
            CHECK(all_nan<tamis::int8_by_row>(weights));
            weights.resize(64, 1.0f); // another block is not touched
            CHECK(tamis::q8_0::at(packed<tamis::q8_0>(weights).data(), 40) ==
                  doctest::Approx(1).epsilon(0.001));
        }
    }
}

} // namespace pack_extremes_test
