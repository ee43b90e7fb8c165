#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/kernel/dot_rows_int8.hpp>
#include <tamis/kernel/tile.hpp>

#include <cmath>

TAMIS_BEGIN

// How weights of several rows become bytes of one scale, so that their products with bytes can be summed before they are floats:
// what the sums of rows for several tokens are made of, and the simple loop that those equal.

namespace detail {

/// Rows whose products are summed in integers.
inline constexpr std::size_t int8_group = 32;

/// Whether it is done for F on this target: where there is an instruction for sums of four products.
template <class F>
inline constexpr bool sums_tokens_int8 = [] {
    if constexpr (has_codes<F>) {
        constexpr bool is_range_known = !F::codes::are_signed || requires { F::codes::reach; };
        return int8_tile_rows == 16 && code_units<F>::scaled && run_of_codes<F> == 32 && is_range_known;
    } else {
        return false;
    }
}();

/// How weights of F become bytes. A code times a row's factor, plus an offset, is 64 steps of a byte in sixteen bits; the factor of
/// codes of eight bits has seven bits more, which the product is rid of by rounding.
template <class F>
struct int8_requantised {
    using C = typename F::codes;
    /// Of codes less their zero.
    static constexpr int most = [] {
        if constexpr (requires { C::reach; }) {
            return C::reach;
        } else {
            return C::most - C::zero;
        }
    }();
    static constexpr int least = C::are_signed ? -most : -C::zero;
    static constexpr bool are_small = most - least <= 31; // times 127 * 64 * 2 / 31: fifteen bits
    static constexpr bool has_offset = C::has_offset || C::zero != 0;
    static constexpr float of_scale = are_small ? 64.0f : 64.0f * 128;
    static constexpr int rounding = 32 + 128 * 64; // to the nearest, and unsigned

    /// The largest magnitude that a weight can have.
    static float largest(float scale, float offset) {
        const float low = offset + scale * static_cast<float>(least);
        const float high = offset + scale * static_cast<float>(most);
        return bits_as<float>(larger(magnitude_bits(low), magnitude_bits(high)));
    }
    /// What is taken from the weights of a row, given the largest magnitude among its stretch: a power of two, within bounds.
    static float unit_of_row(std::uint32_t largest_bits) {
        return bits_as<float>(clamped(largest_bits & 0x7f800000u, 0x33800000u, 0x4b000000u)); // 2^-24 .. 2^23
    }
    /// The simple loop: a byte, 128 too large, of a code as it is stored.
    static int byte_of(int code, int factor, int offset) {
        const int product = are_small ? code * factor : (code * 256 * factor + (1 << 14)) >> 15;
        return ((product + offset) >> 6) & 0xff;
    }
    /// What is added: a weight's offset, less what the codes' zero comes to.
    static int offset_of(float offset, int factor, float inverse) {
        const int of_offset = C::has_offset ? static_cast<int>(std::nearbyint(offset * inverse * 64)) : 0;
        return of_offset - C::zero * factor + rounding;
    }
};

/// The simple loop: y[token][j] += the rows' products for columns [0, columns) of up to 32 rows.
template <class F>
void sum_tokens_int8_plain(std::span<const std::byte* const> rows, std::size_t columns, block<const float> x,
                           block<float> y) {
    using C = typename F::codes;
    using by = int8_requantised<F>;
    constexpr std::size_t most = code_units<F>::runs_a_stretch;
    for (std::size_t start = 0; start < columns; start += int8_stretch) {
        const std::size_t end = (std::min)(start + int8_stretch, columns);
        const std::size_t runs = (end - start + int8_block - 1) / int8_block;
        float scales[int8_group][most] = {};
        float offsets[int8_group][most] = {};
        float unit[int8_group];
        float largest[most];
        detail::fill_n(largest, most, 0x1p-100f);
        for (std::size_t k = 0; k < rows.size(); ++k) {
            C::numbers(rows[k], start, runs, scales[k], offsets[k]);
            std::uint32_t of_row = 0;
            for (std::size_t r = 0; r < runs; ++r) {
                of_row = larger(of_row, magnitude_bits(by::largest(scales[k][r], offsets[k][r])));
            }
            unit[k] = by::unit_of_row(of_row);
            for (std::size_t r = 0; r < runs; ++r) {
                scales[k][r] /= unit[k];
                offsets[k][r] /= unit[k];
                largest[r] = bits_as<float>(larger(magnitude_bits(largest[r]),
                                                   magnitude_bits(by::largest(scales[k][r], offsets[k][r]))));
            }
        }
        for (std::size_t token = 0; token < x.rows(); ++token) {
            float values[int8_group];
            for (std::size_t k = 0; k < rows.size(); ++k) {
                values[k] = x.row(token)[k] * unit[k];
            }
            std::int8_t codes[int8_group];
            const float scale = to_int8_block_plain(values, rows.size(), codes);
            for (std::size_t j = start; j < end; ++j) {
                const std::size_t r = (j - start) / int8_block;
                const float inverse = 127.0f / largest[r];
                int sum = 0;
                for (std::size_t k = 0; k < rows.size(); ++k) {
                    const int factor =
                        static_cast<int>(std::nearbyint(scales[k][r] * inverse * by::of_scale));
                    const int offset = by::offset_of(offsets[k][r], factor, inverse);
                    sum += unseen_byte(codes[k]) *
                           (by::byte_of(C::at(rows[k], j) + C::zero, factor, offset) - 128);
                }
                y.row(token)[j] += scale * (largest[r] * (1.0f / 127.0f)) * static_cast<float>(sum);
            }
        }
    }
}

} // namespace detail

TAMIS_END
