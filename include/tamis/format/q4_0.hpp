#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>
#include <utility>

TAMIS_BEGIN

/// Four-bit integers in blocks of 32 with an f16 scale in front: ggml's Q4_0, bit for bit. A weight is scale * (q - 8)
/// with q = 0 .. 15; byte k of a block holds weight k in its low half and weight k + 16 in its high one. The scale is
/// the weight of the largest magnitude over -8, so that this one is kept to f16's precision; packing rounds others by
/// at most half the scale, or up to all of it at the other end of the range: 1/16, or 1/8, of the largest magnitude.
/// A row is padded to whole blocks with zeros.
/// The scale has f16's range, as in ggml: where a block's largest magnitude is at most 8 * 2^-25 it is zero, and so reads the
/// block; near that it is a denormal of few bits; from 8 * 65520 on it is infinite, and the block reads as infinities, and
/// NaN for zeros. A block with an infinite or NaN weight, for which ggml defines nothing, reads as NaN throughout.
struct q4_0 {
    static constexpr const char* name = "q4_0";
    struct storage {
        std::uint16_t scale;
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float scale(const std::byte* row, std::size_t i) {
        return f16::at(row + i / block * sizeof(storage), 0);
    }
    static void scales(const std::byte* row, std::size_t count, float factor, float* out) {
        detail::scales_of_blocks(row, sizeof(storage), count, factor, out);
    }
    static float at(const std::byte* row, std::size_t i) {
        const auto pair = static_cast<unsigned>(row[i / block * sizeof(storage) + 2 + i % 16]);
        const unsigned q = i % block < 16 ? pair & 15u : pair >> 4;
        return scale(row, i) * static_cast<float>(static_cast<int>(q) - 8);
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        detail::vec low;
        detail::vec high;
        detail::widen_to_vec::nibbles(row + i / block * sizeof(storage) + 2 + i % 16, low, high);
        return i % block < 16 ? low : high;
    }
    /// Both halves of the bytes at once.
    TAMIS_DETAIL_INLINE static void load_block(const std::byte* row, detail::vec* out) {
        load_halves(row + 2, out, std::make_index_sequence<16 / detail::vec::size>{});
    }
    struct codes : detail::in_halves<2, detail::unsigned_codes<32, 32, 15, 8>> {
        static int at(const std::byte* row, std::size_t i) {
            const unsigned pair = detail::byte_at(row, i / block * sizeof(storage) + 2 + i % 16);
            return static_cast<int>(i % block < 16 ? pair & 15u : pair >> 4) - zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_halves(row + i / block * sizeof(storage) + 2, *out);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            detail::scales_of_blocks(row + i / block * sizeof(storage), sizeof(storage), runs, 1.0f, scales);
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            float weights[block] = {};
            std::copy_n(from.data() + first, (std::min)(block, from.size() - first), weights);
            const detail::quantiser quantised{weights, -8};
            const auto q = [&](float w) { // cut after adding a half, as ggml does
                return static_cast<unsigned>(quantised.cut_sum(w, 8.5, 15));
            };
            storage packed{detail::half_scale(quantised), {}};
            for (std::size_t i = 0; i < 16; ++i) {
                packed.q[i] = static_cast<std::uint8_t>(q(weights[i]) | (q(weights[i + 16]) << 4));
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }

  private:
    template <std::size_t... V>
    TAMIS_DETAIL_INLINE static void load_halves(const std::byte* bytes, detail::vec* out,
                                                std::index_sequence<V...>) {
        (detail::widen_to_vec::nibbles(bytes + V * detail::vec::size, out[V], out[V + sizeof...(V)]), ...);
    }
};
static_assert(sizeof(q4_0::storage) == 18);

TAMIS_END
