#pragma once

#include <tamis/kernel/int8_requantised.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Thirty-two rows in hand, for the sums of rows for several tokens: the tokens' values as bytes, and what makes bytes of codes.

namespace detail {

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

/// The values of 32 rows of those tokens that have any, and what they are rounded to for a stretch.
struct int8_group_values {
    alignas(64) std::int8_t codes[most_tokens][int8_group];
    float scale[most_tokens];
    std::int32_t zero[most_tokens];
    std::size_t count = 0;
    std::uint8_t token[most_tokens];

    void take(const row_list& rows, std::size_t first, block<const float> x) {
        const std::size_t here = (std::min)(rows.size() - first, int8_group);
        count = 0;
        for (std::size_t t = 0; t < x.rows(); ++t) {
            const float* const from = x.row(t).data();
            float* const to = values_[count];
            std::uint32_t any = 0;
            for (std::size_t k = 0; k < here; ++k) {
                to[k] = from[rows[first + k]];
                any |= magnitude_bits(to[k]);
            }
            fill_n(to + here, int8_group - here, 0.0f);
            token[count] = static_cast<std::uint8_t>(t);
            count += any != 0;
        }
    }
    /// Rounds them, each times its row's unit.
    void round(const float (&unit)[int8_group]) {
        const __m512 first = _mm512_load_ps(unit);
        const __m512 second = _mm512_load_ps(unit + 16);
        for (std::size_t t = 0; t < count; ++t) {
            alignas(64) float scaled[int8_group];
            _mm512_store_ps(scaled, _mm512_mul_ps(_mm512_load_ps(values_[t]), first));
            _mm512_store_ps(scaled + 16, _mm512_mul_ps(_mm512_load_ps(values_[t] + 16), second));
            scale[t] = to_int8_block(scaled, codes[t]);
            const __m256i all = _mm256_load_si256(reinterpret_cast<const __m256i*>(codes[t]));
            const __m256i fours = _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_set1_epi8(-128), all);
            __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
            sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4e));
            zero[t] = -_mm_cvtsi128_si32(_mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1)));
        }
    }

  private:
    alignas(64) float values_[most_tokens][int8_group];
};

/// What rows' codes are multiplied by in a stretch of blocks, twice in 32 bits, and what is added; the step of each block.
template <class F>
struct int8_group_factors {
    using C = typename F::codes;
    using by = int8_requantised<F>;
    static constexpr std::size_t most = code_units<F>::runs_a_stretch;
    static_assert(most == 16);
    alignas(64) std::uint32_t factor[int8_group][most];
    alignas(64) std::uint32_t offset[by::has_offset ? int8_group : 1][most];
    alignas(64) float step[most];
    alignas(64) float unit[int8_group];

    TAMIS_DETAIL_NOINLINE void make(const std::byte* const (&rows)[int8_group], std::size_t i,
                                    std::size_t runs) {
        float scales[int8_group][most];
        float offsets[C::has_offset ? int8_group : 1][most];
        const __mmask16 here = static_cast<__mmask16>((1u << runs) - 1);
        __m512i largest = _mm512_set1_epi32(static_cast<int>(least_of_block));
        const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
        for (std::size_t k = 0; k < int8_group; ++k) {
            float* const off = offsets[C::has_offset ? k : 0];
            C::numbers(rows[k], i, runs, scales[k], off);
            const __m512 scale = _mm512_maskz_loadu_ps(here, scales[k]);
            __m512 high = _mm512_mul_ps(scale, _mm512_set1_ps(static_cast<float>(by::most)));
            __m512 low = _mm512_mul_ps(scale, _mm512_set1_ps(static_cast<float>(by::least)));
            if constexpr (C::has_offset) {
                const __m512 add = _mm512_maskz_loadu_ps(here, off);
                high = _mm512_add_ps(high, add);
                low = _mm512_add_ps(low, add);
            }
            const __m512i bits = _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(high), magnitude),
                                                  _mm512_and_si512(_mm512_castps_si512(low), magnitude));
            unit[k] = by::unit_of_row(static_cast<std::uint32_t>(_mm512_reduce_max_epi32(bits)));
            const __m512 in_units = _mm512_mul_ps(_mm512_castsi512_ps(bits), _mm512_set1_ps(1.0f / unit[k]));
            largest = _mm512_max_epi32(largest, _mm512_castps_si512(in_units));
        }
        const __m512 of = _mm512_castsi512_ps(largest);
        const __m512 inverse = divide_registers(_mm512_set1_ps(127.0f), of);
        _mm512_store_ps(step, _mm512_mul_ps(of, _mm512_set1_ps(1.0f / 127.0f)));
        for (std::size_t k = 0; k < int8_group; ++k) {
            const __m512 per_unit = _mm512_set1_ps(1.0f / unit[k]);
            const __m512 scale = _mm512_mul_ps(_mm512_maskz_loadu_ps(here, scales[k]), per_unit);
            const __m512i times = _mm512_cvtps_epi32(
                _mm512_mul_ps(_mm512_mul_ps(scale, inverse), _mm512_set1_ps(by::of_scale)));
            _mm512_store_si512(factor[k], twice(times));
            if constexpr (by::has_offset) {
                __m512i add = _mm512_set1_epi32(by::rounding);
                if constexpr (C::has_offset) {
                    const __m512 off =
                        _mm512_mul_ps(_mm512_mul_ps(_mm512_maskz_loadu_ps(here, offsets[k]), per_unit),
                                      inverse);
                    add =
                        _mm512_add_epi32(add, _mm512_cvtps_epi32(_mm512_mul_ps(off, _mm512_set1_ps(64.0f))));
                }
                if constexpr (C::zero != 0) {
                    add = _mm512_sub_epi32(add, _mm512_mullo_epi32(times, _mm512_set1_epi32(C::zero)));
                }
                _mm512_store_si512(offset[k], twice(add));
            }
        }
    }

  private:
    static __m512i twice(__m512i v) {
        return _mm512_mask_blend_epi16(0xaaaaaaaau, v, _mm512_slli_epi32(v, 16));
    }
};
#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
