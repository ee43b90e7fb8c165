#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/format/format.hpp>

#include <bit>
#include <cstring>

TAMIS_BEGIN

/// bfloat16: the upper half of a float's bits. Read exactly; packed by rounding to nearest, ties to even: relative
/// error at most 2^-9 (of normal numbers). Infinities stay, NaN stays a NaN.
struct bf16 {
    static constexpr const char* name = "bf16";
    using storage = std::uint16_t;

    static constexpr std::size_t row_bytes(std::size_t n) { return n * sizeof(storage); }
    static float at(const std::byte* row, std::size_t i) {
        storage bits;
        std::memcpy(&bits, row + i * sizeof(storage), sizeof bits);
        return detail::bits_as<float>(static_cast<std::uint32_t>(bits) << 16);
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::widen_to_vec::bf16(row + i * sizeof(storage));
    }
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            const storage bits = round(from[i]);
            std::memcpy(row + i * sizeof(storage), &bits, sizeof bits);
        }
    }

    static constexpr storage round(float value) {
        const auto bits = detail::bits_as<std::uint32_t>(value);
        if ((bits & 0x7fffffffu) > 0x7f800000u) {
            return static_cast<storage>((bits >> 16) |
                                        0x40u); // a quiet NaN, whose payload may not round to infinity
        }
        return static_cast<storage>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    }
};

TAMIS_END
