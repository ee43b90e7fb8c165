#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>
#include <tamis/format/quantise.hpp>

#include <algorithm>

TAMIS_BEGIN

/// Four-bit floats (e2m1: 0, .5, 1, 1.5, 2, 3, 4, 6 and their negatives) in blocks of 32 with a power of two in front: ggml's
/// MXFP4 (gpt-oss), bit for bit, in the order of q4_0. The first byte e says 2^(e - 127); where the standard has a NaN, 255,
/// ggml has 2^128, and so do we. A weight is exact, but for those beyond a float, which are infinite; zeros have no sign. It is
/// the same whether denormals are flushed or not.
/// Packing takes the power of two below the block's largest magnitude over 4, and the nearest code to each weight: by at most
/// 1/4 of a weight beyond the largest code, else by half a step. (The power below as ggml finds it: by a logarithm in
/// float, which a magnitude just under a power of two reaches.) A row is padded to whole blocks with zeros. Blocks whose
/// largest magnitude is below 2^-125, for which ggml's power has no byte, take the least power; those with an infinite or
/// NaN weight read as infinities throughout.
struct mxfp4 {
    static constexpr const char* name = "mxfp4";
    struct storage {
        /// The scale: an exponent (E8M0).
        std::uint8_t e;
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32, unit = 32, factors = 0;
    /// What the codes mean, before the scale.
    static constexpr std::int8_t table[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                              0, -1, -2, -3, -4, -6, -8, -12}; // halves

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned pair = detail::byte_at(in_block, 1 + i % 16);
        return detail::bits_as<float>(
            bits_of(table[i % block < 16 ? pair & 15u : pair >> 4], detail::byte_at(in_block, 0)));
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float*,
                                              detail::vec* out) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned e = detail::byte_at(in_block, 0);
        if (e - 2 > 250) [[unlikely]] { // no model has these: some weights are denormal, or infinite
            load_extreme(in_block, out);
            return;
        }
        detail::looked_up_halves(in_block + 1, table, detail::bits_as<float>((e - 1) << 23), out);
    }
    struct codes : detail::in_halves<1, detail::signed_codes<32, 32>> {
        static constexpr int reach = 12;
        static int at(const std::byte* row, std::size_t i) {
            const unsigned pair = detail::byte_at(row, i / block * sizeof(storage) + 1 + i % 16);
            return table[i % block < 16 ? pair & 15u : pair >> 4];
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_halves(row + i / block * sizeof(storage) + 1, *out);
            detail::look_up(table, *out);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            for (std::size_t r = 0; r < runs; ++r) { // of halves: 2^(e - 128)
                const unsigned e = detail::byte_at(row, (i / block + r) * sizeof(storage));
                scales[r] = detail::bits_as<float>(e > 1 ? (e - 1) << 23 : 0x200000u << e);
            }
        }
    };
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += block, row += sizeof(storage)) {
            float weights[block] = {};
            std::copy_n(from.data() + first, (std::min)(block, from.size() - first), weights);
            float largest = 0;
            for (const float w : weights) {
                largest = magnitude_bits(w) > magnitude_bits(largest) ? w : largest;
            }
            const bool is_finite = magnitude_bits(largest) < infinity_bits<float>;
            storage packed{static_cast<std::uint8_t>(is_finite ? power(magnitude_bits(largest)) : 255), {}};
            for (std::size_t k = 0; k < 16; ++k) {
                const unsigned low = is_finite ? nearest(weights[k], packed.e) : 7;
                const unsigned high = is_finite ? nearest(weights[k + 16], packed.e) : 7;
                packed.q[k] = static_cast<std::uint8_t>(low | high << 4);
            }
            std::memcpy(row, &packed, sizeof packed);
        }
    }

  private:
    /// code * 2^(e - 128), by its bits.
    static std::uint32_t bits_of(int code, unsigned e) {
        const auto magnitude = static_cast<std::uint32_t>(code < 0 ? -code : code);
        const int length = detail::bit_length(std::uint64_t{magnitude});
        const int exponent = static_cast<int>(e) + length - 2; // as a float has it
        const std::uint32_t bits = length == 0      ? 0
                                   : exponent > 254 ? 0x7f800000u
                                   : exponent > 0   ? static_cast<std::uint32_t>(exponent) << 23 |
                                                        (magnitude << (24 - length) & 0x7fffffu)
                                                  : magnitude << (e + 21);
        return bits | (code < 0 ? 0x80000000u : 0u);
    }
    /// In integers alone, and inline: a call would cost the kernels their registers.
    TAMIS_DETAIL_INLINE static void load_extreme(const std::byte* in_block, detail::vec* out) {
        std::uint32_t bits[block];
        const unsigned e = detail::byte_at(in_block, 0);
        for (std::size_t k = 0; k < 16; ++k) {
            const unsigned pair = detail::byte_at(in_block, 1 + k);
            bits[k] = bits_of(table[pair & 15u], e);
            bits[k + 16] = bits_of(table[pair >> 4], e);
        }
        float weights[block];
        std::memcpy(weights, bits, sizeof weights);
        for (std::size_t v = 0; v < block / detail::vec::size; ++v) {
            out[v] = detail::load(weights + v * detail::vec::size);
        }
    }

    /// floor(log2(largest)) - 2 + 127 with a logarithm that is rounded to float: it reaches a whole number k from
    /// below where log2(e) m 2^-24 is less than half a step of floats before k, for the m-th number below 2^k.
    static int power(std::uint32_t bits) {
        const int exponent = static_cast<int>(bits >> 23) - 127;
        const int below = static_cast<int>(0x800000u - (bits & 0x7fffffu));
        const int k = exponent + 1;
        const int steps =
            k > 0 ? k - 1 : -k; // floats before k are as far apart as before this number's power of two
        const int width = detail::bit_length(static_cast<std::uint64_t>(steps)) - 1;
        const bool reaches = width >= 0 && below < 128 && below * 23637 < (1 << (width + 14)); // 2^14 log2(e)
        return std::clamp(exponent + (reaches ? 1 : 0) + 125, 0, 254);
    }
    /// The first code with the least error, as floats have it.
    static unsigned nearest(float w, unsigned e) {
        const double power_of_two =
            detail::bits_as<double>(static_cast<std::uint64_t>(1023 + static_cast<int>(e) - 128) << 52);
        unsigned best = 0;
        double least = error_of(0, power_of_two, w);
        for (unsigned code = 1; code < 16; ++code) {
            const double error = error_of(table[code], power_of_two, w);
            if (error < least) {
                best = code;
                least = error;
            }
        }
        return best;
    }
    static double error_of(int code, double power_of_two, float w) {
        const double error = detail::to_24_bits(static_cast<double>(code) * power_of_two - widen(w));
        return error < 0 ? -error : error;
    }
};
static_assert(sizeof(mxfp4::storage) == 17);

TAMIS_END
