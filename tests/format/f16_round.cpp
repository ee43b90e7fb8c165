#include "support/bits.hpp"
#include "support/generate.hpp"

#include <tamis/format/f16.hpp>

#include <doctest/doctest.h>
#include <Eigen/Core>

#include <span>
#include <vector>

namespace f16_round_test {

// Packing rounds to the nearest binary16, ties to the even one, from 65520 on to infinity. Between each two neighbours
// the middle and the floats beside it decide, so these are all tried.

namespace {

std::uint16_t packed(float value) {
    std::uint16_t result;
    tamis::f16::pack(std::span{&value, 1}, reinterpret_cast<std::byte*>(&result));
    return result;
}

/// The float beside one, `steps` away from zero, by its bits: arithmetic could flush it.
float beside(float value, std::int32_t steps) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return from_bits<float>(bits + static_cast<std::uint32_t>(steps));
}

/// A magnitude's number; behind the largest the next in the row, which IEEE 754 rounds as if it were there.
float value_of(std::uint32_t pattern) {
    return pattern == 0x7c00 ? 65536.0f : tamis::f16::widen(static_cast<std::uint16_t>(pattern));
}

} // namespace

TEST_CASE("f16: rounds to nearest, ties to even, between all neighbours") {
    std::size_t wrong = 0;
    const auto check = [&](float value, std::uint32_t expected) {
        wrong += packed(value) == expected ? 0u : 1u;
        wrong += packed(-value) == (expected | 0x8000u) ? 0u : 1u;
    };
    for (std::uint32_t low = 0; low < 0x7c00; ++low) {
        const float middle = (value_of(low) + value_of(low + 1)) / 2; // exact
        check(middle, low % 2 == 0 ? low : low + 1);
        check(beside(middle, -1), low);
        check(beside(middle, 1), low + 1);
        check(value_of(low), low);
        check(beside(value_of(low + 1), -1), low + 1);
        check(beside(value_of(low), 1), low);
    }
    CHECK(wrong == 0);
}

TEST_CASE("f16: the ends of the range") {
    CHECK(packed(65504.0f) == 0x7bff);
    CHECK(packed(beside(65520.0f, -1)) == 0x7bff);
    CHECK(packed(65520.0f) == 0x7c00);
    CHECK(packed(-65520.0f) == 0xfc00);
    CHECK(packed(3.4e38f) == 0x7c00);
    CHECK(packed(inf_of<float>) == 0x7c00);
    CHECK(packed(negative_inf_of<float>) == 0xfc00);
    CHECK(packed(0x1p-25f) == 0x0000); // a tie between 0 and the least
    CHECK(packed(beside(0x1p-25f, 1)) == 0x0001);
    CHECK(packed(beside(-0x1p-25f, 1)) == 0x8001);
    CHECK(packed(denormal_of<float>(1)) == 0x0000);
    CHECK(packed(negative_zero_of<float>) == 0x8000);
}

TEST_CASE("f16: as Eigen rounds, anywhere") {
    std::size_t wrong = 0;
    engine random{1};
    for (int i = 0; i < 1'000'000; ++i) {
        const auto any = static_cast<std::uint32_t>(random());
        const std::uint32_t bits = i % 2 == 0 ? any : any % 0x0c000000u + 0x3c000000u; // near what f16 holds
        if ((bits & 0x7fffffffu) <= 0x7f800000u) {
            const float value = from_bits<float>(bits);
            wrong += packed(value) == Eigen::numext::bit_cast<std::uint16_t>(Eigen::half(value)) ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("f16: NaN stays a NaN of its sign, whatever its payload") {
    for (const std::uint32_t bits :
         {0x7f800001u, 0x7f801fffu, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
        CAPTURE(bits);
        const std::uint16_t result = packed(from_bits<float>(bits));
        CHECK((result & 0x7fffu) > 0x7c00u);
        CHECK((result & 0x8000u) == (bits >> 16 & 0x8000u));
    }
}

TEST_CASE("f16: what it reads it packs unchanged") {
    std::size_t wrong = 0;
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
        if ((pattern & 0x7fffu) <= 0x7c00u) {
            wrong += packed(tamis::f16::widen(static_cast<std::uint16_t>(pattern))) == pattern ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("f16: a row is packed one behind the other") {
    const float values[] = {1, -2, 0.5f, 65504, 0.25f};
    std::vector<std::byte> row(tamis::f16::row_bytes(5) + 2, std::byte{0x55});
    tamis::f16::pack(values, row.data());
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(tamis::f16::at(row.data(), i) == values[i]);
    }
    CHECK(row[10] == std::byte{0x55});
}

} // namespace f16_round_test
