#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise_range.hpp>

#include <algorithm>

TAMIS_BEGIN

/// Five-bit integers in blocks of 32 with an f16 scale and an f16 minimum in front: ggml's Q5_1, bit for bit. A weight is
/// scale * q + minimum with q = 0 .. 31, whose bits lie as in q5_0. Packing rounds by at most half the scale, 1/62 of the
/// block's range (and what f16 rounds of scale and minimum). Padding, f16's range and weights that are no numbers are as in
/// q4_1.
struct q5_1 {
    static constexpr const char* name = "q5_1";
    struct storage {
        /// binary16 both.
        std::uint16_t scale, minimum;
        /// The fifth bits.
        std::uint8_t fifth[4];
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32, unit = 32, factors = 2;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned q = detail::five_bits_at(in_block + 4, i % block);
        return f16::at(in_block, 0) * static_cast<float>(static_cast<int>(q)) + f16::at(in_block, 1);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::pairs_of_blocks(row + i / block * sizeof(storage), sizeof(storage), units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* of_block,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const auto fifth = detail::integer_at<std::uint32_t>(in_block + 4);
        const detail::bytes16 q = detail::load_bytes(in_block + 8);
        detail::affine_bytes((q & 15) | (detail::bytes_of_bits(fifth) & 16), of_block[0], of_block[1], out);
        detail::affine_bytes((q >> 4) | (detail::bytes_of_bits(fifth >> 16) & 16), of_block[0], of_block[1],
                             out + detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<32, 32, 31> {
        static constexpr bool has_offset = true;
        static int at(const std::byte* row, std::size_t i) {
            return static_cast<int>(detail::five_bits_at(row + i / block * sizeof(storage) + 4, i % block)) -
                   zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage) + 4;
            detail::bytes32 fifth;
            detail::value_where(detail::integer_at<std::uint32_t>(in_block), 16, fifth);
            detail::load_halves(in_block + 4, *out);
            *out |= fifth;
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales,
                            float* offsets) {
            const std::byte* const first = row + i / block * sizeof(storage);
            detail::scales_of_blocks(first, sizeof(storage), runs, 1.0f, scales);
            detail::scales_of_blocks(first + 2, sizeof(storage), runs, 1.0f, offsets);
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            float weights[block] = {};
            std::copy_n(from.data() + first, (std::min)(block, from.size() - first), weights);
            const detail::range_quantiser quantised{weights, 31};
            storage packed{quantised.half_scale(), quantised.half_minimum(), {}, {}};
            for (std::size_t i = 0; i < block; ++i) {
                const auto q = static_cast<unsigned>(quantised.cut(weights[i], 31));
                detail::put_five_bits(q, i, packed.fifth, packed.q);
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q5_1::storage) == 24);

TAMIS_END
