#pragma once

#include <tamis/kernel/step.hpp>

#include <cstring>

TAMIS_BEGIN

// Sum of active rows: y += sum_k x[r_k] * W[r_k, :], for layouts in which a row belongs to one entry of x.
// Rows that are not listed are not read. Each entry of y sums the rows one after the other, in an order that the list
// alone decides, so that no bit of it depends on how the columns are divided.

/// The simple loop that sum_rows must equal up to rounding.
template <class M, class Rows>
void sum_rows_plain(const M& w, Rows rows, std::span<const float> x, std::span<float> y) {
    for (std::size_t k = 0; k < rows.size(); ++k) {
        for (std::size_t j = 0; j < w.columns(); ++j) {
            y[j] += x[rows[k]] * w.at(rows[k], j);
        }
    }
}

namespace detail {

/// A format that hands out a unit's vectors one after the other. (Eight of them, eight sums and what makes them are more than
/// sixteen registers.)
template <class F>
concept visited_unit = requires(const std::byte* row, std::size_t i, const float* numbers) {
    F::visit_unit(row, i, numbers, [](auto, const vec&) {});
};

/// sum[v] += factor * vector v of a unit.
template <class F, std::size_t... V>
TAMIS_DETAIL_INLINE void add_unit(const std::byte* row, std::size_t i, const float* numbers,
                                  const vec& factor, vec (&sum)[unit_of<F>::vectors],
                                  std::index_sequence<V...>) {
    if constexpr (visited_unit<F>) {
        F::visit_unit(
            row, i * unit_of<F>::weights,
            numbers, [&](auto v, const vec& weights) __attribute__((always_inline)) {
                sum[v] = multiply_add(factor, weights, sum[v]);
            });
    } else {
        vec weights[unit_of<F>::vectors];
        load_unit<F>(row, i, numbers, weights);
        ((sum[V] = multiply_add(factor, weights[V], sum[V])), ...);
    }
}

/// Adds unit i of the rows to that of y.
template <class F, std::size_t... K, std::size_t... V>
TAMIS_DETAIL_INLINE void add_units(const rows_in_hand<F, sizeof...(K)>& in_hand, std::size_t i,
                                   const float (&factor)[sizeof...(K)],
                                   const typename stretch_numbers<F, sizeof...(K)>::of_row* numbers,
                                   std::size_t in_stretch, float* y, std::index_sequence<K...>,
                                   std::index_sequence<V...> vectors) {
    using unit = unit_of<F>;
    using made = stretch_numbers<F, sizeof...(K)>;
    float* const out = y + i * unit::weights;
    vec sum[unit::vectors];
    ((sum[V] = load(out + V * vec::size)), ...);
    if constexpr (scaled_by_block<F>) {
        (add_unit<F>(in_hand.now[K], i, nullptr, vec(*made::at(numbers, K, in_stretch)), sum, vectors), ...);
    } else {
        (add_unit<F>(in_hand.now[K], i, made::at(numbers, K, in_stretch), vec(factor[K]), sum, vectors), ...);
    }
    (store(out + V * vec::size, sum[V]), ...);
}

/// Adds rows to units [from, to) of y, one pass over y for all of them. (Folds, not loops: g++ keeps arrays with indices
/// that vary in memory.)
template <class F, std::size_t... K, std::size_t... U>
void add_stretch(const rows_in_hand<F, sizeof...(K)>& in_hand, std::size_t from, std::size_t to,
                 const float (&factor)[sizeof...(K)],
                 const typename stretch_numbers<F, sizeof...(K)>::of_row* numbers, float* y,
                 std::index_sequence<K...> rows, std::index_sequence<U...>) {
    constexpr typename unit_of<F>::each_vector vectors;
    std::size_t i = from;
    if constexpr (sizeof...(U) > 1) {
        for (; i + sizeof...(U) <= to; i += sizeof...(U)) {
            ((in_hand.template ask_in_group<U>(i),
              add_units<F>(in_hand, i + U, factor, numbers, i + U - from, y, rows, vectors)),
             ...);
        }
    }
    for (; i < to; ++i) {
        in_hand.ask_in_turn(i, i - from);
        add_units<F>(in_hand, i, factor, numbers, i - from, y, rows, vectors);
    }
}

/// Adds rows to the columns from unit `last` to `end`, fewer than a unit, as they are added to those of whole units: equal
/// columns have equal sums, wherever they lie.
template <class F, std::size_t Count>
void add_rest(const rows_in_hand<F, Count>& in_hand, std::size_t last, std::size_t end, std::size_t columns,
              const float (&factor)[Count], float* y) {
    using unit = unit_of<F>;
    float rest[unit::weights] = {};
    std::memcpy(rest, y + last * unit::weights, (end - last * unit::weights) * sizeof(float));
    for (std::size_t k = 0; k < Count; ++k) {
        vec weights[unit::vectors];
        load_rest<F>(in_hand.now[k], last, columns, weights);
        float times = factor[k];
        if constexpr (scaled_by_block<F>) {
            times *= F::scale(in_hand.now[k], last * unit::weights);
        }
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            float* const sum = rest + v * vec::size;
            store(sum, multiply_add(vec(times), weights[v], load(sum)));
        }
    }
    std::memcpy(y + last * unit::weights, rest, (end - last * unit::weights) * sizeof(float));
}

/// Adds Count rows to y, columns [begin, end). begin is a multiple of the unit.
template <class F, std::size_t Count>
void add_rows(const passes_of<Count>& passes, std::size_t pass, std::size_t columns, const float* x,
              std::size_t begin, std::size_t end, float* y, const tuning& by) {
    using unit = unit_of<F>;
    const std::size_t start = begin / unit::weights;
    const std::size_t last = end / unit::weights;
    rows_in_hand<F, Count> in_hand{passes, pass, start, last, by};
    float factor[Count];
    for (std::size_t k = 0; k < Count; ++k) {
        factor[k] = x[passes.row(pass, k)];
        if constexpr (scaled_by_row<F>) {
            factor[k] *= F::scale(in_hand.now[k], 0);
        }
    }
    stretch_numbers<F, Count> numbers;
    numbers.ready(in_hand.now, start, last, factor);
    for (std::size_t from = start, to = start; from < last; from = to) {
        to = in_hand.end_of_stretch(from);
        in_hand.look_ahead(from);
        const auto now = numbers.turn();
        numbers.ready(in_hand.now, to, last, factor);
        add_stretch<F>(in_hand, from, to, factor, now, y, std::make_index_sequence<Count>{},
                       typename unit::each_in_hand{});
    }
    if (last * unit::weights < end) {
        add_rest<F>(in_hand, last, end, columns, factor, y);
    }
}

/// sum_rows of a format, whatever the matrix: a function of its own, so that a program has it once.
template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_rows(const row_list& rows, std::size_t columns, const float* x,
                                           float* y, std::size_t begin, std::size_t end, const tuning& by) {
    for_each_tuned_pass<F>(rows, by, [&](const auto& passes, std::size_t i) {
        add_rows<F>(passes, i, columns, x, begin, end, y, by);
    });
}

} // namespace detail

/// y[j] += sum over the rows, for the columns j in [begin, end); x is indexed by row, y by column. begin is a multiple of
/// 64. Several rows a pass.
template <class M, class Rows>
void sum_rows(const M& w, Rows rows, std::span<const float> x, std::span<float> y, std::size_t begin,
              std::size_t end, const tuning& by = {}) {
    x = detail::unseen(x);
    y = detail::unseen(y);
    detail::sum_listed_rows<typename M::format_type>(detail::row_list{w, rows}, w.columns(), x.data(),
                                                     y.data(), begin, end, by);
}

/// The same for all columns.
template <class M, class Rows>
void sum_rows(const M& w, Rows rows, std::span<const float> x, std::span<float> y) {
    sum_rows(w, rows, x, y, 0, w.columns());
}

TAMIS_END
