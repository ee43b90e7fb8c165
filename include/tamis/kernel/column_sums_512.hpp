#pragma once

#include <tamis/kernel/fours_512.hpp>
#include <tamis/kernel/sum_column_blocks.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Integer sums of a block of column_blocks, 64 bytes of a row at a time, four rows in an instruction: where there is AVX-512 VNNI.
// Rows of half bytes are put side by side before their halves are taken apart, which is half the work, and high halves are
// multiplied as they lie, sixteen times too large, and their sums shifted. The sums are those of column_sums, to the bit.

namespace detail {

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
/// How many units of 64 columns are done at a time.
template <class F>
inline constexpr std::size_t units_of_strip = column_codes<F>::bits == 4 ? 2 : 1;

/// 64 bytes of a row: of half bytes those of two units, or of the first alone; of others a unit's codes, none of them negative.
template <class F, bool Whole>
TAMIS_DETAIL_INLINE void load_strip(const std::byte* row, std::size_t u, [[maybe_unused]] std::size_t fifth,
                                    __m512i& to) {
    using codes = column_codes<F>;
    if constexpr (codes::bits == 8) {
        to = _mm512_xor_si512(_mm512_loadu_si512(row + 64 * u), _mm512_set1_epi8(-128));
    } else if constexpr (codes::bits == 4) {
        to = Whole
                 ? _mm512_loadu_si512(row + 32 * u)
                 : _mm512_zextsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 32 * u)));
    } else {
        const __m512i both =
            _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + 32 * u)));
        const __m512i by = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi64x(4), 1);
        const __m512i low = _mm512_and_si512(_mm512_srlv_epi64(both, by), _mm512_set1_epi8(15));
        const __mmask64 bits = integer_at<std::uint64_t>(row + fifth + 8 * u);
        to = _mm512_mask_add_epi8(low, bits, low, _mm512_set1_epi8(16));
    }
}

/// lanes[i] += the products of columns 4 i .. 4 i + 3 of each sixteen, four rows at once; of half bytes the high ones' in lanes[4 + i].
template <class F, std::size_t Lanes>
TAMIS_DETAIL_INLINE void add_strip(const __m512i& codes, const __m512i& x, std::size_t i,
                                   __m512i (&lanes)[Lanes]) {
    if constexpr (column_codes<F>::bits != 4) {
        lanes[i] = _mm512_dpbusd_epi32(lanes[i], codes, x);
    } else if constexpr (looks_up_columns<F>) {
        const __m512i table = _mm512_broadcast_i32x4(
            _mm_add_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(column_codes<F>::table)),
                         _mm_set1_epi8(static_cast<char>(column_codes<F>::zero))));
        const __m512i halves = _mm512_set1_epi8(15);
        const __m512i low = _mm512_shuffle_epi8(table, _mm512_and_si512(codes, halves));
        const __m512i high =
            _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(codes, 4), halves));
        lanes[i] = _mm512_dpbusd_epi32(lanes[i], low, x);
        lanes[4 + i] = _mm512_dpbusd_epi32(lanes[4 + i], high, x);
    } else {
        lanes[i] = _mm512_dpbusd_epi32(lanes[i], _mm512_and_si512(codes, _mm512_set1_epi8(15)), x);
        lanes[4 + i] = _mm512_dpbusd_epi32(lanes[4 + i], _mm512_and_si512(codes, _mm512_set1_epi8(-16)), x);
    }
}

/// Sums of a strip's columns, sixteen each in their order. The rows are padded to a multiple of four, by any row with an x of 0.
template <class F, bool Whole, std::size_t Lanes>
TAMIS_DETAIL_INLINE void sum_strip(const rows_of_block& rows,
                                   const typename asked_rows<column_blocks<F>>::of_unit& ask,
                                   std::size_t count, std::size_t u, std::size_t fifth, const std::int8_t* x,
                                   __m512i (&lanes)[Lanes]) {
    constexpr bool are_halves = column_codes<F>::bits == 4;
    __m512i sums[are_halves ? 8 : 4];
    for (__m512i& s : sums) {
        s = _mm512_setzero_si512();
    }
    for (std::size_t k = 0; k < count; k += 4) {
        __m512i row[4];
        for (std::size_t i = 0; i < 4; ++i) {
            ask.with_row(k + i);
            load_strip<F, Whole>(rows.codes[k + i], u, fifth, row[i]);
        }
        const __m512i four =
            _mm512_set1_epi32(integer_at<std::int32_t>(reinterpret_cast<const std::byte*>(x + k)));
        interleave_bytes(row);
        add_strip<F>(row[0], four, 0, sums);
        add_strip<F>(row[1], four, 1, sums);
        add_strip<F>(row[2], four, 2, sums);
        add_strip<F>(row[3], four, 3, sums);
    }
    turn_quarters(sums);
    if constexpr (are_halves) { // units of 64: low, low, high, high
        turn_quarters(sums + 4);
        for (std::size_t i = 0; i < Lanes; ++i) {
            const __m512i& s = sums[i / 4 * 2 + i % 2 + i % 4 / 2 * 4];
            lanes[i] = looks_up_columns<F> || i % 4 < 2 ? s : _mm512_srai_epi32(s, 4);
        }
    } else {
        for (std::size_t i = 0; i < Lanes; ++i) {
            lanes[i] = sums[i];
        }
    }
}

/// Sixteen of a block's scales, or of its minima.
template <class F>
TAMIS_DETAIL_INLINE void load_sixteen_numbers(const std::byte* numbers, std::size_t j, __m512& to) {
    if constexpr (column_codes<F>::number_bytes == 1) {
        to = _mm512_insertf32x8(_mm512_castps256_ps512(eight_powers_of_two(numbers + j)),
                                eight_powers_of_two(numbers + j + 8), 1);
    } else {
        to = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers + 2 * j)));
    }
}

/// One block's sums times their scales, columns [begin, end) of y; x are its listed rows' bytes, `sum` their sum.
template <class F>
void add_rows_of_block_512(const rows_of_block& rows, const rows_of_block& next, const std::int8_t* x,
                           float scale_of_x, int sum_of_x, std::size_t columns, std::size_t begin,
                           std::size_t end, float* y) {
    using codes = column_codes<F>;
    const std::size_t padded = column_blocks<F>::padded(columns);
    const asked_rows<column_blocks<F>> asked{rows, next, begin, end};
    const std::size_t count = (rows.count + 3) / 4 * 4;
    const __m512i zero = _mm512_set1_epi32(sum_of_x * codes::zero);
    const __m512 scale = _mm512_set1_ps(scale_of_x);
    const __m512 of_minima = _mm512_set1_ps(scale_of_x * static_cast<float>(sum_of_x));
    const auto add = [&]<std::size_t Units>(std::size_t u, float* out,
                                            std::integral_constant<std::size_t, Units>)
        __attribute__((always_inline)) {
        constexpr bool whole = Units == units_of_strip<F>;
        __m512i lanes[4 * Units];
        sum_strip<F, whole>(rows, asked.turn(u, Units), count, u, padded / 2, x, lanes);
        for (std::size_t v = 0; v < 4 * Units; ++v) {
            __m512 sum = _mm512_loadu_ps(out + 16 * v), number;
            if constexpr (codes::number_bytes == 4) {
                load_sixteen_numbers<F>(rows.numbers + 2 * padded, 64 * u + 16 * v, number);
                sum = _mm512_fmadd_ps(number, of_minima, sum);
            }
            const __m512i whole_numbers = codes::zero == 0 ? lanes[v] : _mm512_sub_epi32(lanes[v], zero);
            load_sixteen_numbers<F>(rows.numbers, 64 * u + 16 * v, number);
            sum = _mm512_fmadd_ps(number, _mm512_mul_ps(_mm512_cvtepi32_ps(whole_numbers), scale), sum);
            _mm512_storeu_ps(out + 16 * v, sum);
        }
    };
    std::size_t u = begin / 64;
    if constexpr (units_of_strip<F> == 2) {
        for (; 64 * (u + 2) <= end; u += 2) {
            add(u, y + 64 * u, std::integral_constant<std::size_t, 2>{});
        }
    }
    for_each_unit_of_columns(
        64 * u, end, y, [&](std::size_t one, float* out) __attribute__((always_inline)) {
            add(one, out, std::integral_constant<std::size_t, 1>{});
        });
}
#endif

} // namespace detail

TAMIS_END
