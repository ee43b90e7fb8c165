#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/error.hpp>

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

TAMIS_BEGIN_SHARED

/// An active entry: its place and its value.
struct entry {
    std::uint32_t index;
    float value;
    TAMIS_KEYED friend constexpr bool operator==(const entry&, const entry&) = default;
};

TAMIS_END

TAMIS_BEGIN

// Writing the active ones of a few lanes behind each other. `active` has one bit a lane, the first lane lowest. All of
// these may write as many entries as there are lanes, and tell how many count.

namespace detail {

/// An index has 32 bits: refuses more entries than it can name.
inline void need_indices_for(std::size_t n) {
    if constexpr (sizeof(std::size_t) > 4) {
        if (n > (std::size_t{1} << 32)) {
            fail_sizes(
                "tamis: indices have 32 bits and name %zu entries, got %zu; make a mask, or take the values in parts",
                std::size_t{1} << 32, n);
        }
    }
}

#if defined(__AVX2__)
/// The numbers of the set bits of each byte, a byte each, the first lowest. (2 KiB that are read are quicker than pdep and pext, which
/// AMD's processors before Zen 3 make hundreds of steps of.)
struct packed_lanes_table {
    std::uint64_t of[256] = {};

    constexpr packed_lanes_table() {
        for (std::uint64_t bits = 0; bits < 256; ++bits) {
            int count = 0;
            for (std::uint64_t lane = 0; lane < 8; ++lane) {
                if ((bits >> lane & 1) != 0) {
                    of[bits] |= lane << 8 * count++;
                }
            }
        }
    }
};
inline constexpr packed_lanes_table packed_lanes_of;

/// The numbers of the set bits of 8, one a lane.
inline __m256i packed_lanes(std::uint64_t active) {
    return _mm256_cvtepu8_epi32(
        _mm_loadl_epi64(reinterpret_cast<const __m128i*>(packed_lanes_of.of + active)));
}
#endif

/// The places first, first + 1 ... of the active lanes.
template <std::size_t Lanes>
std::size_t compress_indices(std::uint32_t* out, std::size_t first, std::uint64_t active) {
    const std::size_t count = popcount(static_cast<std::uint32_t>(active));
    [[maybe_unused]] const auto start = static_cast<int>(first);
#if defined(__AVX512F__)
    if constexpr (Lanes == 16 || Lanes == 8) {
        const __m512i places =
            _mm512_add_epi32(_mm512_set1_epi32(start),
                             _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
        const __m512i packed = _mm512_maskz_compress_epi32(static_cast<__mmask16>(active), places);
        if constexpr (Lanes == 16) {
            _mm512_storeu_si512(out, packed);
        } else {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_castsi512_si256(packed));
        }
        return count;
    }
#endif
#if defined(__AVX2__)
    if constexpr (Lanes == 8) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                            _mm256_add_epi32(_mm256_set1_epi32(start), packed_lanes(active)));
        return count;
    } else if constexpr (Lanes == 4) { // of doubles
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                         _mm_add_epi32(_mm_set1_epi32(start), _mm256_castsi256_si128(packed_lanes(active))));
        return count;
    } else if constexpr (Lanes == 16) {
        const std::size_t low = compress_indices<8>(out, first, active & 0xff);
        return low + compress_indices<8>(out + low, first + 8, active >> 8);
    }
#endif
    for (; active != 0; active &= active - 1) {
        *out++ = static_cast<std::uint32_t>(first + lowest_bit(active));
    }
    return count;
}

/// The same with the values of these places, which start at `values`.
template <std::size_t Lanes>
std::size_t compress_entries(entry* out, const float* values, std::size_t first, std::uint64_t active) {
    const std::size_t count = popcount(static_cast<std::uint32_t>(active));
#if defined(__AVX512F__)
    if constexpr (Lanes == 16) {
        const auto chosen = static_cast<__mmask16>(active);
        const __m512i places =
            _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)),
                             _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
        const __m512i packed = _mm512_maskz_compress_epi32(chosen, places);
        const __m512i bits = _mm512_maskz_compress_epi32(chosen, _mm512_loadu_si512(values));
        const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        _mm512_storeu_si512(out, _mm512_permutex2var_epi32(packed, low, bits));
        _mm512_storeu_si512(out + 8, _mm512_permutex2var_epi32(packed, high, bits));
        return count;
    }
#endif
    for (; active != 0; active &= active - 1) {
        const std::size_t lane = lowest_bit(active);
        *out++ = {static_cast<std::uint32_t>(first + lane), values[lane]};
    }
    return count;
}

} // namespace detail

TAMIS_END
