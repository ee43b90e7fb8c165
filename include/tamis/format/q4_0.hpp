#pragma once

#include <tamis/format/f16.hpp>

#include <algorithm>
#include <cmath>

TAMIS_BEGIN

/// Four-bit integers in blocks of 32 with an f16 scale in front: ggml's Q4_0, bit for bit. A weight is scale * (q - 8)
/// with q = 0 .. 15; byte k of a block holds weight k in its low half and weight k + 16 in its high one. The scale is
/// the weight of the largest magnitude over -8, so that this one is kept to f16's precision; packing rounds others by
/// at most half the scale, or up to all of it at the other end of the range: 1/16, or 1/8, of the largest magnitude.
/// A row is padded to whole blocks with zeros. Weights are finite.
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
        detail::load_nibbles(row + i / block * sizeof(storage) + 2 + i % 16, low, high);
        return i % block < 16 ? low : high;
    }
    /// Both halves of the bytes at once.
    static void load_block(const std::byte* row, detail::vec* out) {
        constexpr std::size_t half = 16 / detail::vec::size;
        for (std::size_t v = 0; v < half; ++v) {
            detail::load_nibbles(row + 2 + v * detail::vec::size, out[v], out[v + half]);
        }
    }
    /// 32 floats that blocks are multiplied with. A byte holds low + 16 high, so the products with both halves are
    ///     x_low (low - 8) + x_high (high - 8) = (x_low - x_high / 16) (low - 8) + x_high / 16 (byte - 136),
    /// for which no high half has to be made. Rounds by no more than about twice what the plain sum does.
    struct block_factor {
        static constexpr std::size_t half = 16 / detail::vec::size;
        detail::vec of_low[half], of_byte[half];
        detail::vec offset;

        explicit block_factor(const float* x) : offset(0.0f) {
            for (std::size_t v = 0; v < half; ++v) {
                of_byte[v] = detail::load(x + 16 + v * detail::vec::size) * detail::vec(1.0f / 16);
                of_low[v] = detail::load(x + v * detail::vec::size) - of_byte[v];
                offset = detail::multiply_add(of_byte[v], detail::vec(-136.0f), offset);
            }
        }
        TAMIS_DETAIL_INLINE detail::vec times(const std::byte* row) const {
            detail::vec sum = offset;
            for (std::size_t v = 0; v < half; ++v) {
                detail::vec low;
                detail::vec whole;
                detail::load_low_nibbles(row + 2 + v * detail::vec::size, low, whole);
                sum = detail::multiply_add(low, of_low[v], sum);
                sum = detail::multiply_add(whole, of_byte[v], sum);
            }
            return sum;
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            float weights[block] = {};
            std::copy_n(from.data() + first, (std::min)(block, from.size() - first), weights);
            float largest = 0;
            for (const float w : weights) {
                largest = std::fabs(w) > std::fabs(largest) ? w : largest;
            }
            const float unit = largest / -8;
            const float inverse = std::fabs(unit) > 0 ? 1 / unit : 0.0f;
            const auto q = [&](float w) { // truncated after adding a half, as ggml does
                return static_cast<unsigned>((std::min)(15, static_cast<int>(w * inverse + 8.5f)));
            };
            storage packed{f16::round(unit), {}};
            for (std::size_t i = 0; i < 16; ++i) {
                packed.q[i] = static_cast<std::uint8_t>(q(weights[i]) | (q(weights[i + 16]) << 4));
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q4_0::storage) == 18);

TAMIS_END
