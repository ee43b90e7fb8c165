#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise_range.hpp>

#include <algorithm>

TAMIS_BEGIN

/// Four-bit integers in blocks of 32 with an f16 scale and an f16 minimum in front: ggml's Q4_1, bit for bit. A weight is
/// scale * q + minimum with q = 0 .. 15, in the order of q4_0. Packing rounds by at most half the scale, 1/30 of the
/// block's range from its smallest weight to its largest (and what f16 rounds of scale and minimum, 2^-11 of each). A row is
/// padded to whole blocks with zeros, which belong to the range.
/// Scale and minimum have f16's range, as in ggml. A block with an infinite or NaN weight, for which ggml defines nothing,
/// reads as NaN throughout.
struct q4_1 {
    static constexpr const char* name = "q4_1";
    struct storage {
        /// binary16 both.
        std::uint16_t scale, minimum;
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32, unit = 32, factors = 2;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned pair = detail::byte_at(in_block, 4 + i % 16);
        const unsigned q = i % block < 16 ? pair & 15u : pair >> 4;
        return f16::at(in_block, 0) * static_cast<float>(static_cast<int>(q)) + f16::at(in_block, 1);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::pairs_of_blocks(row + i / block * sizeof(storage), sizeof(storage), units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* of_block,
                                              detail::vec* out) {
        using detail::vec;
        const std::byte* const q = row + i / block * sizeof(storage) + 4;
        const vec scale(of_block[0]);
        const vec minimum(of_block[1]);
        const vec high_scale(of_block[0] / detail::high_halves_by);
        for (std::size_t v = 0; v < detail::vectors_of_16; ++v) {
            detail::affine_halves(q + v * vec::size, {scale, minimum, high_scale, minimum}, out[v],
                                  out[detail::vectors_of_16 + v]);
        }
    }
    struct codes : detail::in_halves<4, detail::unsigned_codes<32, 32, 15>> {
        static constexpr bool has_offset = true;
        static int at(const std::byte* row, std::size_t i) {
            const unsigned pair = detail::byte_at(row, i / block * sizeof(storage) + 4 + i % 16);
            return static_cast<int>(i % block < 16 ? pair & 15u : pair >> 4);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_halves(row + i / block * sizeof(storage) + 4, *out);
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
            const detail::range_quantiser quantised{weights, 15};
            storage packed{quantised.half_scale(), quantised.half_minimum(), {}};
            for (std::size_t i = 0; i < 16; ++i) {
                packed.q[i] = static_cast<std::uint8_t>(quantised.cut(weights[i], 15) |
                                                        (quantised.cut(weights[i + 16], 15) << 4));
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q4_1::storage) == 20);

TAMIS_END
