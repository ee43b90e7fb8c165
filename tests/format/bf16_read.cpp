#include <tamis/format/bf16.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

namespace bf16_read_test {

// Every one of the 65,536 bfloat16 reads exactly: as sign * (1 + fraction / 128) * 2^(exponent - 127).

static_assert(tamis::weight_format<tamis::bf16>);
static_assert(tamis::bf16::row_bytes(0) == 0 && tamis::bf16::row_bytes(7) == 14);

namespace {

/// The float's bits of a bfloat16, from its fields by arithmetic. Of infinities and NaN only the class
/// counts.
float from_fields(std::uint32_t pattern) {
    const int exponent = static_cast<int>((pattern >> 7) & 0xff);
    const int fraction = static_cast<int>(pattern & 0x7f);
    const double magnitude =
        exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134);
    return static_cast<float>((pattern & 0x8000) != 0 ? -magnitude : magnitude);
}

} // namespace

TEST_CASE("bf16: every pattern reads exactly") {
    std::size_t wrong = 0;
    for (std::uint32_t pattern = 0; pattern < 0x10000; ++pattern) {
        const auto half = static_cast<std::uint16_t>(pattern);
        std::byte row[3];
        std::memcpy(row + 1, &half, sizeof half); // at an odd address
        const auto bits = std::bit_cast<std::uint32_t>(tamis::bf16::at(row + 1, 0));
        const std::uint32_t exponent = (pattern >> 7) & 0xff;
        if (exponent == 0xff) { // infinities and NaN: the payload stays in front
            wrong += bits == pattern << 16 ? 0u : 1u;
        } else if (exponent == 0) { // denormals, which -ffast-math would flush in arithmetic
            wrong += bits == ((pattern & 0x8000u) << 16 | (pattern & 0x7fu) << 16) ? 0u : 1u;
        } else {
            wrong += bits == std::bit_cast<std::uint32_t>(from_fields(pattern)) ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

} // namespace bf16_read_test
