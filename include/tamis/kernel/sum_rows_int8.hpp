#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/kernel/dot_rows_int8.hpp>
#include <tamis/kernel/sum_halves_int8.hpp>
#include <tamis/kernel/sum_rows_of_block.hpp>
#include <tamis/kernel/sum_tokens_int8.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Sums of active rows in integers. What a row is multiplied with and its scale are one factor a block; those of the eight rows of
// a pass are rounded to bytes, in steps of their largest over 127. Eight products of a code of up to five bits and a byte fit into
// sixteen bits, so that a block of eight rows becomes floats once. Rows that are left over by passes of eight are added as floats.

namespace detail {

/// Whether the codes of F fit, and it pays here. (AVX-512 without sums of four products makes floats of plain four-bit codes as
/// quickly: it looks them up.)
template <class F>
inline constexpr bool sums_int8 = [] {
#if defined(__AVX2__) && defined(__FMA__)
    if constexpr (has_codes<F>) {
        constexpr bool looked_up = vec::size == 16 && F::codes::most <= 15 && F::codes::unit == 32;
        return !F::codes::are_signed && F::codes::most <= 31 && run_of_codes<F> == 32 &&
               (!looked_up || sums_four_blocks<F>);
    }
#endif
    return false;
}();

/// The simple loop: eight rows of which each has so many columns.
template <class F>
void sum_int8_plain(const std::byte* const (&rows)[8], const float (&x)[8], std::size_t columns, float* y) {
    using C = typename F::codes;
    constexpr std::size_t most = code_units<F>::runs_a_stretch;
    for (std::size_t first = 0; first < columns; first += int8_stretch) {
        const std::size_t end = (std::min)(first + int8_stretch, columns);
        float scales[8][most];
        float offsets[8][most] = {};
        for (std::size_t k = 0; k < 8; ++k) {
            C::numbers(rows[k], first, (end - first + int8_block - 1) / int8_block, scales[k], offsets[k]);
        }
        for (std::size_t j = first; j < end; ++j) {
            const std::size_t r = (j - first) / int8_block;
            std::uint32_t largest = 0;
            float offset = 0;
            for (std::size_t k = 0; k < 8; ++k) {
                largest = larger(largest, magnitude_bits(scales[k][r] * x[k]));
                offset += C::has_offset ? offsets[k][r] * x[k] : 0.0f;
            }
            const float inverse = 127.0f / larger(bits_as<float>(largest), 0x1p-100f);
            int sum = 0;
            for (std::size_t k = 0; k < 8; ++k) {
                sum += nearest_int8(scales[k][r] * x[k], inverse) * unseen_byte(C::at(rows[k], j));
            }
            y[j] += offset + static_cast<float>(sum) * (bits_as<float>(largest) * (1.0f / 127.0f));
        }
    }
}

/// y[j] += sum over the rows of x[row] * W[row, j], for columns [begin, end), of formats that sums_int8 says it of.
template <class F>
void sum_listed_rows_int8(const row_list& rows, std::size_t columns, const float* x, float* y,
                          std::size_t begin, std::size_t end);

#if defined(__AVX2__) && defined(__FMA__)

/// Factors of a stretch of blocks, of eight rows.
template <class F>
class int8_factors {
    using C = typename F::codes;
    static constexpr std::size_t most = code_units<F>::runs_a_stretch;

  public:
    std::uint32_t pairs[4][most]; // two rows' bytes, twice
    std::uint32_t zero[most];     // what their codes' zero comes to, twice
    float step[most];
    float offset[most];

    /// Those of `runs` blocks from weight i on, a multiple of the stretch.
    void make(const std::byte* const (&rows)[8], std::size_t i, std::size_t runs, const float (&x)[8]) {
        float factors[8][most];
        __m256i largest[most / 8];
        floats8 offsets[most / 8];
        for (std::size_t v = 0; v < most / 8; ++v) {
            largest[v] = _mm256_setzero_si256();
            offsets[v] = floats8{};
        }
        for (std::size_t k = 0; k < 8; ++k) {
            float of_row[most];
            float off[most];
            C::numbers(rows[k], i, runs, of_row, off);
            floats8 times;
            set_lanes(x[k], times);
            for (std::size_t v = 0; v < (runs + 7) / 8; ++v) {
                floats8 f;
                load_lanes(of_row + 8 * v, f);
                f = f * times;
                store_lanes(factors[k] + 8 * v, f);
                largest[v] =
                    _mm256_max_epi32(largest[v], _mm256_and_si256((__m256i)f, _mm256_set1_epi32(0x7fffffff)));
                if constexpr (C::has_offset) {
                    load_lanes(off + 8 * v, f);
                    add_product(f, times, offsets[v]);
                }
            }
        }
        for (std::size_t v = 0; v < (runs + 7) / 8; ++v) {
            const __m256 most_of = _mm256_castsi256_ps(largest[v]);
            const __m256 inverse =
                divide_registers(_mm256_set1_ps(127.0f), _mm256_max_ps(_mm256_set1_ps(0x1p-100f), most_of));
            _mm256_storeu_ps(step + 8 * v, _mm256_mul_ps(most_of, _mm256_set1_ps(1.0f / 127.0f)));
            store_lanes(offset + 8 * v, offsets[v]);
            __m256i sum = _mm256_setzero_si256();
            for (std::size_t p = 0; p < 4; ++p) {
                const __m256i a =
                    _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(factors[2 * p] + 8 * v), inverse));
                const __m256i b =
                    _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(factors[2 * p + 1] + 8 * v), inverse));
                sum = _mm256_add_epi32(sum, _mm256_add_epi32(a, b));
                const __m256i pair =
                    _mm256_or_si256(_mm256_and_si256(a, _mm256_set1_epi32(0xff)),
                                    _mm256_slli_epi32(_mm256_and_si256(b, _mm256_set1_epi32(0xff)), 8));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs[p] + 8 * v),
                                    _mm256_or_si256(pair, _mm256_slli_epi32(pair, 16)));
            }
            if constexpr (C::zero != 0) {
                sum = _mm256_and_si256(_mm256_mullo_epi32(sum, _mm256_set1_epi32(C::zero)),
                                       _mm256_set1_epi32(0xffff));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(zero + 8 * v),
                                    _mm256_or_si256(sum, _mm256_slli_epi32(sum, 16)));
            }
        }
    }
};

/// Eight rows times their factors: sixteen columns' sums each, in the order that unpacking leaves.
struct int8_sums {
    __m256i low = _mm256_setzero_si256(), high = _mm256_setzero_si256();

    TAMIS_DETAIL_INLINE void add(const bytes32& a, const bytes32& b, const std::uint32_t& pair) {
        const __m256i factors = _mm256_set1_epi32(static_cast<int>(pair));
        low = _mm256_add_epi16(low,
                               _mm256_maddubs_epi16(_mm256_unpacklo_epi8((__m256i)a, (__m256i)b), factors));
        high = _mm256_add_epi16(high,
                                _mm256_maddubs_epi16(_mm256_unpackhi_epi8((__m256i)a, (__m256i)b), factors));
    }
    TAMIS_DETAIL_INLINE void subtract(std::uint32_t zero) {
        const __m256i twice = _mm256_set1_epi32(static_cast<int>(zero));
        low = _mm256_sub_epi16(low, twice);
        high = _mm256_sub_epi16(high, twice);
    }
    template <bool HasOffset>
    TAMIS_DETAIL_INLINE void add_to(float* y, float step, float offset) const {
        add_eight<HasOffset>(_mm256_castsi256_si128(low), y, step, offset);
        add_eight<HasOffset>(_mm256_castsi256_si128(high), y + 8, step, offset);
        add_eight<HasOffset>(_mm256_extracti128_si256(low, 1), y + 16, step, offset);
        add_eight<HasOffset>(_mm256_extracti128_si256(high, 1), y + 24, step, offset);
    }

  private:
    template <bool HasOffset>
    TAMIS_DETAIL_INLINE static void add_eight(__m128i sums, float* y, float step, float offset) {
        __m256 old = _mm256_loadu_ps(y);
        if constexpr (HasOffset) {
            old = _mm256_add_ps(old, _mm256_set1_ps(offset));
        }
        const __m256 wide = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(sums));
        _mm256_storeu_ps(y, _mm256_fmadd_ps(wide, _mm256_set1_ps(step), old));
    }
};

/// Unit i of eight rows added to y; r is its place among the stretch's runs.
template <class F, std::size_t... P>
TAMIS_DETAIL_INLINE void add_unit_int8(const std::byte* const (&rows)[8], std::size_t i,
                                       const int8_factors<F>& by, std::size_t r, float* y,
                                       std::index_sequence<P...>) {
    using C = typename F::codes;
    constexpr std::size_t vectors = code_units<F>::vectors;
    int8_sums sums[vectors];
    const auto add_pair = [&](std::size_t p) __attribute__((always_inline)) {
        bytes32 a[vectors], b[vectors];
        C::load(rows[2 * p], i, a);
        C::load(rows[2 * p + 1], i, b);
        sums[0].add(a[0], b[0], by.pairs[p][r]);
        if constexpr (vectors == 2) {
            sums[1].add(a[1], b[1], by.pairs[p][r + 1]);
        }
    };
    (add_pair(P), ...);
    for (std::size_t v = 0; v < vectors; ++v) {
        if constexpr (C::zero != 0) {
            sums[v].subtract(by.zero[r + v]);
        }
        sums[v].template add_to<C::has_offset>(y + 32 * v, by.step[r + v], by.offset[r + v]);
    }
}

/// Adds eight rows to y, columns [begin, end). begin is a multiple of 64.
template <class F>
void add_rows_int8(const passes_of<8>& passes, std::size_t pass, const float* x, std::size_t begin,
                   std::size_t end, float* y) {
    using unit = code_units<F>;
    const rows_of_pass<8> rows{passes, pass};
    float times[8];
    for (std::size_t k = 0; k < 8; ++k) {
        times[k] = x[passes.row(pass, k)];
    }
    const std::size_t start = begin / unit::weights;
    const std::size_t last = (end + unit::weights - 1) / unit::weights;
    const std::size_t row_bytes = (last - start) * unit::bytes;
    const std::size_t ahead =
        (std::min)(int8_bytes_ahead(passes.rows, row_bytes) / unit::bytes, last - start);
    int8_factors<F> by;
    for (std::size_t from = start; from < last;) {
        const std::size_t first = from / unit::a_stretch * unit::a_stretch; // numbers are made from there on
        const std::size_t to = (std::min)(first + unit::a_stretch, last);
        by.make(rows.now, first * unit::weights, (to - first) * unit::runs, times);
        const std::byte* ask[8];
        for (std::size_t k = 0; k < 8; ++k) {
            ask[k] = from + ahead < last ? rows.now[k] + ahead * unit::bytes
                                         : rows.next[k] - (last - start - ahead) * unit::bytes;
        }
        for (std::size_t i = from; i < to; ++i) {
            if ((i - from) % unit::a_line == 0) {
                for (std::size_t k = 0; k < 8; ++k) {
                    prefetch(ask[k] + i * unit::bytes);
                }
            }
            const std::size_t j = i * unit::weights;
            if (j + unit::weights <= end) {
                add_unit_int8<F>(rows.now, j, by, (i - first) * unit::runs, y + j,
                                 std::make_index_sequence<4>{});
            } else {
                float rest[unit::weights] = {};
                std::memcpy(rest, y + j, (end - j) * sizeof(float));
                add_unit_int8<F>(rows.now, j, by, (i - first) * unit::runs, rest,
                                 std::make_index_sequence<4>{});
                std::memcpy(y + j, rest, (end - j) * sizeof(float));
            }
        }
        from = to;
    }
}

template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_rows_int8(const row_list& rows, std::size_t columns, const float* x,
                                                float* y, std::size_t begin, std::size_t end) {
    for_each_pass(rows, [&]<std::size_t Count>(const passes_of<Count>& passes, std::size_t i) {
        if constexpr (Count == 8) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
            if constexpr (sums_four_blocks<F>) {
                return adding_halves<F>::add_rows(passes, i, x, begin, end, y);
            }
#endif
            add_rows_int8<F>(passes, i, x, begin, end, y);
        } else {
            add_rows<F>(passes, i, columns, x, begin, end, y, tuning{});
        }
    });
}

#endif

/// A format whose rows are added in integers where they may be, and else as they are: what a product takes for F.
template <class F>
struct added_in_int8 : F {};

} // namespace detail

/// sum_rows of such a format.
template <class F, class L, class Rows>
void sum_rows(const matrix<detail::added_in_int8<F>, L>& w, Rows rows, std::span<const float> x,
              std::span<float> y, std::size_t begin, std::size_t end, const tuning& by = {}) {
    const matrix<F, L> as_it_is{w.row(0), w.rows(), w.columns(), w.stride_bytes()};
    if constexpr (detail::sums_int8<F>) {
        detail::sum_listed_rows_int8<F>(detail::row_list{as_it_is, rows}, w.columns(), x.data(), y.data(),
                                        begin, end);
    } else {
        sum_rows(as_it_is, rows, x, y, begin, end, by);
    }
}
/// sum_rows_of_block of one: several tokens have each row unpacked once, to bytes or to floats.
template <class F, class L, class Rows>
void sum_rows_of_block(const matrix<detail::added_in_int8<F>, L>& w, Rows rows, block<const float> x,
                       block<float> y, std::size_t begin, std::size_t end) {
    const matrix<F, L> as_it_is{w.row(0), w.rows(), w.columns(), w.stride_bytes()};
    if (x.rows() == 1) {
        return sum_rows(w, rows, x.row(0), y.row(0), begin, end);
    }
    if constexpr (detail::sums_tokens_int8<F>) {
        const detail::row_list list{as_it_is, rows};
        if (detail::sums_tokens_in_int8<F>(list, x)) {
            return detail::sum_listed_rows_of_tokens_int8<F>(list, w.columns(), detail::unseen(x),
                                                             detail::unseen(y), begin, end);
        }
    }
    sum_rows_of_block(as_it_is, rows, x, y, begin, end);
}

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
