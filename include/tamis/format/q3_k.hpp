#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Three-bit integers in blocks of 256, of which each run of 16 has a scale of six bits: ggml's Q3_K. A weight is
/// (d * (s - 32)) * (q - 4) with q = 0 .. 7, exactly. Read alone; rows are whole blocks.
struct q3_k {
    static constexpr const char* name = "q3_k";
    struct storage {
        std::uint8_t third[32], low[64], scales[12];
        std::uint16_t d;
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 4;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t run = i % block / 32;
        const unsigned low = detail::byte_at(in_block, 32 + run / 4 * 32 + i % 32) >> run % 4 * 2 & 3u;
        const unsigned third = detail::byte_at(in_block, i % 32) >> run & 1u;
        const std::uint32_t four = four_scales(in_block, i % block / 64);
        const auto scale = static_cast<std::int8_t>(static_cast<std::uint8_t>(four >> i % 64 / 16 * 8));
        return f16::at(in_block + 108, 0) * static_cast<float>(scale) *
               static_cast<float>(static_cast<int>(low | third << 2) - 4);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        for (std::size_t u = 0; u < units; ++u, i += unit) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const float d = f16::at(in_block + 108, 0);
            detail::four_factors{d, d}.times(four_scales(in_block, i % block / 64), out + u * factors);
        }
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* scales,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const auto run = static_cast<unsigned>(i % block / 32);
        detail::bytes32 low, third;
        detail::load_bytes(in_block + 32 + i % block / 128 * 32, low);
        detail::load_bytes(in_block, third);
        detail::shift_right(low, run % 4 * 2);
        detail::shift_right(third, run);
        detail::scaled_bytes(((low & 3) | ((third & 1) << 2)) - 4, scales[0], scales[1], out);
        detail::scaled_bytes((((low >> 2) & 3) | ((third & 2) << 1)) - 4, scales[2], scales[3],
                             out + 2 * detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<64, 16, 7, 4> {
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const std::size_t run = i % block / 32;
            const unsigned low = detail::byte_at(in_block, 32 + run / 4 * 32 + i % 32) >> run % 4 * 2 & 3u;
            const unsigned third = detail::byte_at(in_block, i % 32) >> run & 1u;
            return static_cast<int>(low | third << 2) - zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const auto run = static_cast<unsigned>(i % block / 32);
            detail::bytes32 third;
            detail::load_32(in_block + 32 + i % block / 128 * 32, out[0]);
            detail::load_32(in_block, third);
            detail::shift_bytes(out[0], run % 4 * 2);
            detail::shift_bytes(third, run);
            out[1] = ((out[0] >> 2) & 3) | ((third & 2) << 1);
            out[0] = (out[0] & 3) | ((third & 1) << 2);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            for (std::size_t r = 0; r < runs; r += 8) {
                const std::byte* const in_block = row + (i / block + r / 16) * sizeof(storage);
                const std::uint64_t low = four_scales(in_block, r / 4 % 4);
                const std::uint64_t high = four_scales(in_block, r / 4 % 4 + 1);
                detail::eight_numbers(low | high << 32, f16::at(in_block + 108, 0), scales + r);
            }
        }
    };

  private:
    /// Those of 64 weights, less 32, as signed bytes: eight bytes hold low halves, four the high two bits.
    static std::uint32_t four_scales(const std::byte* in_block, std::size_t quarter) {
        const auto low =
            detail::integer_at<std::uint32_t>(in_block + 96 + quarter % 2 * 4) >> (quarter / 2 * 4);
        const auto high = detail::integer_at<std::uint32_t>(in_block + 104) >> (quarter * 2);
        const std::uint32_t six = (low & 0x0f0f0f0fu) | (high & 0x03030303u) << 4;
        return (six ^ 0x20202020u) | ((six ^ 0x20202020u) & 0x20202020u) * 6; // the sign goes up
    }
};
static_assert(sizeof(q3_k::storage) == 110);

TAMIS_END
