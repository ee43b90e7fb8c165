#pragma once

#include <tamis/detail/compress.hpp>
#include <tamis/detail/simd.hpp>
#include <tamis/element.hpp>

#include <span>

TAMIS_BEGIN

// Vectors of scores. A score is a real whose sign means nothing; its key is its bits without the sign as a signed
// integer, which orders as the magnitudes do, with NaN on top, under every flag. One lane a score.

namespace detail {

template <class Real>
using key_of = std::conditional_t<std::is_same_v<Real, float>, std::int32_t, std::int64_t>;
template <class Real>
using real_lanes = xsimd::batch<Real>;
template <class Real>
using key_lanes = xsimd::batch<key_of<Real>>;
template <class Real>
using lane_choice = xsimd::batch_bool<key_of<Real>>;

template <class Real>
inline constexpr std::size_t lane_count = real_lanes<Real>::size;

template <class Real>
constexpr key_of<Real> key(Real score) {
    return static_cast<key_of<Real>>(magnitude_bits(score));
}
template <class Real>
inline constexpr auto infinity_key = static_cast<key_of<Real>>(infinity_bits<Real>);
/// The greatest key, a NaN's: passes fill up the last vector with it, and count it nowhere.
template <class Real>
inline constexpr auto padding_key = (std::numeric_limits<key_of<Real>>::max)();

/// The same register, read as lanes of another type. (xsimd's bitwise_cast takes g++ seconds on ARM: it makes a table of all
/// pairs of types.)
template <class To, class From>
To same_register(const From& v) {
#if XSIMD_VERSION_MAJOR >= 11
    using to = typename To::value_type;
#else
    using to = To;
#endif
    if constexpr (std::is_base_of_v<xsimd::neon, typename From::arch_type>) {
        return To{reinterpret_cast<typename To::register_type>(v.data)};
    } else {
        return xsimd::bitwise_cast<to>(v);
    }
}
template <class Real>
key_lanes<Real> bits_of_lanes(const real_lanes<Real>& v) {
    return same_register<key_lanes<Real>>(v);
}
template <class Real>
real_lanes<Real> reals_of(const key_lanes<Real>& keys) {
    return same_register<real_lanes<Real>>(keys);
}

// Keys from and to memory. xsimd's VXE says long long where std::int64_t is long, another type: g++ moved its stores behind the
// reads of what they had stored.
template <class Real>
key_lanes<Real> keys_at(const key_of<Real>* p) {
#if defined(XSIMD_WITH_VXE) && XSIMD_WITH_VXE
    key_lanes<Real> keys;
    std::memcpy(&keys.data, p, sizeof keys.data);
    return keys;
#else
    return key_lanes<Real>::load_unaligned(p);
#endif
}
template <class Lanes, class Key>
void store_keys(const Lanes& keys, Key* out) {
#if defined(XSIMD_WITH_VXE) && XSIMD_WITH_VXE
    std::memcpy(out, &keys.data, sizeof keys.data);
#else
    keys.store_unaligned(out);
#endif
}

/// Bits without their signs.
template <class Real>
key_lanes<Real> keys_of(const key_lanes<Real>& bits) {
    return bits & key_lanes<Real>(opaque(padding_key<Real>));
}

/// The keys of the scores at p, a full vector of them.
template <class Real>
key_lanes<Real> load_keys(const Real* p) {
    return keys_of<Real>(bits_of_lanes<Real>(real_lanes<Real>::load_unaligned(p)));
}
/// The same for fewer: the rest is padding.
template <class Real>
key_lanes<Real> load_keys(const Real* p, std::size_t count) {
    key_of<Real> keys[lane_count<Real>];
    for (std::size_t i = 0; i < lane_count<Real>; ++i) {
        keys[i] = i < count ? key(p[i]) : padding_key<Real>;
    }
    return keys_at<Real>(keys);
}

/// low <= key < high.
template <class Real>
lane_choice<Real> within(const key_lanes<Real>& keys, const key_lanes<Real>& low,
                         const key_lanes<Real>& high) {
#if defined(__AVX512F__) // one unsigned comparison; elsewhere those are slow
    if constexpr (sizeof(Real) * lane_count<Real> == 64 && sizeof(Real) == 4) {
        return lane_choice<Real>(_mm512_cmplt_epu32_mask((keys - low).data, (high - low).data));
    } else if constexpr (sizeof(Real) * lane_count<Real> == 64) {
        return lane_choice<Real>(_mm512_cmplt_epu64_mask((keys - low).data, (high - low).data));
    }
#endif
    [[maybe_unused]] const lane_choice<Real> below =
        keys < low; // which the sum of what is below has made already
    const lane_choice<Real> not_above = keys < high;
#if defined(__AVX2__)
    if constexpr (requires { _mm256_andnot_si256(below.data, not_above.data); }) {
        return lane_choice<Real>(_mm256_andnot_si256(below.data, not_above.data));
    }
#endif
#if defined(__SSE2__)
    if constexpr (requires { _mm_andnot_si128(below.data, not_above.data); }) {
        return lane_choice<Real>(_mm_andnot_si128(below.data, not_above.data));
    }
#endif
    return (keys >= low) & not_above;
}

/// The keys where chosen, else 0. (xsimd's own select blends, which g++ makes more than one instruction of; that of 8.1 does
/// not compile for AVX-512 without optimisation.)
template <class Real>
key_lanes<Real> only(const lane_choice<Real>& chosen, const key_lanes<Real>& keys) {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) * lane_count<Real> == 64 && sizeof(Real) == 4) {
        return key_lanes<Real>(_mm512_maskz_mov_epi32(chosen.data, keys.data));
    } else if constexpr (sizeof(Real) * lane_count<Real> == 64) {
        return key_lanes<Real>(_mm512_maskz_mov_epi64(chosen.data, keys.data));
    } else
#endif
#if defined(__AVX2__)
        if constexpr (requires { _mm256_and_si256(chosen.data, keys.data); }) {
        return key_lanes<Real>(_mm256_and_si256(chosen.data, keys.data));
    } else
#endif
#if defined(__SSE2__)
        if constexpr (requires { _mm_and_si128(chosen.data, keys.data); }) {
        return key_lanes<Real>(_mm_and_si128(chosen.data, keys.data));
    } else
#endif
    {
        return xsimd::select(chosen, keys, key_lanes<Real>(0));
    }
}

/// sum + v where chosen.
template <class Real>
real_lanes<Real> add_where(const real_lanes<Real>& sum, const lane_choice<Real>& chosen,
                           const real_lanes<Real>& v) {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) * lane_count<Real> == 64 && sizeof(Real) == 4) {
        return real_lanes<Real>(_mm512_mask_add_ps(sum.data, chosen.data, sum.data, v.data));
    } else if constexpr (sizeof(Real) * lane_count<Real> == 64) {
        return real_lanes<Real>(_mm512_mask_add_pd(sum.data, chosen.data, sum.data, v.data));
    }
#endif
    return sum + reals_of<Real>(only<Real>(chosen, bits_of_lanes<Real>(v)));
}

template <class Real>
double sum_of_lanes(const real_lanes<Real>& v) {
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) * lane_count<Real> == 64 && sizeof(Real) == 4) {
        return static_cast<double>(_mm512_reduce_add_ps(v.data));
    } else if constexpr (sizeof(Real) * lane_count<Real> == 64) {
        return _mm512_reduce_add_pd(v.data);
    }
#endif
#if XSIMD_VERSION_MAJOR >= 9
    return static_cast<double>(xsimd::reduce_add(v));
#else
    return static_cast<double>(xsimd::hadd(v));
#endif
}

template <class Real>
key_of<Real> least_lane(const key_lanes<Real>& v) {
    key_of<Real> lanes[lane_count<Real>];
    store_keys(v, lanes);
    key_of<Real> least = lanes[0];
    for (const key_of<Real> lane : lanes) {
        least = smaller(least, lane);
    }
    return least;
}
template <class Real>
key_of<Real> largest_lane(const key_lanes<Real>& v) {
    key_of<Real> lanes[lane_count<Real>];
    store_keys(v, lanes);
    key_of<Real> largest = lanes[0];
    for (const key_of<Real> lane : lanes) {
        largest = larger(largest, lane);
    }
    return largest;
}

/// A sum of float scores as doubles (denormals may count as zero).
struct two_doubles {
    real_lanes<double> low = real_lanes<double>(0.0);
    real_lanes<double> high = low;

    void add(const key_lanes<float>& keys) {
#if defined(__AVX512DQ__)
        if constexpr (lane_count<float> == 16) {
            const __m512 v = _mm512_castsi512_ps(keys.data);
            low = low + real_lanes<double>(_mm512_cvtps_pd(_mm512_castps512_ps256(v)));
            high = high + real_lanes<double>(_mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)));
            return;
        }
#elif defined(__AVX2__)
        if constexpr (lane_count<float> == 8) {
            const __m256 v = _mm256_castsi256_ps(keys.data);
            low = low + real_lanes<double>(_mm256_cvtps_pd(_mm256_castps256_ps128(v)));
            high = high + real_lanes<double>(_mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
            return;
        }
#endif
        float lanes[lane_count<float>];
        reals_of<float>(keys).store_unaligned(lanes);
        double wide[lane_count<float>];
        for (std::size_t i = 0; i < lane_count<float>; ++i) {
            wide[i] = static_cast<double>(lanes[i]);
        }
        low = low + real_lanes<double>::load_unaligned(wide);
        high = high + real_lanes<double>::load_unaligned(wide + lane_count<double>);
    }
    double total() const { return sum_of_lanes<double>(low + high); }
};

/// One bit a lane, the first lane lowest.
template <class Real>
std::uint64_t lane_bits(const lane_choice<Real>& chosen) {
#if defined(XSIMD_WITH_VXE) && XSIMD_WITH_VXE
    key_of<Real> flags[lane_count<Real>];
    store_keys(chosen, flags);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < lane_count<Real>; ++i) {
        bits |= std::uint64_t{flags[i] != 0} << i;
    }
    return bits;
#elif XSIMD_VERSION_MAJOR >= 9
    return chosen.mask();
#elif defined(__AVX512F__)
    return static_cast<std::uint64_t>(chosen.data);
#elif defined(__AVX2__)
    if constexpr (sizeof(Real) == 4) {
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(chosen.data)));
    } else {
        return static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(chosen.data)));
    }
#elif defined(__SSE2__) && !defined(__AVX__)
    if constexpr (sizeof(Real) == 4) {
        return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(chosen.data)));
    } else {
        return static_cast<std::uint32_t>(_mm_movemask_pd(_mm_castsi128_pd(chosen.data)));
    }
#else
    key_of<Real> flags[lane_count<Real>];
    only<Real>(chosen, key_lanes<Real>(1)).store_unaligned(flags);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < lane_count<Real>; ++i) {
        bits |= static_cast<std::uint64_t>(flags[i]) << i;
    }
    return bits;
#endif
}

/// Writes the chosen lanes behind each other as scores without signs; a whole vector may be written. How many.
template <class Real>
std::size_t compress(Real* out, const key_lanes<Real>& keys, const lane_choice<Real>& chosen) {
    std::uint64_t bits = lane_bits<Real>(chosen);
    const std::size_t count = popcount(bits);
#if defined(__AVX512F__)
    if constexpr (sizeof(Real) * lane_count<Real> == 64 && sizeof(Real) == 4) {
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits), keys.data));
        return count;
    } else if constexpr (sizeof(Real) * lane_count<Real> == 64) {
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(static_cast<__mmask8>(bits), keys.data));
        return count;
    }
#endif
#if defined(__AVX2__) && !defined(__AVX512F__)
    if constexpr (sizeof(Real) * lane_count<Real> == 32) { // a double is moved as two floats
        const std::uint64_t pairs = (bits | bits << 2) & 0x33;
        const std::uint64_t halves = sizeof(Real) == 4 ? bits : ((pairs | pairs << 1) & 0x55) * 3;
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                            _mm256_permutevar8x32_epi32(keys.data, packed_lanes(halves)));
        return count;
    }
#endif
    key_of<Real> lanes[lane_count<Real>];
    store_keys(keys, lanes);
    for (std::size_t k = 0; bits != 0; bits &= bits - 1) {
        out[k++] = detail::bits_as<Real>(lanes[lowest_bit(bits)]);
    }
    return count;
}

} // namespace detail

TAMIS_END
