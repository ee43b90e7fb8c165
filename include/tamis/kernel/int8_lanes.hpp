#pragma once

#include <tamis/detail/bytes.hpp>
#include <tamis/detail/config.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Thirty-two products of bytes at a time, summed by fours into eight lanes of integers: what integer kernels are made of. One
// width for every processor, since a block has 32 weights. (Where vectors are longer, these are still the quickest: of 256 bits
// a processor does three at once and of 512 two, and two blocks in one vector want their scales spread.)

namespace detail {

/// Whether products are made so on this target: where it was measured to be quicker than floats.
inline constexpr bool multiplies_bytes =
#if defined(__AVX2__)
    true;
#else
    false;
#endif

/// A block whose largest magnitude has smaller bits is zeros: 2^-100.
inline constexpr std::uint32_t least_of_block = 0x0d800000u;

// By reference alone: not all machines have registers for them.
typedef std::int32_t ints8 __attribute__((vector_size(32)));
typedef float floats8 __attribute__((vector_size(32)));

TAMIS_DETAIL_INLINE void load_lanes(const float* p, floats8& lanes) {
#if defined(__AVX__) // g++ 12 copies an array by halves, and waits for them
    lanes = (floats8)_mm256_loadu_ps(p);
#else
    std::memcpy(&lanes, p, sizeof lanes);
#endif
}
TAMIS_DETAIL_INLINE void store_lanes(float* p, const floats8& lanes) {
#if defined(__AVX__)
    _mm256_storeu_ps(p, (__m256)lanes);
#else
    std::memcpy(p, &lanes, sizeof lanes);
#endif
}
TAMIS_DETAIL_INLINE void set_lanes(float value, floats8& lanes) {
#if defined(__AVX__)
    lanes = (floats8)_mm256_set1_ps(value);
#else
    lanes = floats8{value, value, value, value, value, value, value, value};
#endif
}
/// The first value in the lower four lanes, the second in the others.
TAMIS_DETAIL_INLINE void set_halves(float low, float high, floats8& lanes) {
#if defined(__AVX__)
    lanes = (floats8)_mm256_blend_ps(_mm256_set1_ps(low), _mm256_set1_ps(high), 0xf0);
#else
    lanes = floats8{low, low, low, low, high, high, high, high};
#endif
}
/// sum += a * b.
TAMIS_DETAIL_INLINE void add_product(const floats8& a, const floats8& b, floats8& sum) {
#if defined(__FMA__) && defined(__AVX2__)
    sum = (floats8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#else
    sum = a * b + sum;
#endif
}
/// sum += a * b for whole numbers a.
TAMIS_DETAIL_INLINE void add_product(const ints8& a, const floats8& b, floats8& sum) {
#if defined(__FMA__) && defined(__AVX2__)
    sum = (floats8)_mm256_fmadd_ps(_mm256_cvtepi32_ps((__m256i)a), (__m256)b, (__m256)sum);
#else
    sum = __builtin_convertvector(a, floats8) * b + sum;
#endif
}
#if defined(__AVX2__)
/// The largest magnitude's bits, of 32 floats.
inline std::uint32_t largest_of_32(const float* values) {
    const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
    __m256i most = _mm256_setzero_si256();
    for (int k = 0; k < 4; ++k) {
        const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + 8 * k));
        most = _mm256_max_epi32(most, _mm256_and_si256(bits, magnitude));
    }
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(four));
}
#endif
/// In one and the same order everywhere.
TAMIS_DETAIL_INLINE float sum_of_lanes(const floats8& v) {
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

#if !defined(__AVX2__)
/// Lane k has the products of bytes 4 k .. 4 k + 3, signed, all of them but x's -128.
TAMIS_DETAIL_INLINE void dot_signed_by_halves(const bytes32& codes, const bytes32& x, ints8& lanes) {
    bytes16 of_codes[2], of_x[2];
    halves_of(codes, of_codes[0], of_codes[1]);
    halves_of(x, of_x[0], of_x[1]);
    for (int half = 0; half < 2; ++half) {
#if defined(__SSSE3__)
        const __m128i pairs = _mm_maddubs_epi16(_mm_abs_epi8((__m128i)of_codes[half]),
                                                _mm_sign_epi8((__m128i)of_x[half], (__m128i)of_codes[half]));
        const __m128i four = _mm_madd_epi16(pairs, _mm_set1_epi16(1));
        std::memcpy(reinterpret_cast<std::byte*>(&lanes) + 16 * half, &four, sizeof four);
#else
        typedef std::int8_t signed16 __attribute__((vector_size(16)));
        typedef std::int16_t words __attribute__((vector_size(32)));
        const words products = __builtin_convertvector((signed16)of_codes[half], words) *
                               __builtin_convertvector((signed16)of_x[half], words);
        for (int k = 0; k < 4; ++k) {
            lanes[4 * half + k] =
                products[4 * k] + products[4 * k + 1] + products[4 * k + 2] + products[4 * k + 3];
        }
#endif
    }
}
#endif

/// Lane k has the products of bytes 4 k .. 4 k + 3: codes from 0 to `most` (less than 128) times signed bytes.
template <int Most>
TAMIS_DETAIL_INLINE void dot_unsigned(const bytes32& codes, const bytes32& x, ints8& lanes) {
    static_assert(Most <= 127); // 127 * 127 * 2 fits into 16 bits
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    lanes = (ints8)_mm256_dpbusd_epi32(_mm256_setzero_si256(), (__m256i)codes, (__m256i)x);
#elif defined(__AVXVNNI__)
    lanes = (ints8)_mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), (__m256i)codes, (__m256i)x);
#elif defined(__AVX2__)
    lanes = (ints8)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)codes, (__m256i)x), _mm256_set1_epi16(1));
#else
    dot_signed_by_halves(codes, x, lanes);
#endif
}

/// The same of signed bytes, all of them but x's -128.
TAMIS_DETAIL_INLINE void dot_signed(const bytes32& codes, const bytes32& x,
                                    [[maybe_unused]] const ints8& of_128, ints8& lanes) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    lanes = (ints8)_mm256_dpbusd_epi32((__m256i)of_128, (__m256i)(codes ^ 0x80), (__m256i)x);
#elif defined(__AVXVNNI__)
    lanes = (ints8)_mm256_dpbusd_avx_epi32((__m256i)of_128, (__m256i)(codes ^ 0x80), (__m256i)x);
#elif defined(__AVX2__)
    const __m256i pairs =
        _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)codes), _mm256_sign_epi8((__m256i)x, (__m256i)codes));
    lanes = (ints8)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#else
    dot_signed_by_halves(codes, x, lanes);
#endif
}
/// What it is given of x: the products of -128, where the instructions want unsigned codes.
TAMIS_DETAIL_INLINE void dot_of_128([[maybe_unused]] const bytes32& x, ints8& lanes) {
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    lanes = -(ints8)_mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(-128), (__m256i)x);
#elif defined(__AVXVNNI__)
    lanes = -(ints8)_mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(-128), (__m256i)x);
#else
    lanes = ints8{};
#endif
}

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
