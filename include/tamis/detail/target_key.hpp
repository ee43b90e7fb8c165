#pragma once

// TAMIS_DETAIL_TARGET, a name that differs wherever the compiler says that it makes other instructions: one hexadecimal
// digit for four of the macros by which it says so. g++ and clang use what they are told of beyond any #if of ours
// (popcnt, lzcnt and shlx for plain integers, VNNI for plain loops), so all of those macros are here; what takes an
// intrinsic of its own to be used (aes, sha, rdrnd) is not.

// A bit is 1 when a macro is defined as one of these numbers: they become two arguments, anything else stays one.
#define TAMIS_DETAIL_IS_1 ~, 1
#define TAMIS_DETAIL_IS_2 ~, 1
#define TAMIS_DETAIL_IS_1000000 ~, 1 // RISC-V's way to say 1
#define TAMIS_DETAIL_SECOND(a, b, ...) b
#define TAMIS_DETAIL_PICK(...) TAMIS_DETAIL_SECOND(__VA_ARGS__, 0, ~)
#define TAMIS_DETAIL_BIT_(value) TAMIS_DETAIL_PICK(TAMIS_DETAIL_IS_##value)
#define TAMIS_DETAIL_BIT(macro) TAMIS_DETAIL_BIT_(macro)

#define TAMIS_DETAIL_DIGIT_0000 0
#define TAMIS_DETAIL_DIGIT_0001 1
#define TAMIS_DETAIL_DIGIT_0010 2
#define TAMIS_DETAIL_DIGIT_0011 3
#define TAMIS_DETAIL_DIGIT_0100 4
#define TAMIS_DETAIL_DIGIT_0101 5
#define TAMIS_DETAIL_DIGIT_0110 6
#define TAMIS_DETAIL_DIGIT_0111 7
#define TAMIS_DETAIL_DIGIT_1000 8
#define TAMIS_DETAIL_DIGIT_1001 9
#define TAMIS_DETAIL_DIGIT_1010 a
#define TAMIS_DETAIL_DIGIT_1011 b
#define TAMIS_DETAIL_DIGIT_1100 c
#define TAMIS_DETAIL_DIGIT_1101 d
#define TAMIS_DETAIL_DIGIT_1110 e
#define TAMIS_DETAIL_DIGIT_1111 f
#define TAMIS_DETAIL_DIGIT_(a, b, c, d) TAMIS_DETAIL_DIGIT_##a##b##c##d
#define TAMIS_DETAIL_DIGIT_OF(a, b, c, d) TAMIS_DETAIL_DIGIT_(a, b, c, d)
#define TAMIS_DETAIL_DIGIT(a, b, c, d) \
    TAMIS_DETAIL_DIGIT_OF(TAMIS_DETAIL_BIT(a), TAMIS_DETAIL_BIT(b), TAMIS_DETAIL_BIT(c), TAMIS_DETAIL_BIT(d))
#define TAMIS_DETAIL_PASTE_(a, b, c, d, e) a##b##c##d##e
#define TAMIS_DETAIL_PASTE(a, b, c, d, e) TAMIS_DETAIL_PASTE_(a, b, c, d, e)

// clang-format off
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64) || defined(_M_IX86)
#if defined(__AVX512F__)
#define TAMIS_DETAIL_ISA avx512
#elif defined(__AVX2__)
#define TAMIS_DETAIL_ISA avx2
#elif defined(__AVX__)
#define TAMIS_DETAIL_ISA avx
#elif defined(__SSE4_1__)
#define TAMIS_DETAIL_ISA sse4
#elif defined(__SSE2__)
#define TAMIS_DETAIL_ISA sse2
#else
#define TAMIS_DETAIL_ISA x86
#endif
#define TAMIS_DETAIL_BITS_0 TAMIS_DETAIL_PASTE(_, \
    TAMIS_DETAIL_DIGIT(__MMX__, __SSE__, __SSE2__, __SSE2_MATH__), \
    TAMIS_DETAIL_DIGIT(__SSE3__, __SSSE3__, __SSE4_1__, __SSE4_2__), \
    TAMIS_DETAIL_DIGIT(__POPCNT__, __LZCNT__, __BMI__, __BMI2__), \
    TAMIS_DETAIL_DIGIT(__AVX__, __AVX2__, __FMA__, __F16C__))
#define TAMIS_DETAIL_BITS_1 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__MOVBE__, __LAHF_SAHF__, __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16, __CRC32__), \
    TAMIS_DETAIL_DIGIT(__PCLMUL__, __VPCLMULQDQ__, __GFNI__, __ADX__), \
    TAMIS_DETAIL_DIGIT(__SSE4A__, __FMA4__, __XOP__, __TBM__), \
    TAMIS_DETAIL_DIGIT(__PRFCHW__, __MOVRS__, __3dNOW__, __PREFETCHI__))
#define TAMIS_DETAIL_BITS_2 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__AVX512F__, __AVX512CD__, __AVX512DQ__, __AVX512BW__), \
    TAMIS_DETAIL_DIGIT(__AVX512VL__, __AVX512VBMI__, __AVX512VBMI2__, __AVX512IFMA__), \
    TAMIS_DETAIL_DIGIT(__AVX512VNNI__, __AVX512BITALG__, __AVX512VPOPCNTDQ__, __AVX512VP2INTERSECT__), \
    TAMIS_DETAIL_DIGIT(__AVX512BF16__, __AVX512FP16__, __EVEX256__, __EVEX512__))
#define TAMIS_DETAIL_BITS_3 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__AVX512ER__, __AVX512PF__, __AVX5124FMAPS__, __AVX5124VNNIW__), \
    TAMIS_DETAIL_DIGIT(__AVXVNNI__, __AVXIFMA__, __AVXVNNIINT8__, __AVXVNNIINT16__), \
    TAMIS_DETAIL_DIGIT(__AVXNECONVERT__, __AVX10_1__, __AVX10_2__, __APX_F__), \
    TAMIS_DETAIL_DIGIT(__EGPR__, __NDD__, __CCMP__, __NF__))

#elif defined(__aarch64__) || defined(__arm__) || defined(_M_ARM64)
#if defined(__ARM_FEATURE_SVE)
#define TAMIS_DETAIL_ISA sve
#elif defined(__ARM_NEON)
#define TAMIS_DETAIL_ISA neon
#else
#define TAMIS_DETAIL_ISA arm
#endif
#if defined(__ARM_FEATURE_SVE_BITS)
#define TAMIS_DETAIL_SVE_BITS __ARM_FEATURE_SVE_BITS
#else
#define TAMIS_DETAIL_SVE_BITS 0
#endif
#if defined(__ARM_ARCH)
#define TAMIS_DETAIL_BITS_0 TAMIS_DETAIL_PASTE(, __ARM_ARCH, _, TAMIS_DETAIL_SVE_BITS, _)
#else
#define TAMIS_DETAIL_BITS_0 _
#endif
#define TAMIS_DETAIL_BITS_1 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__ARM_NEON, __ARM_FEATURE_FMA, __ARM_FEATURE_CRC32, __ARM_FEATURE_ATOMICS), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_CLZ, __ARM_FEATURE_IDIV, __ARM_FEATURE_DSP, __ARM_FEATURE_SIMD32), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_UNALIGNED, __ARM_FEATURE_SAT, __thumb__, __thumb2__), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_QRDMX, __ARM_FEATURE_COMPLEX, __ARM_FEATURE_JCVT, __ARM_FEATURE_FRINT))
#define TAMIS_DETAIL_BITS_2 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_DOTPROD, __ARM_FEATURE_MATMUL_INT8, __ARM_FEATURE_BF16, __ARM_FEATURE_BF16_VECTOR_ARITHMETIC), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_FP16_SCALAR_ARITHMETIC, __ARM_FEATURE_FP16_VECTOR_ARITHMETIC, __ARM_FEATURE_FP16_FML, __ARM_FEATURE_RCPC), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_MOPS, __ARM_FEATURE_CSSC, __ARM_FEATURE_LSE128, __ARM_FEATURE_SHA3), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_SVE, __ARM_FEATURE_SVE2, __ARM_FEATURE_SVE2p1, __ARM_FEATURE_SVE_VECTOR_OPERATORS))
#define TAMIS_DETAIL_BITS_3 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_SVE_BF16, __ARM_FEATURE_SVE_MATMUL_INT8, __ARM_FEATURE_SVE_MATMUL_FP32, __ARM_FEATURE_SVE_MATMUL_FP64), \
    TAMIS_DETAIL_DIGIT(__ARM_FEATURE_SME, __ARM_FEATURE_SME2, __ARM_FEATURE_FP8, __ARM_FEATURE_LS64),,)

#else // each family has names of its own, so they can share digits
#define TAMIS_DETAIL_ISA other
#define TAMIS_DETAIL_BITS_0 TAMIS_DETAIL_PASTE(_, \
    TAMIS_DETAIL_DIGIT(__ALTIVEC__, __VSX__, __POWER8_VECTOR__, __POWER9_VECTOR__), \
    TAMIS_DETAIL_DIGIT(_ARCH_PWR8, _ARCH_PWR9, _ARCH_PWR10, _ARCH_PWR11),,)
#define TAMIS_DETAIL_BITS_1 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__riscv_v, __riscv_vector, __riscv_zba, __riscv_zbb), \
    TAMIS_DETAIL_DIGIT(__riscv_zbs, __riscv_zfh, __riscv_zvfh, __riscv_zicond),,)
#define TAMIS_DETAIL_BITS_2 TAMIS_DETAIL_PASTE(, \
    TAMIS_DETAIL_DIGIT(__wasm_simd128__, __wasm_relaxed_simd__, __wasm_bulk_memory__, __wasm_nontrapping_fptoint__), \
    TAMIS_DETAIL_DIGIT(__loongarch_sx, __loongarch_asx, __loongarch_frecipe, __zarch__),,)
#if defined(__zarch__)
#define TAMIS_DETAIL_BITS_3 __ARCH__
#else
#define TAMIS_DETAIL_BITS_3
#endif
#endif
// clang-format on

/// As in avx2_7fff800_...: the best of the vectors by name, for the reader; then the bits.
#define TAMIS_DETAIL_TARGET                                                                             \
    TAMIS_DETAIL_PASTE(TAMIS_DETAIL_ISA, TAMIS_DETAIL_BITS_0, TAMIS_DETAIL_BITS_1, TAMIS_DETAIL_BITS_2, \
                       TAMIS_DETAIL_BITS_3)
