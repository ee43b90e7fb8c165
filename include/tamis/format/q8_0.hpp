#pragma once

#include <tamis/format/f16.hpp>

#include <algorithm>
#include <cmath>

TAMIS_BEGIN

/// Eight-bit integers in blocks of 32 with an f16 scale in front: ggml's Q8_0, bit for bit. A weight is scale * q with
/// q = -127 .. 127; packing rounds by at most half the scale, and so by 1/254 of the block's largest magnitude (and
/// what f16 rounds of the scale, 2^-11). A row is padded to whole blocks with zeros. Weights are finite.
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
        return detail::load_int8(row + i / block * sizeof(storage) + 2 + i % block);
    }
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            const auto weights = from.subspan(first, (std::min)(block, from.size() - first));
            float largest = 0;
            for (const float w : weights) {
                largest = (std::max)(largest, std::fabs(w));
            }
            const float unit = largest / 127;
            const float inverse = unit > 0 ? 1 / unit : 0.0f;
            storage packed{f16::round(unit), {}};
            for (std::size_t i = 0; i < weights.size(); ++i) {
                packed.q[i] = static_cast<std::int8_t>(std::lround(weights[i] * inverse));
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(q8_0::storage) == 34);

TAMIS_END
