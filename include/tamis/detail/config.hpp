#pragma once

#include <tamis/detail/target_key.hpp>
#include <tamis/version.hpp>

// One program may have objects for several instruction sets. Of an inline function that two objects have under one name
// the linker keeps one body, and an older processor then meets a newer one's instructions. So everything here is in an
// inline namespace whose name tells what changes code: the target, the arithmetic (-ffast-math or a part of it; xsimd
// told by macros to be for another machine), exceptions, TAMIS_CHECKED and TAMIS_HARDENED, which implies the former.
//
// What holds: units whose flags differ in these share no function of this library, however they are optimised, and none of
// the standard library that it calls and whose code depends on the target. Of xsimd the same holds from -O1 on: at -O0 its
// functions are calls, and what AVX is made of there has SSE2's names. So a program for several instruction sets is
// compiled with -O1 or more, as is the <cmath> of an activation (at -O0 even std::exp(float) is a function of its own).
//
// The types that units hand to each other (mask, workspace, traffic and what belongs to them) are of the version alone:
// a function declared with them in one unit is the same in all. Their member functions are marked TAMIS_KEYED, which
// puts the name of the namespace into each of theirs.

#if defined(__FAST_MATH__)
#define TAMIS_DETAIL_FAST _fast
#else
#define TAMIS_DETAIL_FAST
#endif
#if defined(TAMIS_HARDENED) && !defined(TAMIS_CHECKED)
#define TAMIS_CHECKED
#endif
#if defined(__cpp_exceptions) && defined(TAMIS_HARDENED)
#define TAMIS_DETAIL_THROWS _hardened
#elif defined(__cpp_exceptions) && defined(TAMIS_CHECKED)
#define TAMIS_DETAIL_THROWS _checked
#elif defined(__cpp_exceptions)
#define TAMIS_DETAIL_THROWS
#elif defined(TAMIS_HARDENED)
#define TAMIS_DETAIL_THROWS _nothrow_hardened
#elif defined(TAMIS_CHECKED)
#define TAMIS_DETAIL_THROWS _nothrow_checked
#else
#define TAMIS_DETAIL_THROWS _nothrow
#endif
#if defined( \
    XSIMD_DEFAULT_ARCH) // that it is another, not which: two that differ in it alone are not told apart
#define TAMIS_DETAIL_OTHER_ARCH 1
#endif
#define TAMIS_DETAIL_ARITHMETIC                                                                            \
    TAMIS_DETAIL_PASTE(_,                                                                                  \
                       TAMIS_DETAIL_DIGIT(__FINITE_MATH_ONLY__, __ASSOCIATIVE_MATH__, __RECIPROCAL_MATH__, \
                                          __NO_SIGNED_ZEROS__),                                            \
                       TAMIS_DETAIL_DIGIT(__NO_TRAPPING_MATH__, __NO_MATH_ERRNO__, __ROUNDING_MATH__,      \
                                          _M_FP_FAST),                                                     \
                       TAMIS_DETAIL_DIGIT(TAMIS_DETAIL_OTHER_ARCH, XSIMD_WITH_EMULATED,                    \
                                          TAMIS_DETAIL_NO_INT128, ),                                       \
                       TAMIS_DETAIL_FAST)

#define TAMIS_DETAIL_VERSION TAMIS_DETAIL_PASTE(v, TAMIS_VERSION_MAJOR, _, TAMIS_VERSION_MINOR, )
#define TAMIS_DETAIL_KEY                                                                      \
    TAMIS_DETAIL_PASTE(TAMIS_DETAIL_VERSION, _, TAMIS_DETAIL_TARGET, TAMIS_DETAIL_ARITHMETIC, \
                       TAMIS_DETAIL_THROWS)

// g++ 12 knows binary16 for ARM, but not by C++'s name.
#if defined(__FLT16_MAX__) && (defined(__clang__) || defined(__x86_64__) || __GNUC__ >= 13)
#define TAMIS_HAS_FLOAT16 1
#endif

// For the inside of kernels: a call there costs more than what it does.
#if defined(__GNUC__)
#define TAMIS_DETAIL_INLINE [[gnu::always_inline]] inline
#else
#define TAMIS_DETAIL_INLINE inline
#endif

// For what is compiled once and called from many places: a copy in each of them would cost compile time alone.
#if defined(__GNUC__)
#define TAMIS_DETAIL_NOINLINE [[gnu::noinline]]
#else
#define TAMIS_DETAIL_NOINLINE
#endif

// Around a header that uses intrinsics: g++ 12 warns of what its own AVX-512 headers leave unset.
#if defined(__GNUC__) && !defined(__clang__)
#define TAMIS_DETAIL_INTRINSICS                                                          \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wuninitialized\"") \
        _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
#define TAMIS_DETAIL_INTRINSICS_END _Pragma("GCC diagnostic pop")
#else
#define TAMIS_DETAIL_INTRINSICS
#define TAMIS_DETAIL_INTRINSICS_END
#endif

/// Opens and closes every header: `TAMIS_BEGIN ... TAMIS_END` is
/// `namespace tamis { inline namespace v0_1_avx2_fffff00000000000_000 { ... } }`.
#define TAMIS_BEGIN   \
    namespace tamis { \
    inline namespace TAMIS_DETAIL_KEY {
#define TAMIS_END \
    }             \
    }

/// The same for a type that all units share, `inline namespace v0_1`. Each of its member functions and friends,
/// defaulted ones too, is TAMIS_KEYED. (It has no namespace `detail`: tamis::detail would be ambiguous.)
#define TAMIS_BEGIN_SHARED \
    namespace tamis {      \
    inline namespace TAMIS_DETAIL_VERSION {
#define TAMIS_DETAIL_STRING_(x) #x
#define TAMIS_DETAIL_STRING(x) TAMIS_DETAIL_STRING_(x)
#if defined(__GNUC__)
#define TAMIS_KEYED [[gnu::abi_tag(TAMIS_DETAIL_STRING(TAMIS_DETAIL_KEY))]]
#else
#define TAMIS_KEYED
#endif
