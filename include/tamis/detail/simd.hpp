#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized" // g++ 12 warns of its own AVX-512 headers
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

TAMIS_BEGIN

// The only place that knows xsimd: a vector of floats, as wide as the machine that is compiled for.
// Versions 8.1 to 14 differ in names; what is used of them stands here.

namespace detail {

using vec = xsimd::batch<float>;

inline vec load(const float* p) { return vec::load_unaligned(p); }
inline void store(float* p, const vec& v) { v.store_unaligned(p); }
inline vec multiply_add(const vec& a, const vec& b, const vec& c) { return xsimd::fma(a, b, c); }

inline float sum(const vec& v) {
#if XSIMD_VERSION_MAJOR >= 9
    return xsimd::reduce_add(v);
#else
    return xsimd::hadd(v);
#endif
}

/// vec::size bfloat16 as floats: the upper halves of their bits. (xsimd has no widening of 16-bit lanes in all of
/// its versions, and g++ 12 makes store-forwarding stalls of the plain loop.)
inline vec load_bf16(const void* p) {
#if defined(__AVX512F__)
    if constexpr (vec::size == 16) {
        const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
        return vec(_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)));
    }
#elif defined(__AVX2__)
    if constexpr (vec::size == 8) {
        const __m128i half = _mm_loadu_si128(static_cast<const __m128i*>(p));
        return vec(_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16)));
    }
#endif
    std::uint16_t halves[vec::size];
    std::memcpy(halves, p, sizeof halves);
    std::uint32_t words[vec::size];
    for (std::size_t i = 0; i < vec::size; ++i) {
        words[i] = static_cast<std::uint32_t>(halves[i]) << 16;
    }
    float floats[vec::size];
    std::memcpy(floats, words, sizeof floats);
    return load(floats);
}

} // namespace detail

TAMIS_END

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
