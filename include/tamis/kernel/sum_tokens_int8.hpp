#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/kernel/dot_rows_int8.hpp>
#include <tamis/kernel/int8_tile.hpp>
#include <tamis/kernel/tile.hpp>

#include <cmath>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized" // g++ 12 warns of its own AVX-512 headers
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

TAMIS_BEGIN

// Sums of rows for several tokens in eight-bit integers. Thirty-two rows by 32 columns are rounded once for all tokens to bytes of
// one scale, the largest that their scales and offsets let a weight be, over 127; a token's 32 values are rounded as a block. So
// that rows of small weights lose nothing beside others, a power of two is taken from each row's weights and given to its values.
// Products and their sum over the rows are exact then, and become floats once. (One token takes sum_rows_int8.hpp, whose factors
// are rounded instead: here they would be for each token.)

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
                    sum += codes[k] * (by::byte_of(C::at(rows[k], j) + C::zero, factor, offset) - 128);
                }
                y.row(token)[j] += scale * (largest[r] * (1.0f / 127.0f)) * static_cast<float>(sum);
            }
        }
    }
}

/// y[token][j] += sum over the rows of x[token][row] * W[row, j], for columns [begin, end) for rows of so many columns, of formats
/// that sums_tokens_int8 says it of; begin is a multiple of 64.
template <class F>
void sum_listed_rows_of_tokens_int8(const row_list& rows, std::size_t columns, block<const float> x,
                                    block<float> y, std::size_t begin, std::size_t end);

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

/// The values of 32 rows of those tokens that have any, and what they are rounded to for a stretch.
struct int8_group_values {
    alignas(64) std::int8_t codes[most_tokens][int8_group];
    float scale[most_tokens];
    std::int32_t zero[most_tokens];
    std::size_t count = 0;
    std::uint8_t token[most_tokens];

    void take(const row_list& rows, std::size_t first, block<const float> x) {
        const std::size_t here = (std::min)(rows.size() - first, int8_group);
        count = 0;
        for (std::size_t t = 0; t < x.rows(); ++t) {
            const float* const from = x.row(t).data();
            float* const to = values_[count];
            std::uint32_t any = 0;
            for (std::size_t k = 0; k < here; ++k) {
                to[k] = from[rows[first + k]];
                any |= magnitude_bits(to[k]);
            }
            fill_n(to + here, int8_group - here, 0.0f);
            token[count] = static_cast<std::uint8_t>(t);
            count += any != 0;
        }
    }
    /// Rounds them, each times its row's unit.
    void round(const float (&unit)[int8_group]) {
        const __m512 first = _mm512_load_ps(unit);
        const __m512 second = _mm512_load_ps(unit + 16);
        for (std::size_t t = 0; t < count; ++t) {
            alignas(64) float scaled[int8_group];
            _mm512_store_ps(scaled, _mm512_mul_ps(_mm512_load_ps(values_[t]), first));
            _mm512_store_ps(scaled + 16, _mm512_mul_ps(_mm512_load_ps(values_[t] + 16), second));
            scale[t] = to_int8_block(scaled, codes[t]);
            const __m256i all = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes[t]));
            const __m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(-128), all);
            __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
            sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
            zero[t] = -_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1)));
        }
    }

  private:
    alignas(64) float values_[most_tokens][int8_group];
};

/// What rows' codes are multiplied by in a stretch of blocks, twice in 32 bits, and what is added; the step of each block.
template <class F>
struct int8_group_factors {
    using C = typename F::codes;
    using by = int8_requantised<F>;
    static constexpr std::size_t most = code_units<F>::runs_a_stretch;
    static_assert(most == 16);
    alignas(64) std::uint32_t factor[int8_group][most];
    alignas(64) std::uint32_t offset[by::has_offset ? int8_group : 1][most];
    alignas(64) float step[most];
    alignas(64) float unit[int8_group];

    TAMIS_DETAIL_NOINLINE void make(const std::byte* const (&rows)[int8_group], std::size_t i,
                                    std::size_t runs) {
        float scales[int8_group][most];
        float offsets[C::has_offset ? int8_group : 1][most];
        const __mmask16 here = static_cast<__mmask16>((1u << runs) - 1);
        __m512i largest = _mm512_set1_epi32(static_cast<int>(least_of_block));
        const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
        for (std::size_t k = 0; k < int8_group; ++k) {
            float* const off = offsets[C::has_offset ? k : 0];
            C::numbers(rows[k], i, runs, scales[k], off);
            const __m512 scale = _mm512_maskz_loadu_ps(here, scales[k]);
            __m512 high = _mm512_mul_ps(scale, _mm512_set1_ps(static_cast<float>(by::most)));
            __m512 low = _mm512_mul_ps(scale, _mm512_set1_ps(static_cast<float>(by::least)));
            if constexpr (C::has_offset) {
                const __m512 add = _mm512_maskz_loadu_ps(here, off);
                high = _mm512_add_ps(high, add);
                low = _mm512_add_ps(low, add);
            }
            const __m512i bits = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(high), magnitude),
                                                  _mm512_and_si512(_mm512_castps_si512(low), magnitude));
            unit[k] = by::unit_of_row(static_cast<std::uint32_t>(_mm512_reduce_max_epi32(bits)));
            const __m512 in_units = _mm512_mul_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(1.0f / unit[k]));
            largest = _mm512_max_epi32(largest, _mm512_castps_si512(in_units));
        }
        const __m512 of = _mm512_castsi512_ps(largest);
        const __m512 inverse = _mm512_div_ps(_mm512_set1_ps(127.0f), of);
        _mm512_store_ps(step, _mm512_mul_ps(of, _mm512_set1_ps(1.0f / 127.0f)));
        for (std::size_t k = 0; k < int8_group; ++k) {
            const __m512 per_unit = _mm512_set1_ps(1.0f / unit[k]);
            const __m512 scale = _mm512_mul_ps(_mm512_maskz_loadu_ps(here, scales[k]), per_unit);
            const __m512i times = _mm512_cvtps_epi32(
                _mm512_mul_ps(_mm512_mul_ps(scale, inverse), _mm512_set1_ps(by::of_scale)));
            _mm512_store_si512(factor[k], twice(times));
            if constexpr (by::has_offset) {
                __m512i add = _mm512_set1_epi32(by::rounding);
                if constexpr (C::has_offset) {
                    const __m512 off =
                        _mm512_mul_ps(_mm512_mul_ps(_mm512_maskz_loadu_ps(here, offsets[k]), per_unit),
                                      inverse);
                    add =
                        _mm512_add_epi32(add, _mm512_cvtps_epi32(_mm512_mul_ps(off, _mm512_set1_ps(64.0f))));
                }
                if constexpr (C::zero != 0) {
                    add = _mm512_sub_epi32(add, _mm512_mullo_epi32(times, _mm512_set1_epi32(C::zero)));
                }
                _mm512_store_si512(offset[k], twice(add));
            }
        }
    }

  private:
    static __m512i twice(__m512i v) {
        return _mm512_mask_blend_epi16(0xaaaaaaaau, v, _mm512_slli_epi32(v, 16));
    }
};

template <class F>
class int8_sum_tiles {
    using C = typename F::codes;
    using by = int8_requantised<F>;
    using unit = code_units<F>;

  public:
    static void add(const row_list& rows, std::size_t columns, block<const float> x, block<float> y,
                    std::size_t begin, std::size_t end) {
        // as many columns as a token's share of 128 KiB of sums has, and whole stretches
        const std::size_t strip = int8_stretch * (4 * most_tokens / x.rows());
        int8_group_values values;
        int8_group_factors<F> factors;
        for (std::size_t from = begin; from < end;) {
            const std::size_t to = (std::min)(from / int8_stretch * int8_stretch + strip, end);
            for (std::size_t first = 0; first < rows.size(); first += int8_group) {
                values.take(rows, first, x);
                add_group(rows, first, columns, from, to, values, factors, y);
            }
            from = to;
        }
    }

  private:
    static void add_group(const row_list& rows, std::size_t first, std::size_t columns, std::size_t from,
                          std::size_t to, int8_group_values& values, int8_group_factors<F>& factors,
                          block<float> y) {
        const std::byte* now[int8_group];
        const std::byte* next[int8_group];
        for (std::size_t k = 0; k < int8_group; ++k) {
            now[k] = unseen(rows.memory((std::min)(first + k, rows.size() - 1)));
            next[k] = rows.memory((std::min)(first + int8_group + k, rows.size() - 1));
        }
        for (std::size_t j = from; j < to;) {
            const std::size_t start = j / int8_stretch * int8_stretch;
            const std::size_t last = (std::min)(start + int8_stretch, to);
            const std::size_t units = (last - start + unit::weights - 1) / unit::weights;
            // of all of a stretch, whichever columns are added: no bit may depend on how they are divided
            const std::size_t whole = (std::min)(columns - start, int8_stretch);
            factors.make(now, start, (whole + unit::weights - 1) / unit::weights * unit::runs);
            values.round(factors.unit);
            std::size_t asked = 0;
            for (std::size_t i = (j - start) / unit::weights; i < units; ++i) {
                for (const std::size_t due = (i + 1) * int8_group / units; asked < due; ++asked) {
                    const std::byte* const at = next[asked] + start / unit::weights * unit::bytes;
                    for (std::size_t line = 0; line < units * unit::bytes; line += 64) {
                        prefetch(at + line);
                    }
                }
                add_unit(now, start / unit::weights + i, i * unit::runs, values, factors, y, last,
                         std::make_index_sequence<unit::vectors>{});
            }
            j = last;
        }
    }
    template <std::size_t... V>
    TAMIS_DETAIL_INLINE static void add_unit(const std::byte* const (&now)[int8_group], std::size_t i,
                                             std::size_t r, const int8_group_values& values,
                                             const int8_group_factors<F>& factors, block<float> y,
                                             std::size_t end, std::index_sequence<V...>) {
        (add_block<V>(now, i * unit::weights, r + V, values, factors, y, i * unit::weights + V * int8_block,
                      end),
         ...);
    }
    /// Block V of the unit from weight i on: columns from j on, of which some may lie behind the end.
    template <std::size_t V>
    TAMIS_DETAIL_INLINE static void add_block(const std::byte* const (&now)[int8_group], std::size_t i,
                                              std::size_t r, const int8_group_values& values,
                                              const int8_group_factors<F>& factors, block<float> y,
                                              std::size_t j, std::size_t end) {
        if (j >= end) {
            return;
        }
        __m512i low[8], high[8];
        unpack<V>(now, i, r, factors, low, high, std::make_index_sequence<8>{});
        const __m512 step = _mm512_set1_ps(factors.step[r]);
        const std::size_t count = end - j;
        const auto of_low = static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1);
        const auto of_high = static_cast<__mmask16>(count >= 32   ? 0xffffu
                                                    : count <= 16 ? 0u
                                                                  : (1u << (count - 16)) - 1);
        for (std::size_t t = 0; t < values.count; ++t) {
            float* const out = y.row(values.token[t]).data() + j;
            __m512i sum = _mm512_set1_epi32(values.zero[t]);
            __m512i sum_high = sum;
            add_products(low, high, values.codes[t], sum, sum_high, std::make_index_sequence<8>{});
            const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(values.scale[t]), step);
            if (count >= int8_block) {
                _mm512_storeu_ps(out, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, _mm512_loadu_ps(out)));
                _mm512_storeu_ps(out + 16, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum_high), scale,
                                                           _mm512_loadu_ps(out + 16)));
            } else {
                _mm512_mask_storeu_ps(out, of_low,
                                      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale,
                                                      _mm512_maskz_loadu_ps(of_low, out)));
                _mm512_mask_storeu_ps(out + 16, of_high,
                                      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum_high), scale,
                                                      _mm512_maskz_loadu_ps(of_high, out + 16)));
            }
        }
    }
    template <std::size_t... Q>
    TAMIS_DETAIL_INLINE static void add_products(const __m512i (&low)[8], const __m512i (&high)[8],
                                                 const std::int8_t (&x)[int8_group], __m512i& sum,
                                                 __m512i& sum_high, std::index_sequence<Q...>) {
        const auto add = [&](std::size_t q) __attribute__((always_inline)) {
            const __m512i four = tile_values(x + 4 * q);
            sum = _mm512_dpbusd_epi32(sum, low[q], four);
            sum_high = _mm512_dpbusd_epi32(sum_high, high[q], four);
        };
        (add(Q), ...);
    }
    /// Four rows each: columns 0 .. 15, and 16 .. 31.
    template <std::size_t V, std::size_t... Q>
    TAMIS_DETAIL_INLINE static void unpack(const std::byte* const (&now)[int8_group], std::size_t i,
                                           std::size_t r, const int8_group_factors<F>& factors,
                                           __m512i (&low)[8], __m512i (&high)[8], std::index_sequence<Q...>) {
        const __m512i to_low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        const __m512i to_high = _mm512_add_epi64(to_low, _mm512_set1_epi64(4));
        const auto four = [&](std::size_t k, __m512i & first, __m512i & second)
            __attribute__((always_inline)) {
            const __m512i ab =
                pair(row<V>(now[k], i, k, r, factors), row<V>(now[k + 1], i, k + 1, r, factors));
            const __m512i cd =
                pair(row<V>(now[k + 2], i, k + 2, r, factors), row<V>(now[k + 3], i, k + 3, r, factors));
            const __m512i even = _mm512_unpacklo_epi16(ab, cd);
            const __m512i odd = _mm512_unpackhi_epi16(ab, cd);
            first = _mm512_permutex2var_epi64(even, to_low, odd);
            second = _mm512_permutex2var_epi64(even, to_high, odd);
        };
        (four(4 * Q, low[Q], high[Q]), ...);
    }
    /// 64 steps of 32 weights, in words.
    template <std::size_t V>
    TAMIS_DETAIL_INLINE static __m512i row(const std::byte* now, std::size_t i, std::size_t k, std::size_t r,
                                           const int8_group_factors<F>& factors) {
        bytes32 codes[unit::vectors];
        C::load(now, i, codes);
        const __m512i wide = _mm512_cvtepi8_epi16((__m256i)codes[V]);
        const __m512i factor = _mm512_set1_epi32(static_cast<int>(factors.factor[k][r]));
        const __m512i product = by::are_small ? _mm512_mullo_epi16(wide, factor)
                                              : _mm512_mulhrs_epi16(_mm512_slli_epi16(wide, 8), factor);
        const int offset = by::has_offset ? static_cast<int>(factors.offset[by::has_offset ? k : 0][r])
                                          : by::rounding * 0x10001;
        return _mm512_add_epi16(product, _mm512_set1_epi32(offset));
    }
    /// Two rows' bytes side by side.
    TAMIS_DETAIL_INLINE static __m512i pair(__m512i a, __m512i b) {
        return _mm512_ternarylogic_epi32(_mm512_set1_epi16(0xff), _mm512_srli_epi16(a, 6),
                                         _mm512_slli_epi16(b, 2), 0xca);
    }
};

template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_rows_of_tokens_int8(const row_list& rows, std::size_t columns,
                                                          block<const float> x, block<float> y,
                                                          std::size_t begin, std::size_t end) {
    int8_sum_tiles<F>::add(rows, columns, x, y, begin, end);
}

#endif

/// Whether that is the quicker way for these rows and tokens, which depends on counts of masks alone. Few tokens leave too little to
/// share; by tiles of floats, each of many is multiplied with what it wants alone.
template <class F>
bool sums_tokens_in_int8(const row_list& rows, block<const float> x) {
    if (x.rows() < (int8_requantised<F>::are_small ? 3 : 6)) {
        return false;
    }
    if (x.rows() < sum_tokens_of_tiles) {
        return true;
    }
    std::size_t wanted = 0;
    for (std::size_t k = 0; k < rows.size(); ++k) {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            wanted += magnitude_bits(x.row(token)[rows[k]]) != 0;
        }
    }
    return 4 * wanted >= rows.size() * x.rows();
}

} // namespace detail

TAMIS_END

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
