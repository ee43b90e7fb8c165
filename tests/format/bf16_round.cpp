#include "support/bits.hpp"
#include "support/generate.hpp"

#include <tamis/element.hpp>
#include <tamis/format/bf16.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace bf16_round_test {

// Packing rounds to the nearest bfloat16, ties to the even one, beyond the largest to infinity. The expected
// result is searched among the neighbours by distance, with integers.

namespace {

std::uint32_t bits_of_float(float value) { return std::bit_cast<std::uint32_t>(value); }

/// Bit patterns of one sign are in the order of their numbers, and within one exponent evenly spaced; so is
/// the step from the largest bfloat16 to infinity, as IEEE 754 rounds. Distances are therefore distances of
/// patterns.
std::uint16_t nearest(float value) {
    const std::uint32_t sign = bits_of_float(value) & 0x80000000u;
    const std::uint32_t magnitude = bits_of_float(value) & 0x7fffffffu;
    std::uint32_t best = 0;
    std::uint32_t best_distance = ~0u;
    const std::uint32_t around = magnitude / 65536;
    for (std::uint32_t candidate = around == 0 ? 0 : around - 1; candidate <= around + 1; ++candidate) {
        const std::uint32_t number = candidate * 65536;
        const std::uint32_t distance = number > magnitude ? number - magnitude : magnitude - number;
        if (distance < best_distance || (distance == best_distance && candidate % 2 == 0)) {
            best = candidate;
            best_distance = distance;
        }
    }
    return static_cast<std::uint16_t>(sign / 65536 + best);
}

std::uint16_t packed(float value) {
    std::uint16_t result;
    tamis::bf16::pack(std::span{&value, 1}, reinterpret_cast<std::byte*>(&result));
    return result;
}

} // namespace

TEST_CASE("bf16: rounds to nearest, ties to even") {
    CHECK(packed(1.0f) == 0x3f80);
    CHECK(packed(from_bits<float>(0x3f808000)) == 0x3f80); // a tie: down to the even one
    CHECK(packed(from_bits<float>(0x3f818000)) == 0x3f82); // a tie: up to the even one
    CHECK(packed(from_bits<float>(0x3f808001)) == 0x3f81);
    CHECK(packed(from_bits<float>(0x3f817fff)) == 0x3f81);
    CHECK(packed(from_bits<float>(0x80000001)) == 0x8000); // the least negative denormal: -0
    CHECK(packed(from_bits<float>(0x7f7f7fff)) == 0x7f7f); // the largest that stays finite
    CHECK(packed(from_bits<float>(0x7f7f8000)) == 0x7f80); // a tie between it and infinity
    CHECK(packed(from_bits<float>(0xff7fffff)) == 0xff80);
    CHECK(packed(inf_of<float>) == 0x7f80);
    CHECK(packed(negative_inf_of<float>) == 0xff80);
}

TEST_CASE("bf16: around every one of the numbers, and anywhere") {
    std::size_t wrong = 0;
    const auto check = [&](std::uint32_t bits) {
        const float value = from_bits<float>(bits);
        if ((bits & 0x7fffffffu) <= 0x7f800000u) {
            wrong += packed(value) == nearest(value) ? 0u : 1u;
        }
    };
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
        for (const std::uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
            check(pattern << 16 | low);
        }
    }
    engine random{1};
    for (int i = 0; i < 1'000'000; ++i) {
        check(static_cast<std::uint32_t>(random()));
    }
    CHECK(wrong == 0);
}

TEST_CASE("bf16: NaN stays a NaN of its sign, whatever its payload") {
    for (const std::uint32_t bits :
         {0x7f800001u, 0x7f80ffffu, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
        CAPTURE(bits);
        const std::uint16_t result = packed(from_bits<float>(bits));
        CHECK((result & 0x7fffu) > 0x7f80u);
        CHECK((result & 0x8000u) == (bits >> 16 & 0x8000u));
    }
}

TEST_CASE("bf16: what it reads it packs unchanged") {
    std::size_t wrong = 0;
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
        const auto half = static_cast<std::uint16_t>(pattern);
        const float value = tamis::bf16::at(reinterpret_cast<const std::byte*>(&half), 0);
        if (!tamis::is_nan(value)) {
            wrong += packed(value) == half ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

} // namespace bf16_round_test
