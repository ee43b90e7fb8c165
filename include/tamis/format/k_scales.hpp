#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

// What q4_k and q5_k share: an f16 scale and an f16 minimum in front of twelve bytes that hold a scale and a minimum of six
// bits for each of the eight runs of 32 weights in a block.

namespace detail {

/// Weight i of a block is scale * q - minimum; both are exact products.
struct k_run {
    float scale, minimum;
};
inline k_run k_run_at(const std::byte* block, std::size_t run) {
    const std::byte* const six = block + 4;
    const std::size_t j = run % 4;
    const unsigned scale =
        run < 4 ? byte_at(six, j) & 63u : (byte_at(six, j + 8) & 15u) | (byte_at(six, j) >> 6) << 4;
    const unsigned minimum =
        run < 4 ? byte_at(six, j + 4) & 63u : byte_at(six, j + 8) >> 4 | (byte_at(six, j + 4) >> 6) << 4;
    return {f16::at(block, 0) * static_cast<float>(static_cast<int>(scale)),
            f16::at(block, 1) * static_cast<float>(static_cast<int>(minimum))};
}

#if defined(__AVX2__)
/// The sixteen factors of a block in the order of k_factors, at once.
template <bool Halves>
TAMIS_DETAIL_INLINE void k_factors_of_block(const std::byte* block, float* out) {
    const auto a = integer_at<std::uint32_t>(block + 4);
    const auto b = integer_at<std::uint32_t>(block + 8);
    const auto c = integer_at<std::uint32_t>(block + 12);
    const auto wide = [](std::uint32_t low, std::uint32_t high) {
        const __m128i bytes = _mm_set_epi32(0, 0, static_cast<int>(high), static_cast<int>(low));
        return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    };
    const __m256 scales = wide(a & 0x3f3f3f3fu, (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u));
    const __m256 minima = wide(b & 0x3f3f3f3fu, (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u));
    const float scale = f16::at(block, 0);
    const float odd_scale = Halves ? scale / high_halves_by : scale;
    const __m256 both = _mm256_blend_ps(_mm256_set1_ps(scale), _mm256_set1_ps(odd_scale), 0xaa);
    const __m256d by_scale = _mm256_castps_pd(_mm256_mul_ps(scales, both));
    const __m256d by_minimum = _mm256_castps_pd(_mm256_mul_ps(minima, _mm256_set1_ps(-f16::at(block, 1))));
    const __m256 even = _mm256_castpd_ps(_mm256_unpacklo_pd(by_scale, by_minimum));
    const __m256 odd = _mm256_castpd_ps(_mm256_unpackhi_pd(by_scale, by_minimum));
    _mm256_storeu_ps(out, _mm256_permute2f128_ps(even, odd, 0x20));
    _mm256_storeu_ps(out + 8, _mm256_permute2f128_ps(even, odd, 0x31));
}
#endif

/// For `pairs` pairs of runs from pair `first` of a row on: two scales, and two minima less than zero. Halves: the second scale is
/// for affine_halves.
template <bool Halves>
void k_factors(const std::byte* row, std::size_t block_bytes, std::size_t first, std::size_t pairs,
               float* out) {
    for (std::size_t done = 0; done < pairs;) {
        const std::byte* const block = row + (first + done) / 4 * block_bytes;
#if defined(__AVX2__)
        if ((first + done) % 4 == 0 && done + 4 <= pairs) {
            k_factors_of_block<Halves>(block, out);
            done += 4;
            out += 16;
            continue;
        }
#endif
        const auto a = integer_at<std::uint32_t>(block + 4);
        const auto b = integer_at<std::uint32_t>(block + 8);
        const auto c = integer_at<std::uint32_t>(block + 12);
        const std::uint32_t scales[2] = {a & 0x3f3f3f3fu, (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u)};
        const std::uint32_t minima[2] = {b & 0x3f3f3f3fu, (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u)};
        const four_factors by{f16::at(block, 0), -f16::at(block, 1)};
        for (std::size_t p = (first + done) % 4; p < 4 && done < pairs; ++p, ++done, out += 4) {
            const auto shift = static_cast<unsigned>(16 * (p % 2));
            by.times((scales[p / 2] >> shift & 0xffffu) | (minima[p / 2] >> shift) << 16, out);
            out[1] /= Halves ? high_halves_by : 1.0f;
        }
    }
}

/// The scales of `runs` runs (of whole blocks), and the minima less than zero.
inline void k_numbers(const std::byte* block, std::size_t block_bytes, std::size_t runs, float* scales,
                      float* offsets) {
    for (std::size_t r = 0; r < runs; r += 8, block += block_bytes) {
        const auto a = integer_at<std::uint32_t>(block + 4);
        const auto b = integer_at<std::uint32_t>(block + 8);
        const auto c = integer_at<std::uint32_t>(block + 12);
        const std::uint64_t high_scales = (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u);
        const std::uint64_t high_minima = (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u);
        eight_numbers((a & 0x3f3f3f3fu) | high_scales << 32, f16::at(block, 0), scales + r);
        eight_numbers((b & 0x3f3f3f3fu) | high_minima << 32, -f16::at(block, 1), offsets + r);
    }
}

} // namespace detail

TAMIS_END
