#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/format/k_scales.hpp>

TAMIS_BEGIN

/// Five-bit integers in blocks of 256, scaled as in q4_k: ggml's Q5_K. The fifth bit of weight k of run j is bit j of byte k
/// of the 32 bytes before the low four. Read alone; rows are whole blocks.
struct q5_k {
    static constexpr const char* name = "q5_k";
    struct storage {
        std::uint16_t d, dmin;
        std::uint8_t scales[12];
        /// The fifth bits.
        std::uint8_t fifth[32];
        /// The low four bits, two codes a byte.
        std::uint8_t q[128];
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 4;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t run = i % block / 32;
        const unsigned pair = detail::byte_at(in_block, 48 + run / 2 * 32 + i % 32);
        const unsigned fifth = detail::byte_at(in_block, 16 + i % 32) >> run & 1u;
        const unsigned q = (run % 2 == 0 ? pair & 15u : pair >> 4) | fifth << 4;
        const detail::k_run by = detail::k_run_at(in_block, run);
        return by.scale * static_cast<float>(static_cast<int>(q)) - by.minimum;
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::k_factors<false>(row, sizeof(storage), i / unit, units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* by,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::byte* const pairs = in_block + 48 + i % block / 2;
        const auto run = static_cast<unsigned>(i % block / 32);
        const float scales[4] = {by[0], by[0], by[1], by[1]};
        const float offsets[4] = {by[2], by[2], by[3], by[3]};
        detail::bytes32 q, fifth;
        detail::load_bytes(pairs, q);
        detail::load_bytes(in_block + 16, fifth);
        detail::shift_right(fifth, run);
        detail::affine_bytes((q & 15) | ((fifth & 1) << 4), scales, offsets, out);
        detail::affine_bytes((q >> 4) | ((fifth & 2) << 3), scales + 2, offsets + 2,
                             out + 2 * detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<64, 32, 31> {
        static constexpr bool has_offset = true;
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const std::size_t run = i % block / 32;
            const unsigned pair = detail::byte_at(in_block, 48 + run / 2 * 32 + i % 32);
            const unsigned fifth = detail::byte_at(in_block, 16 + i % 32) >> run & 1u;
            return static_cast<int>((run % 2 == 0 ? pair & 15u : pair >> 4) | fifth << 4);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            detail::bytes32 fifth;
            detail::load_32(in_block + 48 + i % block / 2, out[0]);
            detail::load_32(in_block + 16, fifth);
            detail::shift_bytes(fifth, static_cast<unsigned>(i % block / 32));
            out[1] = out[0];
            detail::shift_bytes(out[1], 4);
            out[0] = (out[0] & 15) | ((fifth & 1) << 4);
            out[1] = (out[1] & 15) | ((fifth & 2) << 3);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales,
                            float* offsets) {
            detail::k_numbers(row + i / block * sizeof(storage), sizeof(storage), runs, scales, offsets);
        }
    };
};
static_assert(sizeof(q5_k::storage) == 176);

TAMIS_END
