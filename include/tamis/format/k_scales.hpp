#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_DETAIL_INTRINSICS

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

#if defined(__AVX2__) && defined(__F16C__)
/// The sixteen factors of a block in the order of k_factors, at once.
template <bool Halves>
TAMIS_DETAIL_INLINE void k_factors_of_block(const std::byte* block, float* out) {
    const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block));
    // Four scales, four minima, and the same of the other runs, whose upper two bits lie above the first ones.
    const __m128i bytes =
        _mm_shuffle_epi8(all, _mm_setr_epi8(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15));
    const __m128i above =
        _mm_shuffle_epi8(all, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 4, 5, 6, 7, 8, 9, 10, 11));
    const __m128i low = _mm_and_si128(_mm_srlv_epi32(bytes, _mm_setr_epi32(0, 0, 0, 4)),
                                      _mm_setr_epi32(0x3f3f3f3f, 0x3f3f3f3f, 0x0f0f0f0f, 0x0f0f0f0f));
    const __m128i six = _mm_or_si128(low, _mm_and_si128(_mm_srli_epi32(above, 2), _mm_set1_epi8(0x30)));
    const __m128i in_turn =
        _mm_shuffle_epi8(six, _mm_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));
    constexpr float of_odd = Halves ? 1 / high_halves_by : 1.0f;
    const __m128 two_of_each = _mm_permute_ps(_mm_cvtph_ps(all), 0x50);
    const __m128 four = _mm_mul_ps(two_of_each, _mm_setr_ps(1, of_odd, -1, -1));
    const __m256 by = _mm256_set_m128(four, four);
    const __m256i first = _mm256_cvtepu8_epi32(in_turn);
    const __m256i second = _mm256_cvtepu8_epi32(_mm_srli_si128(in_turn, 8));
    _mm256_storeu_ps(out, _mm256_mul_ps(_mm256_cvtepi32_ps(first), by));
    _mm256_storeu_ps(out + 8, _mm256_mul_ps(_mm256_cvtepi32_ps(second), by));
}
#endif

/// For `pairs` pairs of runs from pair `first` of a row on: two scales, and two minima less than zero. Halves: the second scale is
/// for affine_halves. The simple way, for parts of blocks too.
template <bool Halves>
void k_factors_of_parts(const std::byte* row, std::size_t block_bytes, std::size_t first, std::size_t pairs,
                        float* out) {
    for (std::size_t done = 0; done < pairs;) {
        const std::byte* const block = row + (first + done) / 4 * block_bytes;
        const auto a = integer_at<std::uint32_t>(block + 4);
        const auto b = integer_at<std::uint32_t>(block + 8);
        const auto c = integer_at<std::uint32_t>(block + 12);
        const std::uint32_t scales[2] = {a & 0x3f3f3f3fu, (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u)};
        const std::uint32_t minima[2] = {b & 0x3f3f3f3fu, (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u)};
        const four_factors by{f16::at(block, 0), -f16::at(block, 1)};
        for (std::size_t p = (first + done) % 4; p < 4 && done < pairs; ++p, ++done, out += 4) {
            const auto shift = static_cast<unsigned>(16 * (p % 2));
            by.times((scales[p / 2] >> shift & 0xffffu) | (minima[p / 2] >> shift) << 16, out);
            if constexpr (Halves) {
                out[1] *= 1 / high_halves_by;
            }
        }
    }
}
template <bool Halves>
TAMIS_DETAIL_INLINE void k_factors(const std::byte* row, std::size_t block_bytes, std::size_t first,
                                   std::size_t pairs, float* out) {
#if defined(__AVX2__) && defined(__F16C__)
    if (first % 4 == 0 && pairs % 4 == 0) {
        for (std::size_t done = 0; done < pairs; done += 4) {
            k_factors_of_block<Halves>(row + (first + done) / 4 * block_bytes, out + 4 * done);
        }
        return;
    }
#endif
    k_factors_of_parts<Halves>(row, block_bytes, first, pairs, out);
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

TAMIS_DETAIL_INTRINSICS_END
