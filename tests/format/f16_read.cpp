#include <tamis/format/f16.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace f16_read_test {

// Every one of the 65,536 binary16 numbers reads exactly: as sign * (1 + fraction / 1024) * 2^(exponent - 15).

static_assert(tamis::weight_format<tamis::f16>);
static_assert(tamis::f16::row_bytes(0) == 0 && tamis::f16::row_bytes(7) == 14);

namespace {

/// The bits of a finite number, from its fields by arithmetic: all of them are normal numbers of a float.
std::uint32_t from_fields(std::uint32_t pattern) {
    const int exponent = static_cast<int>((pattern >> 10) & 0x1f);
    const int fraction = static_cast<int>(pattern & 0x3ff);
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return std::bit_cast<std::uint32_t>(static_cast<float>(magnitude)) | (pattern & 0x8000u) << 16;
}

bool is_right(std::uint32_t pattern, std::uint32_t bits) {
    if ((pattern & 0x7c00u) != 0x7c00u) {
        return bits == from_fields(pattern);
    }
    const bool same_sign = bits >> 31 == pattern >> 15;
    const bool is_nan = (pattern & 0x3ffu) != 0;
    return same_sign && (is_nan ? (bits & 0x7fffffffu) > 0x7f800000u : (bits & 0x7fffffffu) == 0x7f800000u);
}

} // namespace

TEST_CASE("f16: every pattern reads exactly") {
    std::size_t wrong = 0;
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
        const auto half = static_cast<std::uint16_t>(pattern);
        std::byte row[3];
        std::memcpy(row + 1, &half, sizeof half); // at an odd address
        wrong += is_right(pattern, std::bit_cast<std::uint32_t>(tamis::f16::at(row + 1, 0))) ? 0u : 1u;
        wrong += is_right(pattern, std::bit_cast<std::uint32_t>(tamis::f16::widen(half))) ? 0u : 1u;
    }
    CHECK(wrong == 0);
}

TEST_CASE("f16: a constant expression too") {
    static_assert(tamis::f16::widen(0x3c00) == 1.0f && tamis::f16::widen(0xc000) == -2.0f);
    static_assert(tamis::f16::widen(0x0001) == 0x1p-24f && tamis::f16::widen(0x7bff) == 65504.0f);
    static_assert(tamis::f16::round(1.0f) == 0x3c00 && tamis::f16::round(-0x1p-24f) == 0x8001);
}

} // namespace f16_read_test
