#pragma once

#include <tamis/kernel/fours_512.hpp>
#include <tamis/kernel/halves_of_blocks.hpp>

#include <cstring>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Sums of eight rows in integers, four blocks at a time (halves_of_blocks.hpp): what a column has in four rows is one sum of four
// products. The simple loop is sum_int8_plain; the factors are those of sum_rows_int8.hpp.

namespace detail {

/// Whether it is done for F on this target.
template <class F>
inline constexpr bool sums_four_blocks = [] {
    if constexpr (takes_four_blocks<F>) {
        return !F::codes::are_signed;
    } else {
        return false;
    }
}();

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

/// Factors of sixteen blocks of eight rows.
template <class F>
struct factors_of_halves {
    using C = typename F::codes;
    static constexpr std::size_t most = int8_stretch / int8_block;
    alignas(64) std::uint32_t fours[2][most]; // four rows' bytes
    alignas(64) std::int32_t off[most];       // what their codes' zero comes to
    alignas(64) float step[most + 4];         // four are read, where two are left
    alignas(64) float offset[most + 4] = {};

    factors_of_halves() { fill_n(step + most, 4, 0.0f); }
    /// Those of `runs` blocks from weight i on, a multiple of the stretch; zeros behind them.
    void make(const std::byte* const (&rows)[8], std::size_t i, std::size_t runs, const float (&x)[8]) {
        const auto here = static_cast<__mmask16>((1u << runs) - 1);
        __m512 factors[8];
        __m512 offsets = _mm512_setzero_ps();
        __m512i largest = _mm512_setzero_si512();
        for (std::size_t k = 0; k < 8; ++k) {
            float of_row[most];
            float off_row[most];
            C::numbers(rows[k], i, runs, of_row, off_row);
            const __m512 times = _mm512_set1_ps(x[k]);
            factors[k] = _mm512_maskz_mul_ps(here, _mm512_loadu_ps(of_row), times);
            const __m512i bits = _mm512_castps_si512(factors[k]);
            largest = _mm512_max_epi32(largest, _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff)));
            if constexpr (C::has_offset) {
                offsets = _mm512_mask3_fmadd_ps(_mm512_loadu_ps(off_row), times, offsets, here);
            }
        }
        const __m512i not_zero =
            _mm512_max_epi32(largest, _mm512_set1_epi32(static_cast<int>(least_of_block)));
        const __m512 inverse = divide_registers(_mm512_set1_ps(127.0f), _mm512_castsi512_ps(not_zero));
        _mm512_store_ps(step, _mm512_mul_ps(_mm512_castsi512_ps(largest), _mm512_set1_ps(1.0f / 127.0f)));
        _mm512_store_ps(offset, offsets);
        __m512i sum = _mm512_setzero_si512();
        for (std::size_t four = 0; four < 2; ++four) {
            __m512i bytes = _mm512_setzero_si512();
            for (std::size_t k = 0; k < 4; ++k) { // the first ends in the lowest byte
                const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(factors[4 * four + 3 - k], inverse));
                sum = _mm512_add_epi32(sum, whole);
                bytes = _mm512_or_si512(_mm512_slli_epi32(bytes, 8),
                                        _mm512_and_si512(whole, _mm512_set1_epi32(0xff)));
            }
            _mm512_store_si512(fours[four], bytes);
        }
        _mm512_store_si512(off, _mm512_mullo_epi32(sum, _mm512_set1_epi32(-C::zero)));
    }
};

/// Eight rows' four blocks times their factors. Vector q has columns 4 q .. 4 q + 3 of each block, the high halves' 16 more.
template <class F>
struct sums_of_halves {
    using four = four_blocks<F>;
    __m512i low[4], high[4];

    TAMIS_DETAIL_INLINE explicit sums_of_halves(__m512i off)
        : low{off, off, off, off}, high{off, off, off, off} {}

    TAMIS_DETAIL_INLINE void add(__m512i a, __m512i b, __m512i c, __m512i d, __m512i factors) {
        __m512i columns[4] = {a, b, c, d};
        interleave_bytes(columns);
        add_columns(columns[0], factors, low[0], high[0]);
        add_columns(columns[1], factors, low[1], high[1]);
        add_columns(columns[2], factors, low[2], high[2]);
        add_columns(columns[3], factors, low[3], high[3]);
    }
    /// y: 128 columns; step and offset: of the four blocks.
    TAMIS_DETAIL_INLINE void add_to(float* y, const float* step, const float* offset) {
        turn_quarters(low);
        turn_quarters(high);
        add_block(0, y, step, offset);
        add_block(1, y, step, offset);
        add_block(2, y, step, offset);
        add_block(3, y, step, offset);
    }

  private:
    TAMIS_DETAIL_INLINE static void add_columns(__m512i bytes, __m512i factors, __m512i& low, __m512i& high) {
        low = _mm512_dpbusd_epi32(low, four::codes(bytes), factors);
        high = _mm512_dpbusd_epi32(high, four::high_codes(bytes), factors);
    }
    TAMIS_DETAIL_INLINE void add_block(std::size_t b, float* y, const float* step,
                                       const float* offset) const {
        add_half(low[b], y + 32 * b, step[b], offset[b]);
        add_half(high[b], y + 32 * b + 16, step[b], offset[b]);
    }
    TAMIS_DETAIL_INLINE static void add_half(__m512i sums, float* y, float step, float offset) {
        __m512 old = _mm512_loadu_ps(y);
        if constexpr (F::codes::has_offset) {
            old = _mm512_add_ps(old, _mm512_set1_ps(offset));
        }
        _mm512_storeu_ps(y, _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_set1_ps(step), old));
    }
};

template <class F>
class adding_halves {
    using four = four_blocks<F>;
    static constexpr std::size_t a_stretch = int8_stretch / int8_block;

  public:
    /// Adds eight rows to y, columns [begin, end). begin is a multiple of 64.
    static void add_rows(const passes_of<8>& passes, std::size_t pass, const float* x, std::size_t begin,
                         std::size_t end, float* y) {
        const rows_of_pass<8> rows{passes, pass};
        float times[8];
        for (std::size_t k = 0; k < 8; ++k) {
            times[k] = x[passes.row(pass, k)];
        }
        const std::size_t start = begin / int8_block; // blocks
        const std::size_t last = (end + int8_block - 1) / int8_block;
        factors_of_halves<F> by;
        for (std::size_t from = start, to = start; from < last; from = to) {
            const std::size_t first = from / a_stretch * a_stretch; // numbers are made from there on
            to = (std::min)(first + a_stretch, last);
            by.make(rows.now, first * int8_block, to - first, times);
            const blocks_ahead<F, 8> ahead{rows, from, start, last};
            for (std::size_t i = from; i < to; i += four::count) {
                ahead.ask((i - from) / four::count, std::make_index_sequence<8>{});
                const std::byte* here[8];
                for (std::size_t k = 0; k < 8; ++k) {
                    here[k] = rows.now[k] + i * four::block_bytes;
                }
                if (i + four::count <= to && (i + four::count) * int8_block <= end) {
                    add_four(here, by, i - first, y + i * int8_block);
                } else {
                    add_rest(here, by, i - first, to - i, end - i * int8_block, y + i * int8_block);
                }
            }
        }
    }

  private:
    TAMIS_DETAIL_INLINE static void add_four(const std::byte* const (&rows)[8],
                                             const factors_of_halves<F>& by, std::size_t r, float* y) {
        const __m512i lanes = lanes_of_blocks(r);
        sums_of_halves<F> sums{_mm512_permutexvar_epi32(lanes, _mm512_load_si512(by.off))};
        sums.add(four::load(rows[0]), four::load(rows[1]), four::load(rows[2]), four::load(rows[3]),
                 _mm512_permutexvar_epi32(lanes, _mm512_load_si512(by.fours[0])));
        sums.add(four::load(rows[4]), four::load(rows[5]), four::load(rows[6]), four::load(rows[7]),
                 _mm512_permutexvar_epi32(lanes, _mm512_load_si512(by.fours[1])));
        sums.add_to(y, by.step + r, by.offset + r);
    }
    /// Of fewer blocks, or columns: alone these are read and written.
    static void add_rest(const std::byte* const (&rows)[8], const factors_of_halves<F>& by, std::size_t r,
                         std::size_t blocks, std::size_t columns, float* y) {
        blocks = (std::min)(blocks, four::count);
        columns = (std::min)(columns, blocks * int8_block);
        std::byte bytes[8][four::bytes] = {};
        const std::byte* copies[8];
        for (std::size_t k = 0; k < 8; ++k) {
            std::memcpy(bytes[k], rows[k], blocks * four::block_bytes);
            copies[k] = bytes[k];
        }
        float sums[four::weights] = {};
        std::memcpy(sums, y, columns * sizeof(float));
        add_four(copies, by, r, sums);
        std::memcpy(y, sums, columns * sizeof(float));
    }
};

#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
