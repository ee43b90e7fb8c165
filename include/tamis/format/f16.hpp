#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/format/format.hpp>

#include <bit>
#include <cstring>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

/// IEEE binary16. Read exactly; packed by rounding to nearest, ties to even: relative error at most 2^-11 from 2^-14
/// on, absolute error at most 2^-25 below. Numbers of 65520 and more become infinite, NaN stays a NaN.
struct f16 {
    static constexpr const char* name = "f16";
    using storage = std::uint16_t;

    static constexpr std::size_t row_bytes(std::size_t n) { return n * sizeof(storage); }
    static float at(const std::byte* row, std::size_t i) {
        storage bits;
        std::memcpy(&bits, row + i * sizeof(storage), sizeof bits);
#if defined(__F16C__) && defined(__GNUC__) // one instruction in place of a dozen and two branches
        return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
#else
        return widen(bits);
#endif
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::widen_to_vec::f16(row + i * sizeof(storage));
    }
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            const storage bits = round(from[i]);
            std::memcpy(row + i * sizeof(storage), &bits, sizeof bits);
        }
    }

    /// In integers, but for denormals, which a float holds as normal numbers.
    static constexpr float widen(storage half) {
        const auto sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
        const std::uint32_t rest = half & 0x7fffu;
        if (rest >= 0x7c00u) {
            return detail::bits_as<float>(sign | 0x7f800000u | ((rest & 0x3ffu) << 13) |
                                          (rest > 0x7c00u ? 0x400000u : 0u));
        }
        if (rest >= 0x400u) {
            return detail::bits_as<float>(sign | ((rest << 13) + (112u << 23)));
        }
        const float magnitude = static_cast<float>(static_cast<std::int32_t>(rest)) * 0x1p-24f;
        return detail::bits_as<float>(sign | detail::bits_as<std::uint32_t>(magnitude));
    }
    static constexpr storage round(float value) {
        const auto bits = detail::bits_as<std::uint32_t>(value);
        const auto sign = static_cast<storage>((bits >> 16) & 0x8000u);
        const std::uint32_t rest = bits & 0x7fffffffu;
        if (rest > 0x7f800000u) {
            return static_cast<storage>(sign | 0x7e00u);
        }
        if (rest >= 0x477ff000u) { // 65520
            return static_cast<storage>(sign | 0x7c00u);
        }
        if (rest >= 0x38800000u) { // 2^-14
            return static_cast<storage>(sign | ((rest - (112u << 23) + 0xfffu + ((rest >> 13) & 1u)) >> 13));
        }
        const std::uint32_t exponent = rest >> 23; // of a result in units of 2^-24
        if (exponent < 102) {
            return sign; // below 2^-25
        }
        const std::uint32_t fraction = (rest & 0x7fffffu) | 0x800000u;
        const std::uint32_t shift = 126 - exponent; // 14 .. 24
        const std::uint32_t half_unit = std::uint32_t{1} << (shift - 1);
        const std::uint32_t units = fraction >> shift;
        return static_cast<storage>(sign | ((fraction + half_unit - 1 + (units & 1u)) >> shift));
    }
};

namespace detail {

#if defined(__AVX512BW__) && defined(__AVX512VL__)
/// The halves in front of sixteen blocks, so many of which one load reaches. (All of it lies in the blocks; an insertion each would
/// take twice the instructions.)
template <std::size_t InALoad>
TAMIS_DETAIL_INLINE __m256i halves_of_sixteen(const std::byte* first, std::size_t stride) {
    const __m512i lane = _mm512_set_epi16(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15,
                                          14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i in_load = _mm512_and_si512(lane, _mm512_set1_epi16(InALoad - 1));
    const __m512i from = _mm512_mullo_epi16(in_load, _mm512_set1_epi16(static_cast<short>(stride / 2)));
    __m512i halves = _mm512_setzero_si512();
    for (std::size_t b = 0; b < 16; b += InALoad) {
        const __m512i line = _mm512_loadu_si512(first + b * stride);
        const auto here = static_cast<__mmask32>(((1u << InALoad) - 1) << b);
        halves = _mm512_mask_permutexvar_epi16(halves, here, from, line);
    }
    return _mm512_castsi512_si256(halves);
}
#endif

/// The f16 scales in front of `count` blocks, up to 16, that lie `stride` bytes apart, times a factor, converted a vector
/// at a time. All 16 floats of `out` are written.
inline void scales_of_blocks(const std::byte* first, std::size_t stride, std::size_t count, float factor,
                             float* out) {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
    if constexpr (vec::size == 16) {
        if (count == 16 && (stride == 18 || stride == 20 || stride == 34)) {
            const __m256i halves =
                stride == 34 ? halves_of_sixteen<2>(first, stride) : halves_of_sixteen<4>(first, stride);
            return store(out, vec(_mm512_cvtph_ps(halves)) * vec(factor));
        }
    }
#endif
    alignas(32) std::uint16_t halves[16] = {};
    if (count == 16) { // nearly always; the compiler need not think of the rest
        for (std::size_t b = 0; b < 16; ++b) {
            std::memcpy(&halves[b], first + b * stride, sizeof halves[b]);
        }
    } else {
        for (std::size_t b = 0; b < count; ++b) {
            std::memcpy(&halves[b], first + b * stride, sizeof halves[b]);
        }
    }
    for (std::size_t b = 0; b < 16; b += vec::size) {
        store(out + b, widen_to_vec::f16(&halves[b]) * vec(factor));
    }
}

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
