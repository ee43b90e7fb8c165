#pragma once

#include <tamis/detail/bytes.hpp>
#include <tamis/detail/widen.hpp>
#include <tamis/format/f16.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// What formats of few bits are read with: codes in bytes, to weights in vectors. Where it says a scale times a code plus an
// offset, the product is exact in the formats that use it (a binary16, a scale of six bits and a code of six have fewer bits
// together than a float), so that it does not matter whether a machine rounds once or twice.

namespace detail {

/// Code k of a block of 32 with five bits each, as q5_0 and q5_1 have them: 16 bytes of low halves, in the order of q4_0, and
/// four bytes of fifth bits before them.
inline unsigned five_bits_at(const std::byte* fifth, std::size_t k) {
    const unsigned pair = byte_at(fifth, 4 + k % 16);
    return (k < 16 ? pair & 15u : pair >> 4) | (integer_at<std::uint32_t>(fifth) >> k & 1u) << 4;
}
/// Writes it into zeros.
inline void put_five_bits(unsigned q, std::size_t k, std::uint8_t (&fifth)[4], std::uint8_t (&low)[16]) {
    low[k % 16] = static_cast<std::uint8_t>(low[k % 16] | (q & 15u) << (k < 16 ? 0 : 4));
    fifth[k / 8] = static_cast<std::uint8_t>(fifth[k / 8] | (q >> 4) << k % 8);
}

/// Vectors that sixteen weights take.
inline constexpr std::size_t vectors_of_16 = 16 / vec::size;

/// The bytes >> shift, and what comes in from their neighbours, to be masked away.
TAMIS_DETAIL_INLINE bytes16 shifted_right(const bytes16& bytes, unsigned shift) {
    typedef std::uint16_t words __attribute__((vector_size(16)));
    return (bytes16)((words)bytes >> static_cast<std::uint16_t>(shift));
}

TAMIS_DETAIL_INLINE void shift_right(bytes32& bytes, unsigned shift) {
    typedef std::uint16_t words __attribute__((vector_size(32)));
    bytes = (bytes32)((words)bytes >> static_cast<std::uint16_t>(shift));
}

/// Sixteen weights: scale times signed bytes.
TAMIS_DETAIL_INLINE void scaled_bytes(const bytes16& codes, float scale, vec* out) {
    widen_to_vec::signed_bytes(codes, out);
    for (std::size_t v = 0; v < vectors_of_16; ++v) {
        out[v] = out[v] * vec(scale);
    }
}
/// The same plus an offset.
TAMIS_DETAIL_INLINE void affine_bytes(const bytes16& codes, float scale, float offset, vec* out) {
    widen_to_vec::signed_bytes(codes, out);
    for (std::size_t v = 0; v < vectors_of_16; ++v) {
        out[v] = multiply_add(out[v], vec(scale), vec(offset));
    }
}
/// Thirty-two, of which each sixteen have a scale, and an offset.
TAMIS_DETAIL_INLINE void scaled_bytes(const bytes32& codes, float first_scale, float second_scale, vec* out) {
    bytes16 first, second;
    halves_of(codes, first, second);
    scaled_bytes(first, first_scale, out);
    scaled_bytes(second, second_scale, out + vectors_of_16);
}
TAMIS_DETAIL_INLINE void affine_bytes(const bytes32& codes, const float* two_scales, const float* two_offsets,
                                      vec* out) {
    bytes16 first, second;
    halves_of(codes, first, second);
    affine_bytes(first, two_scales[0], two_offsets[0], out);
    affine_bytes(second, two_scales[1], two_offsets[1], out + vectors_of_16);
}

/// How many times too large the high halves of bytes are left, so that their scale is to be so much smaller: no instruction shifts
/// them then. (AVX2 has two units for shifts, conversions and products, and three for the rest.)
inline constexpr float high_halves_by = [] {
#if defined(__AVX2__) && !defined(__AVX512F__)
    return vec::size == 8 ? 16.0f : 1.0f;
#else
    return 1.0f;
#endif
}();

/// A scale and an offset for the low halves of bytes, and for the high ones, whose scale is divided by high_halves_by.
struct affine_of_halves {
    vec low_scale, low_offset, high_scale, high_offset;
};
/// scale * code + offset for both halves of a vector's number of bytes. (AVX-512 looks 16 sums up by the low four bits.)
template <class Vector>
TAMIS_DETAIL_INLINE void affine_halves(const std::byte* p, const affine_of_halves& by, Vector& low,
                                       Vector& high) {
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const Vector codes(_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
        const Vector lows = multiply_add(codes, by.low_scale, by.low_offset);
        const Vector highs = multiply_add(codes, by.high_scale, by.high_offset);
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        low = Vector(_mm512_permutexvar_ps(bytes, lows.data));
        high = Vector(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), highs.data));
        return;
    }
#elif defined(__AVX2__)
    if constexpr (Vector::size == 8) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
        const __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        const __m256i highs = _mm256_and_si256(bytes, _mm256_set1_epi32(240));
        low = multiply_add(Vector(_mm256_cvtepi32_ps(lows)), by.low_scale, by.low_offset);
        high = multiply_add(Vector(_mm256_cvtepi32_ps(highs)), by.high_scale, by.high_offset);
        return;
    }
#endif
    widen_to_vec::halves(p, low, high);
    low = multiply_add(low, by.low_scale, by.low_offset);
    high = multiply_add(high, by.high_scale, by.high_offset);
}

/// Thirty-two weights: what a table has for the low halves of sixteen bytes, and then for the high ones, times a scale.
template <class Vector>
TAMIS_DETAIL_INLINE void looked_up_halves(const std::byte* p, const std::int8_t (&table)[16], float scale,
                                          Vector* out) {
    bytes16 entries;
    std::memcpy(&entries, table, sizeof entries);
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512 floats = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)entries));
        out[0] = Vector(_mm512_permutexvar_ps(bytes, floats)) * Vector(scale);
        out[1] = Vector(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), floats)) * Vector(scale);
        return;
    }
#endif
    const bytes16 bytes = load_bytes(p);
    const bytes16 low = bytes & 15;
    const bytes16 high = bytes >> 4;
#if defined(__SSSE3__)
    scaled_bytes((bytes16)_mm_shuffle_epi8((__m128i)entries, (__m128i)low), scale, out);
    scaled_bytes((bytes16)_mm_shuffle_epi8((__m128i)entries, (__m128i)high), scale, out + vectors_of_16);
#else
    bytes16 lows = low;
    bytes16 highs = high;
    for (int k = 0; k < 16; ++k) {
        lows[k] = entries[low[k]];
        highs[k] = entries[high[k]];
    }
    scaled_bytes(lows, scale, out);
    scaled_bytes(highs, scale, out + vectors_of_16);
#endif
}

/// The f16 in front of each of `units` blocks, up to 16, `stride` bytes apart.
inline void scales_of_units(const std::byte* first, std::size_t stride, std::size_t units, float* out) {
    std::uint16_t halves[16] = {};
    for (std::size_t b = 0; b < units; ++b) {
        std::memcpy(&halves[b], first + b * stride, sizeof halves[b]);
    }
    for (std::size_t b = 0; b < 16; b += vec::size) {
        store(out + b, widen_to_vec::f16(&halves[b]));
    }
}
/// The same of two in front of each.
inline void pairs_of_blocks(const std::byte* first, std::size_t stride, std::size_t units, float* out) {
    std::uint32_t pairs[16] = {};
    for (std::size_t b = 0; b < units; ++b) {
        std::memcpy(&pairs[b], first + b * stride, sizeof pairs[b]);
    }
    const auto* const halves = reinterpret_cast<const std::byte*>(pairs);
    for (std::size_t k = 0; k < 32; k += vec::size) {
        store(out + k, widen_to_vec::f16(halves + 2 * k));
    }
}

/// Four floats at a time: four signed bytes, times a factor for each.
class four_factors {
  public:
#if defined(__SSE2__)
    TAMIS_DETAIL_INLINE four_factors(float first_two, float last_two)
        : factors_{_mm_setr_ps(first_two, first_two, last_two, last_two)} {}
    TAMIS_DETAIL_INLINE void times(std::uint32_t bytes, float* out) const {
        _mm_storeu_ps(out, _mm_mul_ps(widening_by_four::int8(&bytes), factors_));
    }

  private:
    __m128 factors_;
#else
    four_factors(float first_two, float last_two) : factors_{first_two, first_two, last_two, last_two} {}
    void times(std::uint32_t bytes, float* out) const {
        for (std::size_t k = 0; k < 4; ++k) {
            const auto byte = static_cast<std::int8_t>(static_cast<std::uint8_t>(bytes >> (8 * k)));
            out[k] = static_cast<float>(byte) * factors_[k];
        }
    }

  private:
    float factors_[4];
#endif
};

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
