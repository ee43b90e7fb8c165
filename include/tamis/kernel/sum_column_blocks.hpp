#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/kernel/column_lanes.hpp>
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
