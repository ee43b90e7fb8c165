#pragma once

#include <tamis/kernel/step.hpp>

TAMIS_BEGIN

// Dot products of active rows: y[r_k] = W[r_k, :] . x, for layouts in which a row belongs to one entry of y.
// Rows that are not listed are not read, and their entries of y are left alone. Each product is summed in one and the
// same order, whichever rows are taken with it.

/// The simple loop that dot_rows must equal up to rounding.
template <class M, class Rows>
void dot_rows_plain(const M& w, Rows rows, std::span<const float> x, std::span<float> y) {
    for (std::size_t k = 0; k < rows.size(); ++k) {
        float sum = 0;
        for (std::size_t j = 0; j < w.columns(); ++j) {
            sum += w.at(rows[k], j) * x[j];
        }
        y[rows[k]] = sum;
    }
}

namespace detail {

/// Vectors of x that a unit is multiplied with.
template <class F>
struct unit_factor {
    using each_vector = typename unit_of<F>::each_vector;
    vec x[unit_of<F>::vectors];

    explicit unit_factor(const float* from) {
        for (std::size_t v = 0; v < unit_of<F>::vectors; ++v) {
            x[v] = load(from + v * vec::size);
        }
    }
    /// sum + a unit times x, for weights that lack the scale of their block.
    TAMIS_DETAIL_INLINE vec add_scaled(const std::byte* row, std::size_t i, float scale,
                                       const vec& sum) const {
        return multiply_add(vec(scale), product(row, i, each_vector{}), sum);
    }
    /// The same for weights as they are.
    TAMIS_DETAIL_INLINE vec add(const std::byte* row, std::size_t i, const float* numbers,
                                const vec& sum) const {
        return added(row, i, numbers, sum, each_vector{});
    }

  private:
    template <std::size_t First, std::size_t... V>
    TAMIS_DETAIL_INLINE vec product(const std::byte* row, std::size_t i,
                                    std::index_sequence<First, V...>) const {
        vec weights[unit_of<F>::vectors];
        load_unit<F>(row, i, nullptr, weights);
        vec product = weights[First] * x[First];
        ((product = multiply_add(weights[V], x[V], product)), ...);
        return product;
    }
    template <std::size_t... V>
    TAMIS_DETAIL_INLINE vec added(const std::byte* row, std::size_t i, const float* numbers, vec sum,
                                  std::index_sequence<V...>) const {
        vec weights[unit_of<F>::vectors];
        load_unit<F>(row, i, numbers, weights);
        ((sum = multiply_add(weights[V], x[V], sum)), ...);
        return sum;
    }
};

/// sums[k] += unit i of row k times x.
template <class F, std::size_t... K>
TAMIS_DETAIL_INLINE void multiply_unit(const rows_in_hand<F, sizeof...(K)>& in_hand, std::size_t i,
                                       const typename stretch_numbers<F, sizeof...(K)>::of_row* numbers,
                                       std::size_t in_stretch, const float* x, vec (&sums)[sizeof...(K)],
                                       std::index_sequence<K...>) {
    using made = stretch_numbers<F, sizeof...(K)>;
    const unit_factor<F> values{x + i * unit_of<F>::weights};
    if constexpr (scaled_by_block<F>) {
        ((sums[K] = values.add_scaled(in_hand.now[K], i, *made::at(numbers, K, in_stretch), sums[K])), ...);
    } else {
        ((sums[K] = values.add(in_hand.now[K], i, made::at(numbers, K, in_stretch), sums[K])), ...);
    }
}

/// sums[k] += units [from, to) of row k times x. (Folds, not loops: g++ keeps arrays with indices that vary in memory.)
template <class F, std::size_t... K, std::size_t... U>
void multiply_stretch(const rows_in_hand<F, sizeof...(K)>& in_hand, std::size_t from, std::size_t to,
                      const typename stretch_numbers<F, sizeof...(K)>::of_row* numbers, const float* x,
                      vec (&total)[sizeof...(K)], std::index_sequence<K...> rows, std::index_sequence<U...>) {
    vec sums[] = {total[K]...};
    std::size_t i = from;
    if constexpr (sizeof...(U) > 1) {
        for (; i + sizeof...(U) <= to; i += sizeof...(U)) {
            ((in_hand.template ask_in_group<U>(i),
              multiply_unit<F>(in_hand, i + U, numbers, i + U - from, x, sums, rows)),
             ...);
        }
    }
    for (; i < to; ++i) {
        in_hand.ask_in_turn(i, i - from);
        multiply_unit<F>(in_hand, i, numbers, i - from, x, sums, rows);
    }
    ((total[K] = sums[K]), ...);
}

/// Count rows in one pass over x, so that each vector of x is loaded once for all of them.
template <class F, std::size_t Count>
void multiply_rows(const passes_of<Count>& passes, std::size_t pass, std::span<const float> x, float* y,
                   const tuning& by) {
    using unit = unit_of<F>;
    const std::size_t last = x.size() / unit::weights;
    rows_in_hand<F, Count> in_hand{passes, pass, 0, last, by};
    vec sums[Count];
    for (std::size_t k = 0; k < Count; ++k) {
        sums[k] = vec(0.0f);
    }
    float one[Count];
    detail::fill_n(one, Count, 1.0f);
    stretch_numbers<F, Count> numbers;
    numbers.ready(in_hand.now, 0, last, one);
    for (std::size_t from = 0, to = 0; from < last; from = to) {
        to = in_hand.end_of_stretch(from);
        in_hand.look_ahead(from);
        const auto now = numbers.turn();
        numbers.ready(in_hand.now, to, last, one);
        multiply_stretch<F>(in_hand, from, to, now, x.data(), sums, std::make_index_sequence<Count>{},
                            typename unit::each_in_hand{});
    }
    for (std::size_t k = 0; k < Count; ++k) {
        float total = sum(sums[k]);
        if constexpr (scaled_by_row<F>) {
            total *= F::scale(in_hand.now[k], 0);
        }
        for (std::size_t j = last * unit::weights; j < x.size(); ++j) {
            total += F::at(in_hand.now[k], j) * x[j];
        }
        y[passes.row(pass, k)] = total;
    }
}

/// dot_rows of a format, whatever the matrix: a function of its own, so that a program has it once.
template <class F>
TAMIS_DETAIL_NOINLINE void dot_listed_rows(const row_list& rows, std::span<const float> x, float* y,
                                           const tuning& by) {
    for_each_tuned_pass<F>(rows, by,
                           [&](const auto& passes, std::size_t i) { multiply_rows<F>(passes, i, x, y, by); });
}

} // namespace detail

/// y[r] = row r . x for the rows; x has the matrix's columns, y is indexed by row. Several rows a pass.
template <class M, class Rows>
void dot_rows(const M& w, Rows rows, std::span<const float> x, std::span<float> y, const tuning& by = {}) {
    x = detail::unseen(x);
    y = detail::unseen(y);
    detail::dot_listed_rows<typename M::format_type>(detail::row_list{w, rows}, x.first(w.columns()),
                                                     y.data(), by);
}

TAMIS_END
