#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/kernel/rows.hpp>
#include <tamis/kernel/tuning.hpp>
#include <tamis/values.hpp>

#include <algorithm>
#include <utility>

TAMIS_BEGIN

// Sums of active rows of column_blocks: y[j] += sum over blocks of scale[j] * sum over the block's rows of code * x. A column's
// scale is multiplied once a block, where rows with scales of their own have one for each 32 of their weights. A block's rows are
// added up in registers, 64 columns of them at a time. (The simple loop that it must equal up to rounding is sum_rows_plain.)

namespace detail {

/// The listed rows of a block.
struct rows_of_block {
    const std::byte* numbers = nullptr;
    const std::byte* codes[32] = {};
    float x[32] = {};
    std::uint32_t row[32] = {};
    std::size_t count = 0;

    /// Those from place k of a list on; returns the place behind them.
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
        return k;
    }
};

/// Asks for lines of a block's rows that are read so much later.
template <class F>
struct asked_rows {
    static constexpr std::size_t unit_bytes = F::unit / 8 * column_codes<typename F::turned_format>::bits;

    const rows_of_block& now;
    const rows_of_block& next;
    std::size_t first, last, ahead; // units

    asked_rows(const rows_of_block& these, const rows_of_block& then, std::size_t begin, std::size_t end)
        : now{these}, next{then}, first{begin}, last{end} {
        constexpr std::size_t in_flight = 12 * 1024;
        ahead = std::clamp<std::size_t>(in_flight / (unit_bytes * (now.count + (now.count == 0))), 2, 32);
        ahead = (std::min)(ahead, last - first);
    }
    TAMIS_DETAIL_INLINE void ask(std::size_t u) const {
        constexpr bool half = unit_bytes < 64;
        if (half && (u & 1u) != 0) {
            return;
        }
        const bool here = u + ahead < last;
        const rows_of_block& of = here ? now : next;
        const std::size_t at = (here ? u + ahead : first + (u + ahead - last)) * (half ? 32 : 64);
        for (std::size_t k = 0; k < of.count; ++k) {
            prefetch(of.codes[k] + at);
        }
    }
};

/// Sixty-four columns' codes as floats, without scale.
template <class F>
TAMIS_DETAIL_INLINE void load_columns(const std::byte* row, std::size_t u, [[maybe_unused]] std::size_t fifth,
                                      vec (&out)[64 / vec::size]) {
    using codes = column_codes<F>;
    constexpr std::size_t half = 32 / vec::size;
    constexpr std::size_t quarter = 16 / vec::size;
    if constexpr (codes::bits == 8) {
        for (std::size_t v = 0; v < 2 * half; ++v) {
            out[v] = widen_to_vec::int8(row + 64 * u + v * vec::size);
        }
    } else if constexpr (looks_up_columns<F>) {
        for (std::size_t k = 0; k < 2; ++k) {
            vec both[2 * quarter];
            looked_up_halves(row + 32 * u + 16 * k, codes::table, 1.0f, both);
            for (std::size_t v = 0; v < quarter; ++v) {
                out[k * quarter + v] = both[v];
                out[half + k * quarter + v] = both[quarter + v];
            }
        }
    } else if constexpr (codes::bits == 4) {
        for (std::size_t v = 0; v < half; ++v) {
            if constexpr (codes::zero == 8) {
                widen_to_vec::nibbles(row + 32 * u + v * vec::size, out[v], out[half + v]);
            } else {
                widen_to_vec::halves(row + 32 * u + v * vec::size, out[v], out[half + v]);
            }
        }
    } else {
        const std::byte* const bits = row + fifth + 8 * u;
        for (std::size_t k = 0; k < 4; ++k) {
            const bytes16 pairs = load_bytes(row + 32 * u + 16 * (k % 2));
            const bytes16 low = k < 2 ? pairs & 15 : pairs >> 4;
            const bytes16 fifths = bytes_of_bits(integer_at<std::uint16_t>(bits + 2 * k));
            constexpr auto sixteen = static_cast<std::uint8_t>(codes::zero == 16 ? 0xf0 : 16);
            const bytes16 q = low | ((codes::zero == 16 ? ~fifths : fifths) & sixteen);
            widen_to_vec::signed_bytes(q, out + k * quarter);
        }
    }
}

/// A vector of a block's numbers: scales, or minima with `minima`.
template <class F>
TAMIS_DETAIL_INLINE vec load_numbers(const std::byte* numbers, std::size_t j) {
    if constexpr (column_codes<F>::number_bytes == 1) {
        float powers[vec::size];
        for (std::size_t k = 0; k < vec::size; ++k) {
            powers[k] = column_blocks<F>::power_of_two(byte_at(numbers, j + k));
        }
        return load(powers);
    } else {
        return widen_to_vec::f16(numbers + 2 * j);
    }
}

/// Adds what a block comes to in 64 columns to y, of which there are so many.
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void add_block(const std::byte* numbers, std::size_t padded, std::size_t u,
                                   const vec (&sum)[sizeof...(V)], [[maybe_unused]] float of_minima, float* y,
                                   std::size_t count, std::index_sequence<V...>) {
    constexpr std::size_t n = vec::size;
    float rest[64];
    float* out = y + 64 * u;
    if (count < 64) [[unlikely]] {
        std::fill_n(rest, 64, 0.0f);
        std::copy_n(out, count, rest);
        out = rest;
    }
    if constexpr (column_codes<F>::number_bytes == 4) {
        const std::byte* const minima = numbers + 2 * padded;
        (store(out + V * n,
               multiply_add(load_numbers<F>(minima, 64 * u + V * n), vec(of_minima), load(out + V * n))),
         ...);
    }
    (store(out + V * n, multiply_add(load_numbers<F>(numbers, 64 * u + V * n), sum[V], load(out + V * n))),
     ...);
    if (count < 64) [[unlikely]] {
        std::copy_n(rest, count, y + 64 * u);
    }
}

template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void add_row_of_block(const std::byte* row, std::size_t u, std::size_t fifth,
                                          const vec& x, vec (&sum)[sizeof...(V)], std::index_sequence<V...>) {
    vec codes[sizeof...(V)];
    load_columns<F>(row, u, fifth, codes);
    ((sum[V] = multiply_add(codes[V], x, sum[V])), ...);
}

/// One block, columns [begin, end) of y.
template <class F>
void add_rows_of_block(const rows_of_block& rows, const rows_of_block& next, std::size_t columns,
                       std::size_t begin, std::size_t end, float* y) {
    using turned = column_blocks<F>;
    constexpr std::make_index_sequence<64 / vec::size> vectors;
    const std::size_t padded = turned::padded(columns);
    const std::size_t last = (end + 63) / 64;
    const asked_rows<turned> asked{rows, next, begin / 64, last};
    float of_minima = 0;
    for (std::size_t k = 0; k < rows.count; ++k) {
        of_minima += rows.x[k];
    }
    for (std::size_t u = begin / 64; u < last; ++u) {
        asked.ask(u);
        vec sum[64 / vec::size];
        for (vec& some : sum) {
            some = vec(0.0f);
        }
        for (std::size_t k = 0; k < rows.count; ++k) {
            add_row_of_block<F>(rows.codes[k], u, padded / 2, vec(rows.x[k]), sum, vectors);
        }
        add_block<F>(rows.numbers, padded, u, sum, of_minima, y, (std::min)(end - 64 * u, std::size_t{64}),
                     vectors);
    }
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
        detail::load_columns<turned>(codes, j / 64, padded / 2, weights);
        for (std::size_t v = 0; v < 64 / n; ++v) {
            const detail::vec scale = detail::load_numbers<turned>(numbers, j + v * n);
            if constexpr (detail::column_codes<turned>::number_bytes == 4) {
                const detail::vec minimum = detail::load_numbers<turned>(numbers + 2 * padded, j + v * n);
                detail::store(some + v * n, detail::multiply_add(weights[v], scale, minimum));
            } else {
                detail::store(some + v * n, weights[v] * scale);
            }
        }
        std::copy_n(some, (std::min)(end - j, std::size_t{64}), out + (j - begin));
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
