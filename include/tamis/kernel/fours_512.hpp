#pragma once

#include <tamis/detail/simd.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Bytes of four rows side by side, as AVX-512 VNNI sums four products in a lane, and sums of columns back in their order. Within 128
// bits each: of what belongs to one of four blocks of sixteen, or to sixteen columns of 64.

namespace detail {

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
/// Four rows' bytes: vector q has columns 4 q .. 4 q + 3 of each sixteen, a lane a column.
TAMIS_DETAIL_INLINE void interleave_bytes(__m512i (&rows)[4]) {
    const __m512i ab[2] = {_mm512_unpacklo_epi8(rows[0], rows[1]), _mm512_unpackhi_epi8(rows[0], rows[1])};
    const __m512i cd[2] = {_mm512_unpacklo_epi8(rows[2], rows[3]), _mm512_unpackhi_epi8(rows[2], rows[3])};
    rows[0] = _mm512_unpacklo_epi16(ab[0], cd[0]);
    rows[1] = _mm512_unpackhi_epi16(ab[0], cd[0]);
    rows[2] = _mm512_unpacklo_epi16(ab[1], cd[1]);
    rows[3] = _mm512_unpackhi_epi16(ab[1], cd[1]);
}

/// Of four vectors whose 128 bits k belong to block k: those whose 128 bits q are vector q's.
TAMIS_DETAIL_INLINE void turn_quarters(__m512i* v) {
    const __m512i a = _mm512_shuffle_i32x4(v[0], v[1], 0x44);
    const __m512i b = _mm512_shuffle_i32x4(v[2], v[3], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(v[0], v[1], 0xee);
    const __m512i d = _mm512_shuffle_i32x4(v[2], v[3], 0xee);
    v[0] = _mm512_shuffle_i32x4(a, b, 0x88);
    v[1] = _mm512_shuffle_i32x4(a, b, 0xdd);
    v[2] = _mm512_shuffle_i32x4(c, d, 0x88);
    v[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}
#endif

} // namespace detail

TAMIS_END
