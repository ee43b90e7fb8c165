#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/kernel/kernel_traits.hpp>
#include <tamis/kernel/rows.hpp>
#include <tamis/kernel/tuning.hpp>
#include <tamis/values.hpp>

#include <algorithm>
#include <utility>

TAMIS_BEGIN

// Sums of active rows of column_blocks: y[j] += sum over blocks of scale[j] * sum over the block's rows of code * x. A column's
// scale is multiplied once a block, where rows with scales of their own have one for each 32 of their weights. A block's rows are
// added up in registers, 64 columns of them at a time. (The simple loop that it must equal up to rounding is sum_rows_plain.)
// Where denormals are flushed, mxfp4's scales below 2^-126 count as zero.

namespace detail {

/// The listed rows of a block.
struct rows_of_block {
    const std::byte* numbers = nullptr;
    const std::byte* codes[32] = {};
    float x[32] = {};
    std::uint32_t row[32] = {};
    std::size_t count = 0;

    /// Those from place k of a list on; returns the place behind them. Behind the last come copies of the first, with an x of 0 in
    /// integers, for loops that take several.
    template <class F, class L>
    std::size_t take(const matrix<F, L>& w, const row_list& rows, std::size_t k, const float* values) {
        count = 0;
        if (k == rows.size()) {
            return k;
        }
        const std::size_t b = rows[k] / F::block;
        numbers = unseen(w.row(rows[k]));
        const std::byte* const first = numbers + F::number_bytes(w.columns());
        for (; k < rows.size() && rows[k] / F::block == b; ++k, ++count) {
            row[count] = static_cast<std::uint32_t>(rows[k]);
            codes[count] = first + rows[k] % F::block * w.row_bytes();
            x[count] = values[rows[k]];
        }
        std::fill(codes + count, codes + 32, codes[0]);
        return k;
    }
};

/// Lines of a block's rows that are read some units later, or of the next block's. They are asked for one with each row that is
/// in hand: more at once than a processor keeps track of would hold up what it reads.
template <class F>
class asked_rows {
    using codes = column_codes<typename F::turned_format>;
    static constexpr std::size_t pairs_bytes = codes::bits == 8 ? 64 : 32; // of a unit; fifth bits are few

  public:
    asked_rows(const rows_of_block& now, const rows_of_block& next, std::size_t begin, std::size_t end)
        : now_{now}, next_{next}, first_{begin / F::unit}, last_{(end + F::unit - 1) / F::unit} {
        constexpr std::size_t in_flight = (kernel_traits::few_in_flight ? 4 : 12) * 1024;
        ahead_ = std::clamp<std::size_t>(in_flight / (pairs_bytes * (now.count + (now.count == 0))), 2, 32);
        ahead_ = (std::min)(ahead_, last_ - first_);
    }

    struct of_unit {
        const std::byte* const* rows;
        std::size_t at;
        TAMIS_DETAIL_INLINE void with_row(std::size_t k) const { prefetch(rows[k] + at); }
    };
    /// What is asked for with unit u (or with so many from it on); its numbers at once.
    TAMIS_DETAIL_INLINE of_unit turn(std::size_t u, std::size_t units = 1) const {
        const bool here = u + ahead_ < last_ || next_.count == 0;
        const rows_of_block& of = here ? now_ : next_;
        const std::size_t unit = here ? (std::min)(u + ahead_, last_ - 1) : first_ + (u + ahead_ - last_);
        const std::byte* const numbers = of.numbers + unit * F::unit * (codes::number_bytes == 1 ? 1 : 2);
        for (std::size_t line = 0; line < 2 * units; ++line) {
            prefetch(numbers + 64 * line);
        }
        for (std::size_t k = now_.count; k < of.count; ++k) {
            prefetch(of.codes[k] + unit * pairs_bytes);
        }
        return {of.codes, unit * pairs_bytes};
    }

  private:
    const rows_of_block& now_;
    const rows_of_block& next_;
    std::size_t first_, last_, ahead_ = 0; // units
};

/// How many times too large nibbles_apart leaves the high ones: to shift them would take an instruction more.
inline constexpr float high_nibbles_by = [] {
#if defined(__AVX512F__)
    return vec::size == 16 ? 16.0f : 1.0f;
#elif defined(__AVX2__)
    return vec::size == 8 ? 16.0f : 1.0f;
#else
    return 1.0f;
#endif
}();
/// The low halves of a vector's number of bytes less Zero, and the high ones too, so many times. (Bits of 2^23 + n, less that.)
template <int Zero, class Vector>
TAMIS_DETAIL_INLINE void nibbles_apart(const std::byte* p, Vector& low, Vector& high) {
    [[maybe_unused]] constexpr float less = 0x1p23f + Zero, high_less = 0x1p23f + 16 * Zero;
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512i of_23 = _mm512_set1_epi32(0x4b000000);
        constexpr int and_or = 0xea; // (a & b) | c
        const __m512i lows = _mm512_ternarylogic_epi32(bytes, _mm512_set1_epi32(15), of_23, and_or);
        const __m512i highs = _mm512_ternarylogic_epi32(bytes, _mm512_set1_epi32(240), of_23, and_or);
        low = Vector(_mm512_sub_ps(_mm512_castsi512_ps(lows), _mm512_set1_ps(less)));
        high = Vector(_mm512_sub_ps(_mm512_castsi512_ps(highs), _mm512_set1_ps(high_less)));
        return;
    }
#elif defined(__AVX2__)
    if constexpr (Vector::size == 8) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
        const __m256i of_23 = _mm256_set1_epi32(0x4b000000);
        __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        __m256i highs = _mm256_and_si256(bytes, _mm256_set1_epi32(240));
        if constexpr (Zero == 0) {
            low = Vector(_mm256_cvtepi32_ps(lows));
            high = Vector(_mm256_cvtepi32_ps(highs));
            return;
        }
        lows = _mm256_or_si256(lows, of_23);
        highs = _mm256_or_si256(highs, of_23);
        low = Vector(_mm256_sub_ps(_mm256_castsi256_ps(lows), _mm256_set1_ps(less)));
        high = Vector(_mm256_sub_ps(_mm256_castsi256_ps(highs), _mm256_set1_ps(high_less)));
        return;
    }
#endif
    if constexpr (Zero == 8) {
        widen_to_vec::nibbles(p, low, high);
    } else {
        widen_to_vec::halves(p, low, high);
    }
}

/// What the codes of a format's columns 32 .. 63 have to be multiplied by, behind load_columns.
template <class F>
inline constexpr float of_high_columns =
    column_codes<F>::bits == 4 && !looks_up_columns<F> ? 1 / high_nibbles_by : 1.0f;

inline constexpr std::size_t vectors_of_32 = 32 / vec::size;

/// Sixteen columns' five bits less Zero: the low halves of bytes, or the high ones, and their fifth bits.
template <int Zero, std::size_t High>
TAMIS_DETAIL_INLINE void load_five_bits(const std::byte* pairs, const std::byte* fifth, vec* out) {
    const bytes16 both = load_bytes(pairs);
    const bytes16 low = High == 0 ? both & 15 : both >> 4;
    const bytes16 bits = bytes_of_bits(integer_at<std::uint16_t>(fifth));
    if constexpr (Zero == 16) {
        widen_to_vec::signed_bytes(low | (~bits & 0xf0), out);
    } else {
        widen_to_vec::signed_bytes(low | (bits & 16), out);
    }
}

/// Sixty-four columns' codes as floats, without scale; the last 32 may be several times those. (Folds, not loops: g++ keeps arrays
/// with indices that vary in memory.)
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void load_columns(const std::byte* row, std::size_t u, [[maybe_unused]] std::size_t fifth,
                                      vec (&out)[64 / vec::size], std::index_sequence<V...>) {
    using codes = column_codes<F>;
    if constexpr (codes::bits == 8) {
        ((out[V] = widen_to_vec::int8(row + 64 * u + V * vec::size),
          out[vectors_of_32 + V] = widen_to_vec::int8(row + 64 * u + 32 + V * vec::size)),
         ...);
    } else if constexpr (looks_up_columns<F>) {
        vec both[2][2 * vectors_of_16];
        looked_up_halves(row + 32 * u, codes::table, 1.0f, both[0]);
        looked_up_halves(row + 32 * u + 16, codes::table, 1.0f, both[1]);
        ((out[V] = both[V / vectors_of_16][V % vectors_of_16],
          out[vectors_of_32 + V] = both[V / vectors_of_16][vectors_of_16 + V % vectors_of_16]),
         ...);
    } else if constexpr (codes::bits == 4) {
        (nibbles_apart<codes::zero>(row + 32 * u + V * vec::size, out[V], out[vectors_of_32 + V]), ...);
    } else {
        const std::byte* const bits = row + fifth + 8 * u;
        load_five_bits<codes::zero, 0>(row + 32 * u, bits, out);
        load_five_bits<codes::zero, 0>(row + 32 * u + 16, bits + 2, out + vectors_of_16);
        load_five_bits<codes::zero, 1>(row + 32 * u, bits + 4, out + 2 * vectors_of_16);
        load_five_bits<codes::zero, 1>(row + 32 * u + 16, bits + 6, out + 3 * vectors_of_16);
    }
}

#if defined(__AVX2__)
/// column_blocks' power_of_two of eight bytes.
TAMIS_DETAIL_INLINE __m256 eight_powers_of_two(const std::byte* p) {
    const __m256i e = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i denormal = _mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(1)), 21); // of 0 and 1
    return _mm256_castsi256_ps(_mm256_max_epi32(normal, denormal));
}
#endif
/// The same of a vector's number of bytes.
template <class Vector>
TAMIS_DETAIL_INLINE Vector powers_of_two(const std::byte* p) {
#if defined(__AVX512F__)
    if constexpr (Vector::size == 16) {
        const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
        const __m512i denormal = _mm512_slli_epi32(_mm512_add_epi32(e, _mm512_set1_epi32(1)), 21);
        return Vector(_mm512_castsi512_ps(_mm512_max_epi32(normal, denormal)));
    }
#elif defined(__AVX2__)
    if constexpr (Vector::size == 8) {
        return Vector(eight_powers_of_two(p));
    }
#endif
    float powers[Vector::size];
    for (std::size_t k = 0; k < Vector::size; ++k) {
        powers[k] = column_blocks<mxfp4>::power_of_two(byte_at(p, k));
    }
    return Vector::load_unaligned(powers);
}

/// A vector of a block's numbers: scales, or minima.
template <class F>
TAMIS_DETAIL_INLINE vec load_numbers(const std::byte* numbers, std::size_t j) {
    if constexpr (column_codes<F>::number_bytes == 1) {
        return powers_of_two<vec>(numbers + j);
    } else {
        return widen_to_vec::f16(numbers + 2 * j);
    }
}

template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void add_row_of_block(const std::byte* row, std::size_t u, std::size_t fifth,
                                          const vec& x, vec (&sum)[sizeof...(V)], std::index_sequence<V...>) {
    vec codes[sizeof...(V)];
    load_columns<F>(row, u, fifth, codes, std::make_index_sequence<vectors_of_32>{});
    ((sum[V] = multiply_add(codes[V], x, sum[V])), ...);
}

/// Adds what a block comes to in 64 columns to theirs of y.
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void add_unit_of_block(const rows_of_block& rows,
                                           const typename asked_rows<column_blocks<F>>::of_unit& ask,
                                           std::size_t padded, std::size_t u,
                                           [[maybe_unused]] float of_minima, float* y,
                                           std::index_sequence<V...> vectors) {
    constexpr std::size_t n = vec::size;
    vec sum[sizeof...(V)] = {vec(0.0f * static_cast<float>(V))...};
    for (std::size_t k = 0; k < rows.count; ++k) {
        ask.with_row(k);
        add_row_of_block<F>(rows.codes[k], u, padded / 2, vec(rows.x[k]), sum, vectors);
    }
    if constexpr (column_codes<F>::number_bytes == 4) {
        const std::byte* const minima = rows.numbers + 2 * padded;
        (store(y + V * n,
               multiply_add(load_numbers<F>(minima, 64 * u + V * n), vec(of_minima), load(y + V * n))),
         ...);
    }
    (store(y + V * n, multiply_add(load_numbers<F>(rows.numbers, 64 * u + V * n),
                                   V * n < 32 ? sum[V] : sum[V] * vec(of_high_columns<F>), load(y + V * n))),
     ...);
}

/// Calls f(u, y of the unit) for each unit of columns [begin, end), the last perhaps on a copy.
template <class Call>
TAMIS_DETAIL_INLINE void for_each_unit_of_columns(std::size_t begin, std::size_t end, float* y, Call&& f) {
    std::size_t u = begin / 64;
    for (; 64 * (u + 1) <= end; ++u) {
        f(u, y + 64 * u);
    }
    if (64 * u < end) {
        float rest[64] = {};
        std::copy_n(y + 64 * u, end - 64 * u, rest);
        f(u, rest);
        std::copy_n(rest, end - 64 * u, y + 64 * u);
    }
}

/// One block, columns [begin, end) of y.
template <class F>
void add_rows_of_block(const rows_of_block& rows, const rows_of_block& next, std::size_t columns,
                       std::size_t begin, std::size_t end, float* y) {
    using turned = column_blocks<F>;
    const std::size_t padded = turned::padded(columns);
    const asked_rows<turned> asked{rows, next, begin, end};
    float of_minima = 0;
    for (std::size_t k = 0; k < rows.count; ++k) {
        of_minima += rows.x[k];
    }
    for_each_unit_of_columns(
        begin, end, y, [&](std::size_t u, float* out) __attribute__((always_inline)) {
            add_unit_of_block<F>(rows, asked.turn(u), padded, u, of_minima, out,
                                 std::make_index_sequence<2 * vectors_of_32>{});
        });
}

/// Calls add(rows, next) for each block that has listed rows.
template <class F, class L, class Add>
void for_each_block(const matrix<F, L>& w, const row_list& rows, const float* x, Add&& add) {
    rows_of_block both[2];
    std::size_t k = both[0].take(w, rows, 0, x);
    for (std::size_t side = 0; both[side].count != 0; side = 1 - side) {
        k = both[1 - side].take(w, rows, k, x);
        add(both[side], both[1 - side]);
    }
}

/// sum_rows of a format, whatever the layout.
template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_column_blocks(const matrix<F, neuron_major>& w, const row_list& rows,
                                                    const float* x, float* y, std::size_t begin,
                                                    std::size_t end) {
    for_each_block(w, rows, x, [&](const rows_of_block& these, const rows_of_block& next) {
        add_rows_of_block<typename F::turned_format>(these, next, w.columns(), begin, end, y);
    });
}

/// Calls f with the part of a list that lies in each block.
template <class F, class L, class Rows, class Call>
void for_rows_of_each_block(const matrix<F, L>&, Rows rows, Call&& f) {
    for (std::size_t k = 0; k < rows.size();) {
        std::size_t to = k + 1;
        while (to < rows.size() && rows[to] / F::block == rows[k] / F::block) {
            ++to;
        }
        f(rows.part(k, to - k));
        k = to;
    }
}

template <class F, class L>
matrix<column_blocks<typename F::turned_format>, neuron_major> as_turned(const matrix<F, L>& w) {
    return {w.row(0), w.rows(), w.columns(), w.stride_bytes()};
}

} // namespace detail

/// sum_rows of column_blocks; begin is a multiple of 64.
template <detail::column_blocked F, class L, class Rows>
void sum_rows(const matrix<F, L>& w, Rows rows, std::span<const float> x, std::span<float> y,
              std::size_t begin, std::size_t end, const tuning& = {}) {
    if (rows.size() != 0 && begin < end) {
        detail::sum_listed_column_blocks(detail::as_turned(w), detail::row_list{w, rows},
                                         detail::unseen(x.data()), detail::unseen(y.data()), begin, end);
    }
}

/// unpack of column_blocks, bit for bit; begin is a multiple of 64.
template <detail::column_blocked F, class L>
void unpack(const matrix<F, L>& w, std::size_t row, std::size_t begin, std::size_t end, float* out) {
    using turned = typename F::turned_format;
    constexpr std::size_t n = detail::vec::size;
    const std::size_t padded = F::padded(w.columns());
    const std::byte* const numbers = detail::unseen(w.row(row));
    const std::byte* const codes = detail::unseen(w.codes(row));
    for (std::size_t j = begin; j < end; j += 64) {
        detail::vec weights[64 / n];
        float some[64];
        detail::load_columns<turned>(codes, j / 64, padded / 2, weights,
                                     std::make_index_sequence<detail::vectors_of_32>{});
        for (std::size_t v = 0; v < 64 / n; ++v) {
            const detail::vec scale = detail::load_numbers<turned>(numbers, j + v * n);
            weights[v] = v * n < 32 ? weights[v] : weights[v] * detail::vec(detail::of_high_columns<turned>);
            if constexpr (detail::column_codes<turned>::number_bytes == 4) {
                const detail::vec minimum = detail::load_numbers<turned>(numbers + 2 * padded, j + v * n);
                detail::store(some + v * n, detail::multiply_add(weights[v], scale, minimum));
            } else {
                detail::store(some + v * n, weights[v] * scale);
            }
        }
        const std::size_t count = (std::min)(end - j, std::size_t{64});
        std::copy_n(some, count, out + (j - begin));
        if constexpr (detail::column_codes<turned>::number_bytes ==
                      1) { // no model has these; they may be flushed
            for (std::size_t k = j; k < j + count; ++k) {
                if (detail::byte_at(numbers, k) < 2) [[unlikely]] {
                    out[k - begin] = F::at(numbers, codes, w.columns(), k);
                }
            }
        }
    }
}

/// sum_rows_of_block of column_blocks: the first one's sum has each block in a cache for the others.
template <detail::column_blocked F, class L, class Rows>
void sum_rows_of_block(const matrix<F, L>& w, Rows rows, block<const float> x, block<float> y,
                       std::size_t begin, std::size_t end) {
    detail::for_rows_of_each_block(w, rows, [&](Rows of_block) {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            sum_rows(w, of_block, x.row(token), y.row(token), begin, end);
        }
    });
}

TAMIS_END
