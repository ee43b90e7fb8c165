#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>

TAMIS_BEGIN

/// -1, 0 and 1 in blocks of 256 times an f16 scale behind them: ggml's TQ2_0 (BitNet, TriLM), bit for bit. Byte k of each 32
/// holds weights k, k + 32, k + 64 and k + 96 from its low bits up, as 0, 1 and 2 (a 3, which no quantiser writes, is 2). The
/// scale is the block's largest magnitude; packing rounds to the nearest of three. Rows are whole blocks. The scale has f16's
/// range, and a block with an infinite or NaN weight, for which ggml defines nothing, reads as NaN throughout.
struct tq2_0 {
    static constexpr const char* name = "tq2_0";
    struct storage {
        std::uint8_t q[64];
        std::uint16_t scale;
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 1;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned q = detail::byte_at(in_block, i % block / 128 * 32 + i % 32) >> i % 128 / 32 * 2 & 3u;
        return f16::at(in_block + 64, 0) * static_cast<float>(static_cast<int>(q) - 1);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        for (std::size_t u = 0; u < units; ++u, i += unit) {
            out[u] = f16::at(row + i / block * sizeof(storage) + 64, 0);
        }
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* scale,
                                              detail::vec* out) {
        const std::byte* const bytes = row + i / block * sizeof(storage) + i % block / 128 * 32;
        const auto shift = static_cast<unsigned>(i % 128 / 32 * 2);
        detail::bytes32 q;
        detail::load_bytes(bytes, q);
        detail::shift_right(q, shift);
        detail::scaled_bytes((q & 3) - 1, *scale, *scale, out);
        detail::scaled_bytes(((q >> 2) & 3) - 1, *scale, *scale, out + 2 * detail::vectors_of_16);
    }
    struct codes : detail::unsigned_codes<64, 32, 3, 1> {
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const unsigned four = detail::byte_at(in_block, i % block / 128 * 32 + i % 32);
            return static_cast<int>(four >> i % 128 / 32 * 2 & 3u) - zero;
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const bytes = row + i / block * sizeof(storage) + i % block / 128 * 32;
            detail::load_32(bytes, out[0]);
            detail::shift_bytes(out[0], static_cast<unsigned>(i % 128 / 32 * 2));
            out[1] = (out[0] >> 2) & 3;
            out[0] &= 3;
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            for (std::size_t r = 0; r < runs; ++r) {
                scales[r] = f16::at(row + (i + 32 * r) / block * sizeof(storage) + 64, 0);
            }
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            const auto weights = from.subspan(first, (std::min)(block, from.size() - first));
            const detail::quantiser quantised{weights, 1};
            storage packed{{}, detail::half_scale(quantised)};
            std::fill(std::begin(packed.q), std::end(packed.q), std::uint8_t{0x55}); // zeros
            for (std::size_t i = 0; i < weights.size(); ++i) {
                std::uint8_t& four = packed.q[i / 128 * 32 + i % 32];
                const auto q = static_cast<unsigned>(quantised.nearest(weights[i], 1) + 1);
                const auto shift = static_cast<unsigned>(i % 128 / 32 * 2);
                four = static_cast<std::uint8_t>((four & ~(3u << shift)) | q << shift);
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }
};
static_assert(sizeof(tq2_0::storage) == 66);

TAMIS_END
