#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/kernel/int8_lanes.hpp>

#include <utility>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Tiles of bytes in registers: as many rows as a vector has lanes, by 32 columns. A vector holds four columns of all rows, so that
// four values of a token, repeated, are multiplied with all of them at once, and a block of 32 becomes floats once for all rows.
// Sixteen rows where bytes are multiplied by AVX512_VNNI, else eight.

namespace detail {

/// Rows of a tile.
inline constexpr std::size_t int8_tile_rows =
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    16;
#else
    8;
#endif

/// Whether any bytes may be multiplied so. (AVX2's own instructions want unsigned codes of few bits, of which several products
/// fit into sixteen bits.)
inline constexpr bool tiles_take_8_bits =
#if (defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)) || \
    (defined(__AVXVNNI__) && defined(__AVX2__))
    true;
#else
    false;
#endif

/// Whether F's codes are multiplied by tiles on this target.
template <class F>
inline constexpr bool dots_by_int8_tiles = [] {
    if constexpr (multiplies_bytes && has_codes<F>) {
        return tiles_take_8_bits || (!F::codes::are_signed && F::codes::most <= 63);
    } else {
        return false;
    }
}();

#if defined(__AVX2__)

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

using tile_ints = __m512i;
using tile_floats = __m512;

TAMIS_DETAIL_INLINE tile_floats tile_load(const float* p) { return _mm512_loadu_ps(p); }
TAMIS_DETAIL_INLINE void tile_store(float* p, tile_floats v) { _mm512_storeu_ps(p, v); }
TAMIS_DETAIL_INLINE tile_floats tile_of(float value) { return _mm512_set1_ps(value); }
TAMIS_DETAIL_INLINE tile_ints tile_of(std::int32_t value) { return _mm512_set1_epi32(value); }
TAMIS_DETAIL_INLINE tile_floats tile_floats_of(tile_ints v) { return _mm512_cvtepi32_ps(v); }
TAMIS_DETAIL_INLINE tile_floats tile_product(tile_floats a, tile_floats b) { return _mm512_mul_ps(a, b); }
TAMIS_DETAIL_INLINE tile_floats tile_add(tile_floats a, tile_floats b, tile_floats c) {
    return _mm512_fmadd_ps(a, b, c);
}

/// Four of the vectors that eight rows of 32 bytes become: lane by lane rows 0 - 3, the same sixteen bytes on, rows 4 - 7 ...
struct half_tile {
    __m512i of[4];

    TAMIS_DETAIL_INLINE half_tile(const bytes32 (&r)[8]) {
        const auto pair = [&](int k) __attribute__((always_inline)) {
            return _mm512_inserti64x4(_mm512_castsi256_si512((__m256i)r[k]), (__m256i)r[k + 4], 1);
        };
        const __m512i a = pair(0), b = pair(1), c = pair(2), d = pair(3);
        const __m512i ab = _mm512_unpacklo_epi32(a, b);
        const __m512i cd = _mm512_unpacklo_epi32(c, d);
        const __m512i ab_high = _mm512_unpackhi_epi32(a, b);
        const __m512i cd_high = _mm512_unpackhi_epi32(c, d);
        of[0] = _mm512_unpacklo_epi64(ab, cd);
        of[1] = _mm512_unpackhi_epi64(ab, cd);
        of[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
        of[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
    }
};

/// Bytes 4 c .. 4 c + 3 of all rows in vector c.
struct int8_tile {
    tile_ints of[8];

    /// row(k, out) loads 32 bytes of row k.
    template <class Row>
    TAMIS_DETAIL_INLINE explicit int8_tile(Row&& row) {
        const auto eight = [&](std::size_t first) __attribute__((always_inline)) {
            bytes32 r[8];
            row(first, r[0]), row(first + 1, r[1]), row(first + 2, r[2]), row(first + 3, r[3]);
            row(first + 4, r[4]), row(first + 5, r[5]), row(first + 6, r[6]), row(first + 7, r[7]);
            return half_tile{r};
        };
        const half_tile upper = eight(0);
        const half_tile lower = eight(8);
        join(upper, lower, std::make_index_sequence<4>{});
    }
    TAMIS_DETAIL_INLINE void flip_signs() { flip(std::make_index_sequence<8>{}); }

  private:
    template <std::size_t... C>
    TAMIS_DETAIL_INLINE void join(const half_tile& upper, const half_tile& lower, std::index_sequence<C...>) {
        ((of[C] = _mm512_shuffle_i32x4(upper.of[C], lower.of[C], 0x88),
          of[C + 4] = _mm512_shuffle_i32x4(upper.of[C], lower.of[C], 0xdd)),
         ...);
    }
    template <std::size_t... C>
    TAMIS_DETAIL_INLINE void flip(std::index_sequence<C...>) {
        ((of[C] = _mm512_xor_si512(of[C], _mm512_set1_epi8(-128))), ...);
    }
};

#else

using tile_ints = __m256i;
using tile_floats = __m256;

TAMIS_DETAIL_INLINE tile_floats tile_load(const float* p) { return _mm256_loadu_ps(p); }
TAMIS_DETAIL_INLINE void tile_store(float* p, tile_floats v) { _mm256_storeu_ps(p, v); }
TAMIS_DETAIL_INLINE tile_floats tile_of(float value) { return _mm256_set1_ps(value); }
TAMIS_DETAIL_INLINE tile_ints tile_of(std::int32_t value) { return _mm256_set1_epi32(value); }
TAMIS_DETAIL_INLINE tile_floats tile_floats_of(tile_ints v) { return _mm256_cvtepi32_ps(v); }
TAMIS_DETAIL_INLINE tile_floats tile_product(tile_floats a, tile_floats b) { return _mm256_mul_ps(a, b); }
TAMIS_DETAIL_INLINE tile_floats tile_add(tile_floats a, tile_floats b, tile_floats c) {
#if defined(__FMA__)
    return _mm256_fmadd_ps(a, b, c);
#else
    return _mm256_add_ps(_mm256_mul_ps(a, b), c);
#endif
}

/// Bytes 4 c .. 4 c + 3 of all rows in vector c.
struct int8_tile {
    tile_ints of[8];

    /// row(k, out) loads 32 bytes of row k.
    template <class Row>
    TAMIS_DETAIL_INLINE explicit int8_tile(Row&& row) {
        bytes32 r[8];
        row(0, r[0]), row(1, r[1]), row(2, r[2]), row(3, r[3]);
        row(4, r[4]), row(5, r[5]), row(6, r[6]), row(7, r[7]);
        const auto low = [&](int k) __attribute__((always_inline)) {
            return _mm256_unpacklo_epi32((__m256i)r[k], (__m256i)r[k + 1]);
        };
        const auto high = [&](int k) __attribute__((always_inline)) {
            return _mm256_unpackhi_epi32((__m256i)r[k], (__m256i)r[k + 1]);
        };
        four(low(0), low(2), low(4), low(6), of[0], of[1], of[4], of[5]);
        four(high(0), high(2), high(4), high(6), of[2], of[3], of[6], of[7]);
    }
    TAMIS_DETAIL_INLINE void flip_signs() { flip(std::make_index_sequence<8>{}); }

  private:
    /// Pairs of rows' bytes to vectors c, c + 1 and c + 4, c + 5.
    TAMIS_DETAIL_INLINE static void four(__m256i a, __m256i b, __m256i c, __m256i d, __m256i& first,
                                         __m256i& second, __m256i& third, __m256i& fourth) {
        const __m256i upper = _mm256_unpacklo_epi64(a, b);
        const __m256i upper_next = _mm256_unpackhi_epi64(a, b);
        const __m256i lower = _mm256_unpacklo_epi64(c, d);
        const __m256i lower_next = _mm256_unpackhi_epi64(c, d);
        first = _mm256_permute2x128_si256(upper, lower, 0x20);
        second = _mm256_permute2x128_si256(upper_next, lower_next, 0x20);
        third = _mm256_permute2x128_si256(upper, lower, 0x31);
        fourth = _mm256_permute2x128_si256(upper_next, lower_next, 0x31);
    }
    template <std::size_t... C>
    TAMIS_DETAIL_INLINE void flip(std::index_sequence<C...>) {
        ((of[C] = _mm256_xor_si256(of[C], _mm256_set1_epi8(-128))), ...);
    }
};

#endif

/// Four values of a token, for all rows.
TAMIS_DETAIL_INLINE tile_ints tile_values(const std::int8_t* x) {
    std::int32_t four;
    std::memcpy(&four, x, sizeof four);
    return tile_of(four);
}

/// off + the products of Count of a tile's vectors from `First` on with a token's values; codes are unsigned, up to Most.
template <int Most, std::size_t First, std::size_t... C>
TAMIS_DETAIL_INLINE tile_ints tile_dots(const int8_tile& w, const std::int8_t* x, std::int32_t off,
                                        std::index_sequence<C...>) {
    tile_ints sum = tile_of(off);
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    tile_ints other = _mm512_setzero_si512(); // two chains: half as many tokens have to be in flight
    (((C % 2 == 0 ? sum : other) =
          _mm512_dpbusd_epi32(C % 2 == 0 ? sum : other, w.of[First + C], tile_values(x + 4 * (First + C)))),
     ...);
    sum = _mm512_add_epi32(sum, other);
#elif defined(__AVXVNNI__)
    ((sum = _mm256_dpbusd_avx_epi32(sum, w.of[First + C], tile_values(x + 4 * (First + C)))), ...);
#else
    constexpr std::size_t fit = 32767 / (2 * Most * 127); // pairs of products in sixteen bits
    __m256i pairs = _mm256_setzero_si256();
    const auto add = [&]<std::size_t Place>(std::integral_constant<std::size_t, Place>)
        __attribute__((always_inline)) {
        const __m256i products =
            _mm256_maddubs_epi16(w.of[First + Place], tile_values(x + 4 * (First + Place)));
        pairs = Place % fit == 0 ? products : _mm256_add_epi16(pairs, products);
        if constexpr ((Place + 1) % fit == 0 || Place + 1 == sizeof...(C)) {
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
        }
    };
    (add(std::integral_constant<std::size_t, C>{}), ...);
#endif
    return sum;
}

#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
