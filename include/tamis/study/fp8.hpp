#pragma once

#include <tamis/element.hpp>

TAMIS_BEGIN

namespace detail {

/// One byte: sign, exponent, fraction, with IEEE's bias, denormals and zeros. With infinities the last exponent is theirs
/// and NaN's, as in IEEE 754; without them the last code alone is NaN. Everything is done in integers, so -ffast-math
/// and flushed denormals change nothing.
template <std::uint32_t ExponentBits, std::uint32_t FractionBits, bool HasInfinity>
struct byte_float {
    static_assert(ExponentBits + FractionBits == 7);
    using storage = std::uint8_t;

    static constexpr float widen(storage code) {
        const std::uint32_t sign = (code & 0x80u) << 24;
        const std::uint32_t magnitude = code & 0x7fu;
        if (magnitude > largest) {
            const bool infinite = HasInfinity && magnitude == largest + 1;
            return std::bit_cast<float>(sign | (infinite ? 0x7f800000u : 0x7fc00000u));
        }
        if (magnitude >> FractionBits != 0) {
            return std::bit_cast<float>(sign | ((magnitude << dropped) + (rebias << 23)));
        }
        const float unit = std::bit_cast<float>((rebias + 1 - FractionBits) << 23);
        const float denormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * unit; // exact
        return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(denormal));
    }

    /// To nearest, ties to even. Beyond the largest: infinity, or where there is none the largest.
    static constexpr storage round(float value) {
        const std::uint32_t sign = std::bit_cast<std::uint32_t>(value) >> 24 & 0x80u;
        const std::uint32_t bits = magnitude_bits(value);
        std::uint32_t magnitude = 0;
        if (bits > infinity_bits<float>) {
            magnitude = 0x7f;
        } else if (bits >= (rebias + 1) << 23) {
            magnitude = nearest(bits - (rebias << 23), dropped);
            magnitude = magnitude <= largest ? magnitude : HasInfinity ? largest + 1 : largest;
        } else if (const std::uint32_t shift = rebias + 1 - (bits >> 23) + dropped; shift <= 24) {
            magnitude = nearest((bits & 0x7fffffu) | 0x800000u, shift); // in units of the least denormal
        }
        return static_cast<storage>(sign | magnitude);
    }

  private:
    static constexpr std::uint32_t dropped = 23 - FractionBits;               // bits of a float's fraction
    static constexpr std::uint32_t rebias = 128 - (1u << (ExponentBits - 1)); // float's bias less ours
    static constexpr std::uint32_t largest = HasInfinity ? 0x7fu - (1u << FractionBits) : 0x7eu; // finite

    /// integer / 2^shift to nearest, ties to even; a carry runs on into the exponent.
    static constexpr std::uint32_t nearest(std::uint32_t integer, std::uint32_t shift) {
        return (integer + (1u << (shift - 1)) - 1 + (integer >> shift & 1u)) >> shift;
    }
};

} // namespace detail

namespace study {

/// OCP's 8-bit float E4M3 ("FN"): finite up to 448, least denormal 2^-9, no infinity, NaN at 0x7f and 0xff. Rounded to
/// nearest, ties to even; what is too large, infinity included, becomes +-448: the standard allows that or NaN, and
/// inference engines saturate. NaN stays a NaN of its sign.
struct e4m3 : detail::byte_float<4, 3, false> {
    /// Its name in reports.
    static constexpr const char* name = "e4m3";
};

/// OCP's 8-bit float E5M2: the upper byte of a binary16. Finite up to 57344, least denormal 2^-16. Rounded to nearest, ties
/// to even, from 61440 on to infinity, as IEEE 754 does. NaN stays a NaN of its sign.
struct e5m2 : detail::byte_float<5, 2, true> {
    /// Its name in reports.
    static constexpr const char* name = "e5m2";
};

} // namespace study

TAMIS_END
