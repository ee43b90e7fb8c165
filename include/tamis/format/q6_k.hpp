#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Six-bit integers in blocks of 256, of which each run of 16 has a scale of eight bits: ggml's Q6_K. A weight is
/// (d * s) * (q - 32) with q = 0 .. 63, exactly. Read alone; rows are whole blocks.
struct q6_k {
    static constexpr const char* name = "q6_k";
    struct storage {
        /// The low four and the high two bits.
        std::uint8_t low[128], high[64];
        std::int8_t scales[16];
        std::uint16_t d;
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 4;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t half = i % block / 128;
        const std::size_t k = i % 128;
        const unsigned low = detail::byte_at(in_block, half * 64 + k % 64) >> (k < 64 ? 0 : 4) & 15u;
        const unsigned high = detail::byte_at(in_block, 128 + half * 32 + k % 32) >> k / 32 * 2 & 3u;
        const auto scale = static_cast<std::int8_t>(in_block[192 + i % block / 16]);
        return f16::at(in_block + 208, 0) * static_cast<float>(scale) *
               static_cast<float>(static_cast<int>(low | high << 4) - 32);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        for (std::size_t u = 0; u < units; ++u, i += unit) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const float d = f16::at(in_block + 208, 0);
            detail::four_factors{d, d}.times(detail::integer_at<std::uint32_t>(in_block + 192 +
                                                                               i % block / 16),
                                             out + u * factors);
        }
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* scales,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t half = i % block / 128;
        const auto shift = static_cast<unsigned>(i % 128 / 64 * 4);
        detail::bytes32 high;
        detail::load_bytes(in_block + 128 + half * 32, high);
        detail::shift_right(high, shift);
        for (std::size_t k = 0; k < 2; ++k) {
            detail::bytes32 low;
            detail::load_bytes(in_block + half * 64 + 32 * k, low);
            detail::shift_right(low, shift);
            const detail::bytes32 codes = ((low & 15) | (k == 0 ? (high & 3) << 4 : (high & 12) << 2)) - 32;
            detail::scaled_bytes(codes, scales[2 * k], scales[2 * k + 1],
                                 out + 2 * k * detail::vectors_of_16);
        }
    }
    struct codes : detail::unsigned_codes<64, 16, 63, 32> {
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const std::size_t half = i % block / 128;
            const std::size_t k = i % 128;
            const unsigned low = detail::byte_at(in_block, half * 64 + k % 64) >> (k < 64 ? 0 : 4) & 15u;
            const unsigned high = detail::byte_at(in_block, 128 + half * 32 + k % 32) >> k / 32 * 2 & 3u;
            return static_cast<int>(low | high << 4) - zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const std::size_t half = i % block / 128;
            const auto shift = static_cast<unsigned>(i % 128 / 64 * 4);
            detail::bytes32 high;
            detail::load_32(in_block + 128 + half * 32, high);
            detail::shift_bytes(high, shift);
            detail::load_32(in_block + half * 64, out[0]);
            detail::load_32(in_block + half * 64 + 32, out[1]);
            detail::shift_bytes(out[0], shift);
            detail::shift_bytes(out[1], shift);
            out[0] = (out[0] & 15) | ((high & 3) << 4);
            out[1] = (out[1] & 15) | ((high & 12) << 2);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            for (std::size_t r = 0; r < runs; r += 16) {
                const std::byte* const in_block = row + (i / block + r / 16) * sizeof(storage);
                const float d = f16::at(in_block + 208, 0);
                detail::eight_numbers(detail::integer_at<std::uint64_t>(in_block + 192), d, scales + r);
                detail::eight_numbers(detail::integer_at<std::uint64_t>(in_block + 200), d, scales + r + 8);
            }
        }
    };
};
static_assert(sizeof(q6_k::storage) == 210);

TAMIS_END
