#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Two-bit integers in blocks of 256, of which each run of 16 has a scale and a minimum of four bits: ggml's Q2_K. A weight
/// is (d * s) * q - (dmin * m) with q = 0 .. 3; the products are exact, the difference is rounded once. Read alone; rows are
/// whole blocks.
struct q2_k {
    static constexpr const char* name = "q2_k";
    struct storage {
        std::uint8_t scales[16], q[64];
        std::uint16_t d, dmin;
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 8;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t run = i % block / 32;
        const unsigned q = detail::byte_at(in_block, 16 + run / 4 * 32 + i % 32) >> run % 4 * 2 & 3u;
        const unsigned both = detail::byte_at(in_block, i % block / 16);
        const float scale = f16::at(in_block + 80, 0) * static_cast<float>(static_cast<int>(both & 15u));
        const float minimum = f16::at(in_block + 80, 1) * static_cast<float>(static_cast<int>(both >> 4));
        return scale * static_cast<float>(static_cast<int>(q)) - minimum;
    }
    /// Four scales, and four minima less than zero.
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        for (std::size_t u = 0; u < units; ++u, i += unit, out += factors) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const auto both = detail::integer_at<std::uint32_t>(in_block + i % block / 16);
            const float d = f16::at(in_block + 80, 0);
            const float dmin = -f16::at(in_block + 80, 1);
            detail::four_factors{d, d}.times(both & 0x0f0f0f0fu, out);
            detail::four_factors{dmin, dmin}.times(both >> 4 & 0x0f0f0f0fu, out + 4);
        }
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* by,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const auto shift = static_cast<unsigned>(i % 128 / 32 * 2);
        detail::bytes32 q;
        detail::load_bytes(in_block + 16 + i % block / 128 * 32, q);
        detail::shift_right(q, shift);
        detail::affine_bytes(q & 3, by, by + 4, out);
        detail::affine_bytes((q >> 2) & 3, by + 2, by + 6, out + 2 * detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<64, 16, 3> {
        static constexpr bool has_offset = true;
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const std::size_t run = i % block / 32;
            return static_cast<int>(detail::byte_at(in_block, 16 + run / 4 * 32 + i % 32) >> run % 4 * 2 &
                                    3u);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            detail::load_32(in_block + 16 + i % block / 128 * 32, out[0]);
            detail::shift_bytes(out[0], static_cast<unsigned>(i % 128 / 32 * 2));
            out[1] = (out[0] >> 2) & 3;
            out[0] &= 3;
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales,
                            float* offsets) {
            constexpr std::uint64_t low = 0x0f0f0f0f0f0f0f0f;
            for (std::size_t r = 0; r < runs; r += 16) {
                const std::byte* const in_block = row + (i / block + r / 16) * sizeof(storage);
                const float d = f16::at(in_block + 80, 0);
                const float dmin = -f16::at(in_block + 80, 1);
                for (std::size_t half = 0; half < 16; half += 8) {
                    const auto both = detail::integer_at<std::uint64_t>(in_block + half);
                    detail::eight_numbers(both & low, d, scales + r + half);
                    detail::eight_numbers(both >> 4 & low, dmin, offsets + r + half);
                }
            }
        }
    };
};
static_assert(sizeof(q2_k::storage) == 84);

TAMIS_END
