#pragma once

#include <tamis/kernel/halves_of_blocks.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Dot products in integers of one token, four blocks at a time (halves_of_blocks.hpp). The simple loop is dot_int8_plain.

namespace detail {

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

/// What four blocks are multiplied with, and what their codes' zero comes to.
struct values_of_four_blocks {
    __m512i low, high, off;

    TAMIS_DETAIL_INLINE values_of_four_blocks(const std::int8_t* codes, int zero) {
        const __m512i first = _mm512_loadu_si512(codes);
        const __m512i second = _mm512_loadu_si512(codes + 64);
        low = _mm512_shuffle_i32x4(first, second, 0x88);
        high = _mm512_shuffle_i32x4(first, second, 0xdd);
        off = _mm512_setzero_si512();
        if (zero != 0) {
            const __m512i everywhere = _mm512_set1_epi8(static_cast<char>(zero));
            const __m512i sums =
                _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(off, everywhere, low), everywhere, high);
            off = _mm512_sub_epi32(off, sums);
        }
    }
};

template <class F, std::size_t Count>
class dots_of_halves {
    using C = typename F::codes;
    using four = four_blocks<F>;
    static constexpr std::size_t a_stretch = int8_stretch / int8_block;

  public:
    static void multiply(const passes_of<Count>& passes, std::size_t pass, std::size_t columns,
                         const int8_vector& x, float* y) {
        const rows_of_pass<Count> rows{passes, pass};
        const std::size_t last = (columns + int8_block - 1) / int8_block; // blocks
        __m512 total[Count];
        __m512 offsets[Count];
        for (std::size_t k = 0; k < Count; ++k) {
            total[k] = offsets[k] = _mm512_setzero_ps();
        }
        for (std::size_t from = 0; from < last; from += a_stretch) {
            const std::size_t blocks = (std::min)(a_stretch, last - from);
            alignas(64) float scales[Count][a_stretch];
            for (std::size_t k = 0; k < Count; ++k) {
                make_scales(rows.now[k], from, blocks, x, scales[k], offsets[k]);
            }
            stretch(rows.now, {rows, from, 0, last}, from, blocks, x, scales, total,
                    std::make_index_sequence<Count>{});
        }
        for (std::size_t k = 0; k < Count; ++k) {
            const __m512 sum = C::has_offset ? _mm512_add_ps(total[k], offsets[k]) : total[k];
            const auto upper = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(sum), 1));
            y[passes.row(pass, k)] = sum_of_lanes((floats8)_mm256_add_ps(_mm512_castps512_ps256(sum), upper));
        }
    }

  private:
    /// Those of a row times x's, and what its offsets add.
    TAMIS_DETAIL_INLINE static void make_scales(const std::byte* row, std::size_t from, std::size_t blocks,
                                                const int8_vector& x, float (&scales)[a_stretch],
                                                __m512& offsets) {
        float of_row[a_stretch];
        float off[a_stretch];
        C::numbers(row, from * int8_block, blocks, of_row, off);
        const auto here = static_cast<__mmask16>((1u << blocks) - 1);
        _mm512_store_ps(scales,
                        _mm512_maskz_mul_ps(here, _mm512_loadu_ps(of_row), _mm512_loadu_ps(x.scales + from)));
        if constexpr (C::has_offset) {
            offsets =
                _mm512_mask3_fmadd_ps(_mm512_loadu_ps(off), _mm512_loadu_ps(x.sums + from), offsets, here);
        }
    }

    template <std::size_t... K>
    TAMIS_DETAIL_INLINE static void stretch(const std::byte* const (&now)[Count],
                                            const blocks_ahead<F, Count>& ahead, std::size_t from,
                                            std::size_t blocks, const int8_vector& x,
                                            const float (&scales)[Count][a_stretch], __m512 (&total)[Count],
                                            std::index_sequence<K...>) {
        __m512 sums[] = {total[K]...};
        for (std::size_t b = 0; b < blocks; b += four::count) {
            const std::size_t at = b * four::block_bytes;
            ahead.ask(b / four::count, std::index_sequence<K...>{});
            const values_of_four_blocks values{x.codes + (from + b) * int8_block, four::zero};
            const __m512i lanes = lanes_of_blocks(b);
            if (b + four::count <= blocks) {
                const std::size_t place = from * four::block_bytes + at;
                (add(four::load(now[K] + place), values, lanes, scales[K], sums[K]), ...);
            } else {
                (add(load_rest(now[K] + from * four::block_bytes + at, blocks - b), values, lanes, scales[K],
                     sums[K]),
                 ...);
            }
        }
        ((total[K] = sums[K]), ...);
    }
    TAMIS_DETAIL_INLINE static void add(__m512i bytes, const values_of_four_blocks& values, __m512i lanes,
                                        const float (&scales)[a_stretch], __m512& sum) {
        __m512i products = _mm512_dpbusd_epi32(values.off, four::codes(bytes), values.low);
        products = _mm512_dpbusd_epi32(products, four::high_codes(bytes), values.high);
        sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products),
                              _mm512_permutexvar_ps(lanes, _mm512_load_ps(scales)), sum);
    }
    /// Fewer than four, of which alone memory is read.
    TAMIS_DETAIL_INLINE static __m512i load_rest(const std::byte* first, std::size_t blocks) {
        std::byte rest[four::bytes] = {};
        std::memcpy(rest, first, blocks * four::block_bytes);
        return four::load(rest);
    }
};

template <class F, std::size_t Count>
void dot_halves_int8(const passes_of<Count>& passes, std::size_t pass, std::size_t columns,
                     const int8_vector& x, float* y) {
    dots_of_halves<F, Count>::multiply(passes, pass, columns, x, y);
}

#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
