#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>
#include <cstring>

TAMIS_BEGIN

/// Eight-bit integers behind the one float that scales the row. Packing rounds by at most half the scale: 1/254 of the
/// row's largest magnitude (and 2^-150 more where that is below 127 * 2^-126, so that the scale is a denormal). A row with an
/// infinite or NaN weight reads as NaN throughout.
struct int8_by_row {
    static constexpr const char* name = "int8_by_row";
    using storage = std::int8_t;
    static constexpr std::size_t block = whole_row;

    static constexpr std::size_t row_bytes(std::size_t n) { return sizeof(float) + n; }
    static float scale(const std::byte* row, std::size_t) {
        float unit;
        std::memcpy(&unit, row, sizeof unit);
        return unit;
    }
    static float at(const std::byte* row, std::size_t i) {
        return scale(row, i) * static_cast<float>(static_cast<std::int8_t>(row[sizeof(float) + i]));
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::widen_to_vec::int8(row + sizeof(float) + i);
    }
    struct codes : detail::signed_codes<32, whole_row> {
        static int at(const std::byte* row, std::size_t i) {
            return static_cast<std::int8_t>(row[sizeof(float) + i]);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_32(row + sizeof(float) + i, *out);
        }
        static void numbers(const std::byte* row, std::size_t, std::size_t, float* scales, float*) {
            *scales = scale(row, 0);
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        detail::quantiser quantised{from, 127};
        quantised.measure_in(large_enough(quantised));
        const std::uint32_t unit =
            quantised.is_finite() ? std::bit_cast<std::uint32_t>(quantised.unit()) : 0x7fc00000u;
        std::memcpy(row, &unit, sizeof unit);
        for (std::size_t i = 0; i < from.size(); ++i) {
            row[sizeof unit + i] =
                static_cast<std::byte>(static_cast<std::int8_t>(quantised.nearest(from[i], 127)));
        }
    }

  private:
    /// A denormal unit is rounded up, so that 127 of them reach the largest magnitude.
    static float large_enough(const detail::quantiser& quantised) {
        const auto unit = std::bit_cast<std::uint32_t>(quantised.unit());
        const detail::parts largest = detail::split<float>(magnitude_bits(quantised.largest()));
        const bool is_denormal = quantised.is_finite() && unit < 0x800000u;
        const bool too_small = is_denormal && std::uint64_t{unit} * 127 < largest.integer
                                                                              << (largest.exponent + 149);
        return std::bit_cast<float>(unit + (too_small ? 1u : 0u));
    }
};

TAMIS_END
