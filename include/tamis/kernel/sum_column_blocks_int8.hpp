#pragma once

#include <tamis/kernel/column_sums_512.hpp>
#include <tamis/kernel/int8_values.hpp>
#include <tamis/kernel/sum_column_blocks.hpp>
#include <tamis/kernel/sum_rows_int8.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Sums of active rows of column_blocks in integers. Both the codes and x, rounded to bytes in blocks of 32, have one scale a block
// and column: so a block's sum is exact in integers, and becomes a float once. These are the sums that ggml makes of the
// checkpoint's rows, the same integers, of active rows alone. Codes of up to five bits are multiplied two rows at a time into
// sixteen bits, others four into thirty-two.

namespace detail {

/// Whether there is a kernel for it on this target; else column_blocks are added as floats.
inline constexpr bool sums_columns_int8 =
#if defined(__AVX2__) && defined(__FMA__)
    true;
#else
    false;
#endif

/// A block's x in bytes, for its listed rows; their sum and scale.
struct int8_of_block {
    std::int8_t x[32] = {};
    float scale = 0;
    int sum = 0;

    int8_of_block(const rows_of_block& rows, const float* values, std::size_t n) {
        std::int8_t all[int8_block];
        const std::size_t first = rows.row[0] / int8_block * int8_block;
        scale = n - first >= int8_block ? to_int8_block(values + first, all)
                                        : to_int8_block_plain(values + first, n - first, all);
        for (std::size_t k = 0; k < rows.count; ++k) {
            x[k] = all[rows.row[k] % int8_block];
            sum += x[k];
        }
    }
};

/// The simple loop.
template <class F, class L, class Rows>
void sum_column_blocks_int8_plain(const matrix<F, L>& w, Rows listed, const float* x, float* y) {
    using turned = typename F::turned_format;
    using codes = column_codes<turned>;
    const row_list rows{w, listed};
    for_each_block(w, rows, x, [&](const rows_of_block& these, const rows_of_block&) {
        const int8_of_block by{these, x, w.rows()};
        for (std::size_t j = 0; j < w.columns(); ++j) {
            int sum = 0;
            for (std::size_t k = 0; k < these.count; ++k) {
                sum += by.x[k] * codes::value(column_blocks<turned>::code(these.codes[k], w.columns(), j));
            }
            if constexpr (codes::number_bytes == 4) {
                y[j] += f16::at(these.numbers, column_blocks<turned>::padded(w.columns()) + j) *
                        (by.scale * static_cast<float>(by.sum));
            }
            const float scale = codes::number_bytes == 1
                                    ? column_blocks<turned>::power_of_two(byte_at(these.numbers, j))
                                    : f16::at(these.numbers, j);
            y[j] += scale * (static_cast<float>(sum) * by.scale);
        }
    });
}

#if defined(__AVX2__) && defined(__FMA__)

/// Whether codes are multiplied two rows at a time into sixteen bits.
template <class F>
inline constexpr bool columns_by_pairs = column_codes<F>::most <= 31;

/// Whether they are multiplied as they are. Instructions for four products take codes that are not negative; to make them so, and
/// widen both factors, takes longer than to give x their signs.
template <class F>
inline constexpr bool columns_are_signed =
#if (defined(__AVX512VNNI__) && defined(__AVX512VL__)) || defined(__AVXVNNI__)
    false;
#else
    !columns_by_pairs<F>;
#endif

/// Thirty-two columns' codes from column 64 u + 32 h on, none of them negative but where columns_are_signed.
template <class F, std::size_t H>
TAMIS_DETAIL_INLINE __m256i load_column_bytes(const std::byte* row, std::size_t u,
                                              [[maybe_unused]] std::size_t fifth) {
    using codes = column_codes<F>;
    if constexpr (codes::bits == 8) {
        const auto* const p = reinterpret_cast<const __m256i*>(row + 64 * u + 32 * H);
        const __m256i q = _mm256_loadu_si256(p);
        return columns_are_signed<F> ? q : _mm256_xor_si256(q, _mm256_set1_epi8(-128));
    } else {
        __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 32 * u));
        if constexpr (H == 1) {
            q = _mm256_srli_epi16(q, 4);
        }
        q = _mm256_and_si256(q, _mm256_set1_epi8(15));
        if constexpr (codes::bits == 5) {
            bytes32 sixteen;
            value_where(integer_at<std::uint32_t>(row + fifth + 8 * u + 4 * H), 16, sixteen);
            q = _mm256_or_si256(q, (__m256i)sixteen);
        } else if constexpr (looks_up_columns<F>) {
            constexpr int more = columns_are_signed<F> ? 0 : codes::zero;
            const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes::table));
            q = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(
                                        _mm_add_epi8(entries, _mm_set1_epi8(static_cast<char>(more)))),
                                    q);
        }
        return q;
    }
}

/// Sums of 32 columns in sixteen bits, two rows at a time; columns 0 .. 7 and 16 .. 23 are in `low`.
struct sums_of_pairs {
    __m256i low = _mm256_setzero_si256(), high = _mm256_setzero_si256();

    TAMIS_DETAIL_INLINE void add(__m256i a, __m256i b, __m256i x) {
        low = _mm256_add_epi16(low, _mm256_maddubs_epi16(_mm256_unpacklo_epi8(a, b), x));
        high = _mm256_add_epi16(high, _mm256_maddubs_epi16(_mm256_unpackhi_epi8(a, b), x));
    }
    /// To lanes of integers, eight columns each in their order.
    TAMIS_DETAIL_INLINE void add_to(__m256i (&lanes)[4]) const {
        lanes[0] = _mm256_add_epi32(lanes[0], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(low)));
        lanes[1] = _mm256_add_epi32(lanes[1], _mm256_cvtepi16_epi32(_mm256_castsi256_si128(high)));
        lanes[2] = _mm256_add_epi32(lanes[2], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(low, 1)));
        lanes[3] = _mm256_add_epi32(lanes[3], _mm256_cvtepi16_epi32(_mm256_extracti128_si256(high, 1)));
    }
};

/// lanes += the four products of each.
TAMIS_DETAIL_INLINE __m256i add_quads(__m256i lanes, __m256i codes, __m256i x) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    return _mm256_dpbusd_epi32(lanes, codes, x);
#elif defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(lanes, codes, x);
#else // two products of a byte and a signed one fit: 2 * 128 * 127
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes));
    return _mm256_add_epi32(lanes, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}
/// Four rows of 32 columns; columns 0 .. 3 and 16 .. 19 are in the first lanes, and so on.
TAMIS_DETAIL_INLINE void add_four_rows(__m256i a, __m256i b, __m256i c, __m256i d, __m256i x,
                                       __m256i (&lanes)[4]) {
    const __m256i ab[2] = {_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)};
    const __m256i cd[2] = {_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d)};
    lanes[0] = add_quads(lanes[0], _mm256_unpacklo_epi16(ab[0], cd[0]), x);
    lanes[1] = add_quads(lanes[1], _mm256_unpackhi_epi16(ab[0], cd[0]), x);
    lanes[2] = add_quads(lanes[2], _mm256_unpacklo_epi16(ab[1], cd[1]), x);
    lanes[3] = add_quads(lanes[3], _mm256_unpackhi_epi16(ab[1], cd[1]), x);
}

/// Integer sums of a block, 64 columns at a time: lanes[k] are columns 8 k .. 8 k + 7.
template <class F>
class column_sums {
    /// As many rows fit into sixteen bits.
    static constexpr std::size_t rows_in_16 = 32767 / (2 * 127 * column_codes<F>::most) * 2 & ~std::size_t{3};

  public:
    /// The rows are padded to a multiple of four, by any row with an x of 0.
    TAMIS_DETAIL_INLINE static void make(const rows_of_block& rows,
                                         const typename asked_rows<column_blocks<F>>::of_unit& ask,
                                         std::size_t count, std::size_t u, std::size_t fifth,
                                         const std::int8_t* x, __m256i (&lanes)[8]) {
        const __m256i none = _mm256_setzero_si256();
        __m256i low[4] = {none, none, none, none};
        __m256i high[4] = {none, none, none, none};
        if constexpr (columns_by_pairs<F>) {
            for (std::size_t from = 0; from < count; from += rows_in_16) {
                sums_of_pairs first, second;
                for (std::size_t k = from; k < (std::min)(from + rows_in_16, count); k += 2) {
                    ask.with_row(k);
                    ask.with_row(k + 1);
                    const __m256i two = _mm256_set1_epi16(integer_at<std::int16_t>(bytes(x + k)));
                    first.add(load_column_bytes<F, 0>(rows.codes[k], u, fifth),
                              load_column_bytes<F, 0>(rows.codes[k + 1], u, fifth), two);
                    second.add(load_column_bytes<F, 1>(rows.codes[k], u, fifth),
                               load_column_bytes<F, 1>(rows.codes[k + 1], u, fifth), two);
                }
                first.add_to(low);
                second.add_to(high);
            }
            put(low, lanes);
            put(high, lanes + 4);
        } else {
            for (std::size_t k = 0; k < count; k += 4) {
                for (std::size_t i = 0; i < 4; ++i) {
                    ask.with_row(k + i);
                }
                const __m256i four = _mm256_set1_epi32(integer_at<std::int32_t>(bytes(x + k)));
                add_four<0>(rows, k, u, fifth, four, low);
                add_four<1>(rows, k, u, fifth, four, high);
            }
            in_order(low, lanes);
            in_order(high, lanes + 4);
        }
    }

  private:
    static const std::byte* bytes(const std::int8_t* x) { return reinterpret_cast<const std::byte*>(x); }
    template <std::size_t H>
    TAMIS_DETAIL_INLINE static void add_four(const rows_of_block& rows, std::size_t k, std::size_t u,
                                             std::size_t fifth, __m256i x, __m256i (&lanes)[4]) {
        add_four_rows(load_column_bytes<F, H>(rows.codes[k], u, fifth),
                      load_column_bytes<F, H>(rows.codes[k + 1], u, fifth),
                      load_column_bytes<F, H>(rows.codes[k + 2], u, fifth),
                      load_column_bytes<F, H>(rows.codes[k + 3], u, fifth), x, lanes);
    }
    TAMIS_DETAIL_INLINE static void put(const __m256i (&from)[4], __m256i* to) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
    }
    TAMIS_DETAIL_INLINE static void in_order(const __m256i (&from)[4], __m256i* to) {
        to[0] = _mm256_permute2x128_si256(from[0], from[1], 0x20);
        to[1] = _mm256_permute2x128_si256(from[2], from[3], 0x20);
        to[2] = _mm256_permute2x128_si256(from[0], from[1], 0x31);
        to[3] = _mm256_permute2x128_si256(from[2], from[3], 0x31);
    }
};

/// Eight of a block's scales.
template <class F>
TAMIS_DETAIL_INLINE __m256 eight_column_numbers(const std::byte* numbers, std::size_t j) {
    if constexpr (column_codes<F>::number_bytes == 1) {
        return eight_powers_of_two(numbers + j);
    } else {
#if defined(__F16C__)
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(numbers + 2 * j)));
#else
        float eight[8];
        for (std::size_t k = 0; k < 8; ++k) {
            eight[k] = f16::at(numbers, j + k);
        }
        return _mm256_loadu_ps(eight);
#endif
    }
}

/// One block, columns [begin, end) of y.
template <class F>
void add_rows_of_block_int8(const rows_of_block& rows, const rows_of_block& next, const int8_of_block& by,
                            std::size_t columns, std::size_t begin, std::size_t end, float* y) {
    using codes = column_codes<F>;
    const std::size_t padded = column_blocks<F>::padded(columns);
    const asked_rows<column_blocks<F>> asked{rows, next, begin, end};
    const std::size_t count = (rows.count + 3) / 4 * 4;
    constexpr int of_zero = columns_are_signed<F> ? 0 : codes::zero;
    const __m256i zero = _mm256_set1_epi32(by.sum * of_zero);
    const __m256 scale = _mm256_set1_ps(by.scale);
    const __m256 of_minima = _mm256_set1_ps(by.scale * static_cast<float>(by.sum));
    for_each_unit_of_columns(
        begin, end, y, [&](std::size_t u, float* out) __attribute__((always_inline)) {
            __m256i lanes[8];
            column_sums<F>::make(rows, asked.turn(u), count, u, padded / 2, by.x, lanes);
            const auto add = [&](std::size_t v) __attribute__((always_inline)) {
                __m256 sum = _mm256_loadu_ps(out + 8 * v);
                if constexpr (codes::number_bytes == 4) {
                    sum = _mm256_fmadd_ps(eight_column_numbers<F>(rows.numbers + 2 * padded, 64 * u + 8 * v),
                                          of_minima, sum);
                }
                const __m256 whole =
                    _mm256_cvtepi32_ps(of_zero == 0 ? lanes[v] : _mm256_sub_epi32(lanes[v], zero));
                sum = _mm256_fmadd_ps(eight_column_numbers<F>(rows.numbers, 64 * u + 8 * v),
                                      _mm256_mul_ps(whole, scale), sum);
                _mm256_storeu_ps(out + 8 * v, sum);
            };
            [&]<std::size_t... V>(std::index_sequence<V...>) __attribute__((always_inline)) { (add(V), ...); }
            (std::make_index_sequence<8>{});
        });
}

template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_column_blocks_int8(const matrix<F, neuron_major>& w,
                                                         const row_list& rows, const float* x, float* y,
                                                         std::size_t begin, std::size_t end) {
    for_each_block(w, rows, x, [&](const rows_of_block& these, const rows_of_block& next) {
        const int8_of_block by{these, x, w.rows()};
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
        add_rows_of_block_512<typename F::turned_format>(these, next, by.x, by.scale, by.sum, w.columns(),
                                                         begin, end, y);
#else
        add_rows_of_block_int8<typename F::turned_format>(these, next, by, w.columns(), begin, end, y);
#endif
    });
}

#endif

} // namespace detail

/// sum_rows of column_blocks that are added in integers.
template <detail::column_blocked F, class L, class Rows>
void sum_rows(const matrix<detail::added_in_int8<F>, L>& w, Rows rows, std::span<const float> x,
              std::span<float> y, std::size_t begin, std::size_t end, const tuning& by = {}) {
    if constexpr (detail::sums_columns_int8) {
#if defined(__AVX2__) && defined(__FMA__)
        if (rows.size() != 0 && begin < end) {
            detail::sum_listed_column_blocks_int8(detail::as_turned(w), detail::row_list{w, rows},
                                                  detail::unseen(x.data()), detail::unseen(y.data()), begin,
                                                  end);
        }
#endif
    } else {
        sum_rows(detail::as_turned(w), rows, x, y, begin, end, by);
    }
}
/// sum_rows_of_block of these, token after token.
template <detail::column_blocked F, class L, class Rows>
void sum_rows_of_block(const matrix<detail::added_in_int8<F>, L>& w, Rows rows, block<const float> x,
                       block<float> y, std::size_t begin, std::size_t end) {
    detail::for_rows_of_each_block(w, rows, [&](Rows of_block) {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            sum_rows(w, of_block, x.row(token), y.row(token), begin, end);
        }
    });
}

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
