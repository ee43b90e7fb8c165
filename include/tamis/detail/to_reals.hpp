#pragma once

#include <tamis/detail/lanes.hpp>
#include <tamis/detail/widen.hpp>

TAMIS_BEGIN

// Elements as reals, a vector at a time where the type's bits are known. Exact, as to_real is, whose loop it equals.

namespace detail {

/// IEEE 754's binary16 and bfloat16, whoever defines the type.
template <class T>
inline constexpr bool is_binary16 =
#if defined(TAMIS_HAS_FLOAT16)
    std::is_same_v<T, _Float16> ||
#endif
    (sizeof(T) == 2 && std::numeric_limits<T>::digits == 11 && std::numeric_limits<T>::max_exponent == 16);
template <class T>
inline constexpr bool is_bfloat16 =
    sizeof(T) == 2 && std::numeric_limits<T>::digits == 8 && std::numeric_limits<T>::max_exponent == 128;

/// A vector of elements as floats; `widens` tells whether there is one for T.
template <class T>
inline constexpr bool widens = is_bfloat16<T> || is_binary16<T> || std::is_same_v<T, std::int8_t>;
template <class T>
vec load_widened(const T* p) {
    static_assert(widens<T>);
    if constexpr (is_bfloat16<T>) {
        return widen_to_vec::bf16(p);
    } else if constexpr (is_binary16<T>) {
        return widen_to_vec::f16(p);
    } else {
        return widen_to_vec::int8(p);
    }
}

template <class T>
void to_reals(const T* from, std::size_t count, real_of<T>* out) {
    std::size_t i = 0;
    if constexpr (widens<T>) {
        for (; i + vec::size <= count; i += vec::size) {
            store(out + i, load_widened(from + i));
        }
    }
    for (; i < count; ++i) {
        out[i] = to_real(from[i]);
    }
}

/// As many doubles as a vector holds, from reals: exact, denormal floats too, even where the processor takes these
/// for zero.
inline real_lanes<double> load_doubles(const double* p) { return real_lanes<double>::load_unaligned(p); }
inline real_lanes<double> load_doubles(const float* p) {
#if defined(__AVX512F__)
    if constexpr (lane_count<double> == 8) {
        const __m512i keys =
            _mm512_and_si512(_mm512_castsi256_si512(_mm256_loadu_si256(
                                 reinterpret_cast<const __m256i*>(p))), // the rest is not used
                             _mm512_set1_epi32(0x7fffffff));
        const __m512i above_zero = _mm512_sub_epi32(keys, _mm512_set1_epi32(1));
        if ((_mm512_cmplt_epu32_mask(above_zero, _mm512_set1_epi32(0x7fffff)) & 0xff) == 0) {
            return real_lanes<double>(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
        }
    }
#elif defined(__AVX2__)
    if constexpr (lane_count<double> == 4) {
        const __m128i keys =
            _mm_and_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)), _mm_set1_epi32(0x7fffffff));
        const __m128i denormal = _mm_and_si128(_mm_cmpgt_epi32(keys, _mm_setzero_si128()),
                                               _mm_cmpgt_epi32(_mm_set1_epi32(0x800000), keys));
        if (_mm_movemask_epi8(denormal) == 0) {
            return real_lanes<double>(_mm256_cvtps_pd(_mm_loadu_ps(p)));
        }
    }
#endif
    double lanes[lane_count<double>];
    for (std::size_t i = 0; i < lane_count<double>; ++i) {
        lanes[i] = widen(p[i]);
    }
    return load_doubles(lanes);
}

/// without_denormals of each lane.
inline real_lanes<double> without_denormals(const real_lanes<double>& v) {
    const auto bits = bits_of_lanes<double>(v);
    const auto normal = keys_of<double>(bits) > key_lanes<double>(0x0010000000000000);
    return reals_of<double>(only<double>(normal, bits));
}

} // namespace detail

TAMIS_END
