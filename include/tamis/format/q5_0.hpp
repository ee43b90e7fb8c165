#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>

TAMIS_BEGIN

/// Five-bit integers in blocks of 32 with an f16 scale in front: ggml's Q5_0, bit for bit. A weight is scale * (q - 16) with
/// q = 0 .. 31: its low four bits in the order of q4_0, the fifth of weight k at bit k of the four bytes before them. The scale
/// is the weight of the largest magnitude over -16; packing rounds others by at most half the scale, or up to all of it at
/// the other end of the range: 1/32, or 1/16, of the largest magnitude. A row is padded to whole blocks with zeros.
/// The scale has f16's range, and blocks with weights outside it or that are no numbers read as q4_0's do.
struct q5_0 {
    static constexpr const char* name = "q5_0";
    struct storage {
        std::uint16_t scale;
        /// The fifth bits.
        std::uint8_t fifth[4];
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32, unit = 32, factors = 1;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned q = detail::five_bits_at(in_block + 2, i % block);
        return f16::at(in_block, 0) * static_cast<float>(static_cast<int>(q) - 16);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::scales_of_units(row + i / block * sizeof(storage), sizeof(storage), units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* of_block,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const auto fifth = detail::integer_at<std::uint32_t>(in_block + 2);
        const detail::bytes16 q = detail::load_bytes(in_block + 6);
        // less 16 where the fifth bit is not set
        detail::scaled_bytes((q & 15) | (~detail::bytes_of_bits(fifth) & 0xf0), *of_block, out);
        detail::scaled_bytes((q >> 4) | (~detail::bytes_of_bits(fifth >> 16) & 0xf0), *of_block,
                             out + detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<32, 32, 31, 16> {
        static int at(const std::byte* row, std::size_t i) {
            return static_cast<int>(detail::five_bits_at(row + i / block * sizeof(storage) + 2, i % block)) -
                   zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const in_block = row + i / block * sizeof(storage) + 2;
            detail::bytes32 fifth;
            detail::value_where(detail::integer_at<std::uint32_t>(in_block), 16, fifth);
            detail::load_halves(in_block + 4, *out);
            *out |= fifth;
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            detail::scales_of_blocks(row + i / block * sizeof(storage), sizeof(storage), runs, 1.0f, scales);
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            float weights[block] = {};
            std::copy_n(from.data() + first, (std::min)(block, from.size() - first), weights);
            const detail::quantiser quantised{weights, -16};
            storage packed{detail::half_scale(quantised), {}, {}};
            for (std::size_t i = 0; i < block; ++i) { // cut after adding a half, as ggml does
                const auto q = static_cast<unsigned>(quantised.cut_sum(weights[i], 16.5, 31));
                detail::put_five_bits(q, i, packed.fifth, packed.q);
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q5_0::storage) == 22);

TAMIS_END
