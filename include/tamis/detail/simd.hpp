#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// What xsimd can do on this target, told before its own headers fail.
#include <xsimd/config/xsimd_config.hpp>
#if !(defined(__SSE2__) || defined(_M_X64)) && !(defined(__ARM_NEON) && defined(__aarch64__)) &&      \
    !(defined(XSIMD_WITH_SVE) && XSIMD_WITH_SVE) && !(defined(XSIMD_WITH_RVV) && XSIMD_WITH_RVV) &&   \
    !(defined(XSIMD_WITH_VSX) && XSIMD_WITH_VSX) && !(defined(XSIMD_WITH_WASM) && XSIMD_WITH_WASM) && \
    !(defined(XSIMD_WITH_EMULATED) && XSIMD_WITH_EMULATED)
#error \
    "tamis: the target has no vectors of floats and doubles that this xsimd knows. They are SSE2 (-msse2) or more on x86, NEON on 64-bit ARM, and with newer xsimd RVV (-march=rv64gcv -mrvv-vector-bits=zvl), VSX (-mvsx) and WebAssembly's (-msimd128)."
#include <tamis/no_vectors_here> // ends the compilation, which would only repeat itself
#endif

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

/// vec::size IEEE binary16 as floats, from their bits; `plain(bits)` is the simple way for one.
template <class Plain>
vec load_f16(const void* p, [[maybe_unused]] Plain&& plain) {
#if defined(__AVX512F__)
    if constexpr (vec::size == 16) {
        return vec(_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p))));
    }
#elif defined(__AVX2__) && defined(__F16C__)
    if constexpr (vec::size == 8) {
        return vec(_mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))));
    }
#endif
    std::uint16_t halves[vec::size];
    std::memcpy(halves, p, sizeof halves);
    float floats[vec::size];
    for (std::size_t i = 0; i < vec::size; ++i) {
        floats[i] = plain(halves[i]);
    }
    return load(floats);
}

/// vec::size signed bytes as floats.
inline vec load_int8(const void* p) {
#if defined(__AVX512F__)
    if constexpr (vec::size == 16) {
        return vec(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)))));
    }
#elif defined(__AVX2__)
    if constexpr (vec::size == 8) {
        return vec(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)))));
    }
#endif
    std::int8_t bytes[vec::size];
    std::memcpy(bytes, p, sizeof bytes);
    float floats[vec::size];
    for (std::size_t i = 0; i < vec::size; ++i) {
        floats[i] = static_cast<float>(bytes[i]);
    }
    return load(floats);
}

/// The low and the high halves of vec::size bytes, less 8, as floats.
inline void load_nibbles(const void* p, vec& low, vec& high) {
#if defined(__AVX512F__)
    if constexpr (vec::size ==
                  16) { // a permutation looks at four bits of an index: it is table and mask in one
        const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
        low = vec(_mm512_permutexvar_ps(bytes, table));
        high = vec(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), table));
        return;
    }
#elif defined(__AVX2__)
    if constexpr (vec::size == 8) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
        const __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        const __m256i eight = _mm256_set1_epi32(8);
        low = vec(_mm256_cvtepi32_ps(_mm256_sub_epi32(lows, eight)));
        high = vec(_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(bytes, 4), eight)));
        return;
    }
#endif
    unsigned char bytes[vec::size];
    std::memcpy(bytes, p, sizeof bytes);
    float lows[vec::size];
    float highs[vec::size];
    for (std::size_t i = 0; i < vec::size; ++i) {
        lows[i] = static_cast<float>((bytes[i] & 15) - 8);
        highs[i] = static_cast<float>((bytes[i] >> 4) - 8);
    }
    low = load(lows);
    high = load(highs);
}

/// The low halves of vec::size bytes, less 8, and the whole bytes, as floats: quicker than both halves.
inline void load_low_nibbles(const void* p, vec& low, vec& whole) {
#if defined(__AVX512F__)
    if constexpr (vec::size == 16) {
        const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
        low = vec(_mm512_permutexvar_ps(bytes, table));
        whole = vec(_mm512_cvtepi32_ps(bytes));
        return;
    }
#elif defined(__AVX2__)
    if constexpr (vec::size == 8) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
        const __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        low = vec(_mm256_cvtepi32_ps(_mm256_sub_epi32(lows, _mm256_set1_epi32(8))));
        whole = vec(_mm256_cvtepi32_ps(bytes));
        return;
    }
#endif
    unsigned char bytes[vec::size];
    std::memcpy(bytes, p, sizeof bytes);
    float lows[vec::size];
    float wholes[vec::size];
    for (std::size_t i = 0; i < vec::size; ++i) {
        lows[i] = static_cast<float>((bytes[i] & 15) - 8);
        wholes[i] = static_cast<float>(bytes[i]);
    }
    low = load(lows);
    whole = load(wholes);
}

/// Asks for the cache line of an address that will be read soon.
TAMIS_DETAIL_INLINE void prefetch([[maybe_unused]] const std::byte* p) { // g++ 12 drops calls of it else
#if defined(__GNUC__)
    __builtin_prefetch(p);
#endif
}

} // namespace detail

TAMIS_END

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
