#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>

TAMIS_BEGIN

/// Eight-bit integers in blocks of 32 with an f16 scale in front: ggml's Q8_0, bit for bit. A weight is scale * q with
/// q = -127 .. 127; packing rounds by at most half the scale, and so by 1/254 of the block's largest magnitude (and
/// what f16 rounds of the scale, 2^-11). A row is padded to whole blocks with zeros.
/// The scale has f16's range, as in ggml: where a block's largest magnitude is below 127 * 2^-25 it is zero, and so reads the
/// block; near that it is a denormal of few bits; from 127 * 65520 on it is infinite, and the block reads as infinities, and
/// NaN for zeros. A block with an infinite or NaN weight, for which ggml defines nothing, reads as NaN throughout.
struct q8_0 {
    static constexpr const char* name = "q8_0";
    struct storage {
        std::uint16_t scale;
        std::int8_t q[32];
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
        return scale(row, i) *
               static_cast<float>(static_cast<std::int8_t>(row[i / block * sizeof(storage) + 2 + i % block]));
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::widen_to_vec::int8(row + i / block * sizeof(storage) + 2 + i % block);
    }
    struct codes : detail::signed_codes<32, 32> {
        static constexpr int reach = 128;
        static int at(const std::byte* row, std::size_t i) {
            return static_cast<std::int8_t>(row[i / block * sizeof(storage) + 2 + i % block]);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_32(row + i / block * sizeof(storage) + 2, *out);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            detail::scales_of_blocks(row + i / block * sizeof(storage), sizeof(storage), runs, 1.0f, scales);
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            const auto weights = from.subspan(first, (std::min)(block, from.size() - first));
            const detail::quantiser quantised{weights, 127};
            storage packed{detail::half_scale(quantised), {}};
            for (std::size_t i = 0; i < weights.size(); ++i) {
                packed.q[i] = static_cast<std::int8_t>(quantised.nearest(weights[i], 127));
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q8_0::storage) == 34);

TAMIS_END
