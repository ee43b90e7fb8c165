#include "kernel/support.hpp"

#include <doctest/doctest.h>
#include <tamis/kernel/int8_values.hpp>
#include <tamis/kernel/rounds_to_zero.hpp>

namespace int8_values_test {

// Values in blocks of eight-bit integers, against the simple loops and against what they are said to be.

namespace {

using tamis::detail::kept_of_block;
using tamis::detail::kept_of_block_plain;
using tamis::detail::to_int8_block;
using tamis::detail::to_int8_block_plain;

void check_int8_block(std::span<const float> values) {
    std::int8_t codes[32];
    std::int8_t expected[32];
    const float scale = to_int8_block(values.data(), codes);
    const float plain = to_int8_block_plain(values.data(), 32, expected);
    REQUIRE(same_bits({&scale, 1}, {&plain, 1}));
    REQUIRE(std::memcmp(codes, expected, sizeof codes) == 0);
    const std::uint32_t kept = kept_of_block(values);
    REQUIRE(kept == kept_of_block_plain(values));
    for (std::size_t i = 0; i < 32; ++i) { // half a step may fall on either side
        const double steps = tamis::widen(values[i]) / tamis::widen(scale);
        if (all_finite({&scale, 1}) && scale > 0 && std::fabs(std::fabs(steps) - .5) > 1e-5) {
            REQUIRE((kept >> i & 1u) == (codes[i] != 0 ? 1u : 0u));
            REQUIRE(std::fabs(steps - codes[i]) <= .5001);
        }
    }
}

} // namespace

TEST_CASE("values in int8 blocks: every shape, as the simple loop has it") {
    engine random{5};
    for (const shape s : shapes) {
        const std::vector<float> values = generate<float>(s, 32 * 40, random);
        CAPTURE(name_of(s));
        for (std::size_t i = 0; i + 32 <= values.size(); i += 32) {
            check_int8_block(std::span{values}.subspan(i, 32));
        }
    }
}

TEST_CASE("values in int8 blocks: zeros, tiny ones, and what is no number") {
    std::vector<float> values(32, 0.0f);
    std::int8_t codes[32];
    CHECK(to_int8_block(values.data(), codes) == 0);
    CHECK(kept_of_block(values) == 0);
    values[3] = 0x1p-101f;
    CHECK(to_int8_block(values.data(), codes) == 0);
    CHECK(kept_of_block(values) == 0);
    values[3] = 0x1p-100f;
    CHECK(to_int8_block(values.data(), codes) > 0);
    CHECK(codes[3] == 127);
    CHECK(kept_of_block(values) == 8);
    for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u}) {
        values[7] = std::bit_cast<float>(bits);
        const float scale = to_int8_block(values.data(), codes);
        CHECK(tamis::magnitude_bits(scale) > tamis::infinity_bits<float>);
        CHECK(kept_of_block(values) == (8u | 128u)); // all that is not zero
    }
}

TEST_CASE("values in int8 blocks: what is half a step or less is not kept") {
    std::vector<float> values(32, 1.0f);
    values[0] = 254.0f;
    CHECK(kept_of_block(values) == 1u); // 1 is half a step of 254
    values[1] = 1.0001f;
    CHECK(kept_of_block(values) == 3u);
    CHECK(kept_of_block(std::span{values}.first(2)) == 3u);
}

TEST_CASE("values in int8 blocks: rows are padded with zeros") {
    engine random{6};
    for (const std::size_t n : {std::size_t{1}, std::size_t{33}, std::size_t{511}, std::size_t{513}}) {
        for (const std::size_t run : {std::size_t{16}, std::size_t{32}}) {
            const std::vector<float> x = coarse_values(2 * n, random);
            tamis::owned_workspace memory{tamis::detail::int8_values::bytes(2, n, run)};
            tamis::workspace w = memory;
            const tamis::detail::int8_values values{tamis::block<const float>{x.data(), 2, n, n}, run, w};
            CHECK(w.bytes_left() == 0);
            for (std::size_t token = 0; token < 2; ++token) {
                const auto of_token = values[token];
                for (std::size_t i = 0; i < (n + 511) / 512 * 512; ++i) {
                    const float back = of_token.scales[i / run] * static_cast<float>(of_token.codes[i]);
                    REQUIRE(std::fabs(back - (i < n ? x[token * n + i] : 0.0f)) <= 2.0f / 253);
                    REQUIRE((i < (n + 31) / 32 * 32 || of_token.scales[i / run] == 0));
                }
            }
        }
    }
}

} // namespace int8_values_test
