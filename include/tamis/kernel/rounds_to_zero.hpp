#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/detail/simd.hpp>
#include <tamis/element.hpp>
#include <tamis/kernel/int8_lanes.hpp>

#include <span>

TAMIS_BEGIN

// Which values of a block of 32 eight-bit integers are zero: those of at most half a step, 1/254 of the largest magnitude. By one
// rounded product and a comparison, so that what is active is the same on every machine, with every flag. A block whose largest
// magnitude is below 2^-100 is zeros; of one with an infinite or NaN value all that is not zero is kept.

namespace detail {

/// Bit i is set where value i does not become zero; the simple loop.
inline std::uint32_t kept_of_block_plain(std::span<const float> values) {
    std::uint32_t largest = 0;
    for (const float v : values) {
        largest = larger(largest, magnitude_bits(v));
    }
    std::uint32_t kept = 0;
    for (std::size_t i = 0; i < values.size() && largest >= least_of_block; ++i) {
        const std::uint32_t bits = magnitude_bits(values[i]);
        const bool keeps = largest >= infinity_bits<float>
                               ? bits != 0
                               : bits_as<float>(bits) * 254.0f > bits_as<float>(largest);
        kept |= std::uint32_t{keeps} << i;
    }
    return kept;
}

/// The same.
inline std::uint32_t kept_of_block(std::span<const float> values) {
#if defined(__AVX2__)
    if (values.size() == 32) {
        const std::uint32_t largest = largest_of_32(values.data());
        if (largest >= least_of_block && largest < infinity_bits<float>) {
            const __m256 limit = _mm256_set1_ps(bits_as<float>(largest));
            std::uint32_t kept = 0;
            for (int k = 0; k < 4; ++k) {
                const __m256 magnitude = _mm256_and_ps(_mm256_loadu_ps(values.data() + 8 * k),
                                                       _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
                const __m256 v = _mm256_mul_ps(magnitude, _mm256_set1_ps(254.0f));
                const auto above =
                    static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(v, limit, _CMP_GT_OQ)));
                kept |= above << (8 * k);
            }
            return kept;
        }
    }
#endif
    return kept_of_block_plain(values);
}

} // namespace detail

TAMIS_END
