#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

// What xsimd can do on this target, told before its own headers fail.
#include <xsimd/config/xsimd_config.hpp>
#if !(defined(__SSE2__) || defined(_M_X64)) && !(defined(__ARM_NEON) && defined(__aarch64__)) &&    \
    !(defined(XSIMD_WITH_SVE) && XSIMD_WITH_SVE) && !(defined(XSIMD_WITH_RVV) && XSIMD_WITH_RVV) && \
    !(defined(XSIMD_WITH_VSX) && XSIMD_WITH_VSX) && !(defined(XSIMD_WITH_VXE) && XSIMD_WITH_VXE) && \
    !(defined(XSIMD_WITH_WASM) && XSIMD_WITH_WASM)
#if !(defined(XSIMD_WITH_EMULATED) && XSIMD_WITH_EMULATED)
#error \
    "tamis: the target has no vectors of floats and doubles that this xsimd knows. They are SSE2 (-msse2) or more on x86, NEON on 64-bit ARM, and with newer xsimd RVV (-march=rv64gcv -mrvv-vector-bits=zvl), VSX (-mvsx), VXE (-march=z14 -mzvector) and WebAssembly's (-msimd128); from xsimd 14 on -DXSIMD_WITH_EMULATED=1 stands in for them."
#include <tamis/no_vectors_here> // ends the compilation, which would only repeat itself
#elif !defined(XSIMD_DEFAULT_ARCH)
#define XSIMD_DEFAULT_ARCH xsimd::emulated<128> // xsimd takes these for no target unasked
#define TAMIS_DETAIL_EMULATED 1
#endif
#endif

TAMIS_DETAIL_INTRINSICS
#include <xsimd/xsimd.hpp>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif
#if defined(TAMIS_DETAIL_EMULATED)
static_assert(
    xsimd::default_arch::supported(),
    "tamis: xsimd was included before tamis, and chose no vectors: -DXSIMD_DEFAULT_ARCH='xsimd::emulated<128>'");
#endif

TAMIS_BEGIN

// The only place that knows xsimd: a vector of floats, as wide as the machine that is compiled for.
// Versions 8.1 to 14 differ in names; what is used of them stands here.

namespace detail {

using vec = xsimd::batch<float>;

inline vec load(const float* p) { return vec::load_unaligned(p); }
inline void store(float* p, const vec& v) { v.store_unaligned(p); }
/// a * b + c, rounded once where the machine can. xsimd 8.1 has no such instruction for AVX-512, and what it has instead a
/// compiler rounds once or twice by what stands around it: equal columns would have different sums. So they would where the
/// instruction set has none and fast math lets a compiler add or multiply in another order, here and not there: it sees neither the
/// factors, which may be products, nor the sum.
inline vec multiply_add(const vec& a, const vec& b, const vec& c) {
#if defined(__AVX512F__)
    if constexpr (vec::size == 16) {
        return vec(_mm512_fmadd_ps(a.data, b.data, c.data));
    }
#elif defined(__FMA__) && defined(__AVX2__)
    if constexpr (vec::size == 8) {
        return vec(_mm256_fmadd_ps(a.data, b.data, c.data));
    }
#endif
#if defined(__GNUC__) && (defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)) && defined(__SSE2__) && \
    !defined(TAMIS_DETAIL_OTHER_ARCH)
    vec first = a;
    vec second = b;
    __asm__("" : "+x"(first.data), "+x"(second.data));
    vec sum = first * second + c;
    __asm__("" : "+x"(sum.data));
    return sum;
#else
    return xsimd::fma(a, b, c);
#endif
}

/// a / b by the machine's division. -ffast-math makes of a vector's division a product with an estimated reciprocal, which is
/// NaN where b is infinite, as 1 + exp of something large is, and rounds otherwise.
#if defined(__GNUC__) && defined(__SSE2__) && (defined(__FAST_MATH__) || defined(__RECIPROCAL_MATH__))
template <class Register>
inline Register divide_registers(Register a, const Register& b) {
#if defined(__AVX512F__)
    __asm__("vdivps %2, %1, %0" : "=v"(a) : "v"(a), "v"(b));
#elif defined(__AVX__)
    __asm__("vdivps %2, %1, %0" : "=x"(a) : "x"(a), "x"(b));
#else
    __asm__("divps %1, %0" : "+x"(a) : "x"(b));
#endif
    return a;
}
#else
template <class Register>
inline Register divide_registers(const Register& a, const Register& b) {
    return a / b;
}
#endif
inline vec divide(const vec& a, const vec& b) {
#if defined(__GNUC__) && defined(__SSE2__) && !defined(TAMIS_DETAIL_OTHER_ARCH)
    return vec(divide_registers(a.data, b.data));
#else
    return a / b;
#endif
}

inline float sum(const vec& v) {
#if XSIMD_VERSION_MAJOR >= 9
    return xsimd::reduce_add(v);
#else
    return xsimd::hadd(v);
#endif
}

/// Asks for the cache line of an address that will be read soon.
TAMIS_DETAIL_INLINE void prefetch([[maybe_unused]] const std::byte* p) { // g++ 12 drops calls of it else
#if defined(__GNUC__)
    __builtin_prefetch(p);
#endif
}

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
