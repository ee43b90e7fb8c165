#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/kernel/rows.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

TAMIS_BEGIN

// A row's codes and a block's numbers as vectors of floats: what sums of column_blocks are made of.

namespace detail {

/// How many times too large nibbles_apart leaves the high ones: to shift them would take an instruction more.
inline constexpr float high_nibbles_by = [] {
#if defined(__AVX512F__)
    return vec::size == 16 ? 16.0f : 1.0f;
#elif defined(__AVX2__)
    return vec::size == 8 ? 16.0f : 1.0f;
#else
    return 1.0f;
#endif
}();
/// The low halves of a vector's number of bytes less Zero, and the high ones too, so many times. (Bits of 2^23 + n, less that.)
template <int Zero, class Vector>
TAMIS_DETAIL_INLINE void nibbles_apart(const std::byte* p, Vector& low, Vector& high) {
    [[maybe_unused]] constexpr float less = 0x1p23f + Zero, high_less = 0x1p23f + 16 * Zero;
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512i of_23 = _mm512_set1_epi32(0x4b000000);
        constexpr int and_or = 0xea; // (a & b) | c
        const __m512i lows = _mm512_ternarylogic_epi32(bytes, _mm512_set1_epi32(15), of_23, and_or);
        const __m512i highs = _mm512_ternarylogic_epi32(bytes, _mm512_set1_epi32(240), of_23, and_or);
        low = Vector(_mm512_sub_ps(_mm512_castsi512_ps(lows), _mm512_set1_ps(less)));
        high = Vector(_mm512_sub_ps(_mm512_castsi512_ps(highs), _mm512_set1_ps(high_less)));
        return;
    }
#elif defined(__AVX2__)
    if constexpr (Vector::size == 8) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
        const __m256i of_23 = _mm256_set1_epi32(0x4b000000);
        __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        __m256i highs = _mm256_and_si256(bytes, _mm256_set1_epi32(240));
        if constexpr (Zero == 0) {
            low = Vector(_mm256_cvtepi32_ps(lows));
            high = Vector(_mm256_cvtepi32_ps(highs));
            return;
        }
        lows = _mm256_or_si256(lows, of_23);
        highs = _mm256_or_si256(highs, of_23);
        low = Vector(_mm256_sub_ps(_mm256_castsi256_ps(lows), _mm256_set1_ps(less)));
        high = Vector(_mm256_sub_ps(_mm256_castsi256_ps(highs), _mm256_set1_ps(high_less)));
        return;
    }
#endif
    if constexpr (Zero == 8) {
        widen_to_vec::nibbles(p, low, high);
    } else {
        widen_to_vec::halves(p, low, high);
    }
}

/// What the codes of a format's columns 32 .. 63 have to be multiplied by, behind load_columns.
template <class F>
inline constexpr float of_high_columns =
    column_codes<F>::bits == 4 && !looks_up_columns<F> ? 1 / high_nibbles_by : 1.0f;

inline constexpr std::size_t vectors_of_32 = 32 / vec::size;

/// Sixteen columns' five bits less Zero: the low halves of bytes, or the high ones, and their fifth bits.
template <int Zero, std::size_t High>
TAMIS_DETAIL_INLINE void load_five_bits(const std::byte* pairs, const std::byte* fifth, vec* out) {
    const bytes16 both = load_bytes(pairs);
    const bytes16 low = High == 0 ? both & 15 : both >> 4;
    const bytes16 bits = bytes_of_bits(integer_at<std::uint16_t>(fifth));
    if constexpr (Zero == 16) {
        widen_to_vec::signed_bytes(low | (~bits & 0xf0), out);
    } else {
        widen_to_vec::signed_bytes(low | (bits & 16), out);
    }
}

/// Sixty-four columns' codes as floats, without scale; the last 32 may be several times those. (Folds, not loops: g++ keeps arrays
/// with indices that vary in memory.)
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void load_columns(const std::byte* row, std::size_t u, [[maybe_unused]] std::size_t fifth,
                                      vec (&out)[64 / vec::size], std::index_sequence<V...>) {
    using codes = column_codes<F>;
    if constexpr (codes::bits == 8) {
        ((out[V] = widen_to_vec::int8(row + 64 * u + V * vec::size),
          out[vectors_of_32 + V] = widen_to_vec::int8(row + 64 * u + 32 + V * vec::size)),
         ...);
    } else if constexpr (looks_up_columns<F>) {
        vec both[2][2 * vectors_of_16];
        looked_up_halves(row + 32 * u, codes::table, 1.0f, both[0]);
        looked_up_halves(row + 32 * u + 16, codes::table, 1.0f, both[1]);
        ((out[V] = both[V / vectors_of_16][V % vectors_of_16],
          out[vectors_of_32 + V] = both[V / vectors_of_16][vectors_of_16 + V % vectors_of_16]),
         ...);
    } else if constexpr (codes::bits == 4) {
        (nibbles_apart<codes::zero>(row + 32 * u + V * vec::size, out[V], out[vectors_of_32 + V]), ...);
    } else {
        const std::byte* const bits = row + fifth + 8 * u;
        load_five_bits<codes::zero, 0>(row + 32 * u, bits, out);
        load_five_bits<codes::zero, 0>(row + 32 * u + 16, bits + 2, out + vectors_of_16);
        load_five_bits<codes::zero, 1>(row + 32 * u, bits + 4, out + 2 * vectors_of_16);
        load_five_bits<codes::zero, 1>(row + 32 * u + 16, bits + 6, out + 3 * vectors_of_16);
    }
}

#if defined(__AVX2__)
/// column_blocks' power_of_two of eight bytes.
TAMIS_DETAIL_INLINE __m256 eight_powers_of_two(const std::byte* p) {
    const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i denormal = _mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(1)), 21); // of 0 and 1
    return _mm256_castsi256_ps(_mm256_max_epi32(normal, denormal));
}
#endif
/// The same of a vector's number of bytes.
template <class Vector>
TAMIS_DETAIL_INLINE Vector powers_of_two(const std::byte* p) {
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
        const __m512i denormal = _mm512_slli_epi32(_mm512_add_epi32(e, _mm512_set1_epi32(1)), 21);
        return Vector(_mm512_castsi512_ps(_mm512_max_epi32(normal, denormal)));
    }
#elif defined(__AVX2__)
    if constexpr (Vector::size == 8) {
        return Vector(eight_powers_of_two(p));
    }
#endif
    float powers[Vector::size];
    for (std::size_t k = 0; k < Vector::size; ++k) {
        powers[k] = column_blocks<mxfp4>::power_of_two(byte_at(p, k));
    }
    return Vector::load_unaligned(powers);
}

/// A vector of a block's numbers: scales, or minima.
template <class F>
TAMIS_DETAIL_INLINE vec load_numbers(const std::byte* numbers, std::size_t j) {
    if constexpr (column_codes<F>::number_bytes == 1) {
        return powers_of_two<vec>(numbers + j);
    } else {
        return widen_to_vec::f16(numbers + 2 * j);
    }
}

} // namespace detail

TAMIS_END
