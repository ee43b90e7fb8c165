#pragma once

#include <tamis/version.hpp>

// An inline namespace keyed on what changes the code of an inline function: the instruction set, fast math,
// exceptions and TAMIS_CHECKED. Two translation units of one program compiled with different flags then never share a body
// (the linker would keep one of them: the SSE2 unit would run the AVX-512 code).

#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define TAMIS_DETAIL_ISA avx512
#elif defined(__AVX512F__)
#define TAMIS_DETAIL_ISA avx512f
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define TAMIS_DETAIL_ISA avx2_fma_f16c
#elif defined(__AVX2__) && defined(__FMA__)
#define TAMIS_DETAIL_ISA avx2_fma
#elif defined(__AVX2__)
#define TAMIS_DETAIL_ISA avx2
#elif defined(__AVX__)
#define TAMIS_DETAIL_ISA avx
#elif defined(__SSE4_2__)
#define TAMIS_DETAIL_ISA sse4_2
#elif defined(__SSE2__)
#define TAMIS_DETAIL_ISA sse2
#elif defined(__ARM_FEATURE_SVE)
#define TAMIS_DETAIL_ISA sve
#elif defined(__ARM_NEON)
#define TAMIS_DETAIL_ISA neon
#else
#define TAMIS_DETAIL_ISA scalar
#endif

#if defined(__FAST_MATH__)
#define TAMIS_DETAIL_MATH _fast
#else
#define TAMIS_DETAIL_MATH
#endif

#if defined(__cpp_exceptions) && defined(TAMIS_CHECKED)
#define TAMIS_DETAIL_THROWS _checked
#elif defined(__cpp_exceptions)
#define TAMIS_DETAIL_THROWS
#elif defined(TAMIS_CHECKED)
#define TAMIS_DETAIL_THROWS _nothrow_checked
#else
#define TAMIS_DETAIL_THROWS _nothrow
#endif

// g++ 12 knows binary16 for ARM, but not by C++'s name.
#if defined(__FLT16_MAX__) && (defined(__clang__) || defined(__x86_64__) || __GNUC__ >= 13)
#define TAMIS_HAS_FLOAT16 1
#endif

#define TAMIS_DETAIL_JOIN_(a, b, c, d, e) v##a##_##b##_##c##d##e
#define TAMIS_DETAIL_JOIN(a, b, c, d, e) TAMIS_DETAIL_JOIN_(a, b, c, d, e)

// For the inside of kernels: a call there costs more than what it does.
#if defined(__GNUC__)
#define TAMIS_DETAIL_INLINE [[gnu::always_inline]] inline
#else
#define TAMIS_DETAIL_INLINE inline
#endif

/// Opens and closes every header: `TAMIS_BEGIN ... TAMIS_END` is `namespace tamis { inline namespace v0_1_avx512 { ... } }`.
#define TAMIS_BEGIN                                                                                \
    namespace tamis {                                                                              \
    inline namespace TAMIS_DETAIL_JOIN(TAMIS_VERSION_MAJOR, TAMIS_VERSION_MINOR, TAMIS_DETAIL_ISA, \
                                       TAMIS_DETAIL_MATH, TAMIS_DETAIL_THROWS) {
#define TAMIS_END \
    }             \
    }
