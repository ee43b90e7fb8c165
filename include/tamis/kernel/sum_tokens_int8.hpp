#pragma once

#include <tamis/kernel/int8_group.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Sums of rows for several tokens in eight-bit integers. Thirty-two rows by 32 columns are rounded once for all tokens to bytes of
// one scale, the largest that their scales and offsets let a weight be, over 127; a token's 32 values are rounded as a block. So
// that rows of small weights lose nothing beside others, a power of two is taken from each row's weights and given to its values.
// Products and their sum over the rows are exact then, and become floats once. (One token takes sum_rows_int8.hpp, whose factors
// are rounded instead: here they would be for each token.)

namespace detail {

/// y[token][j] += sum over the rows of x[token][row] * W[row, j], for columns [begin, end) for rows of so many columns, of formats
/// that sums_tokens_int8 says it of; begin is a multiple of 64.
template <class F>
void sum_listed_rows_of_tokens_int8(const row_list& rows, std::size_t columns, block<const float> x,
                                    block<float> y, std::size_t begin, std::size_t end);

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

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
    constexpr bool is_cheap = int8_requantised<F>::are_small && !F::codes::has_offset; // to round once more
    if (x.rows() < (is_cheap ? 3 : 6)) {
        return false;
    }
    if (x.rows() < sum_tokens_of_tiles<F>.all) {
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

TAMIS_DETAIL_INTRINSICS_END
