#pragma once

#include <tamis/kernel/dot_rows.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

// dot_rows for several tokens: each row is read from memory and unpacked once for all of them.

/// The simple loop that it must equal up to rounding.
template <class M, class Rows>
void dot_rows_of_block_plain(const M& w, Rows rows, block<const float> x, block<float> y) {
    for (std::size_t token = 0; token < x.rows(); ++token) {
        dot_rows_plain(w, rows, x.row(token), y.row(token));
    }
}

namespace detail {

/// Rows in one pass, and the columns of them that are unpacked at a time: 8 KiB of floats.
inline constexpr std::size_t rows_of_block = 4;
inline constexpr std::size_t columns_of_block = 512;

/// sums[k] += weights[k] . x over whole vectors.
template <std::size_t... K>
void multiply_unpacked(const float (*weights)[columns_of_block], const float* x, std::size_t count, vec* sums,
                       std::index_sequence<K...>) {
    vec total[] = {sums[K]...};
    for (std::size_t j = 0; j < count; j += vec::size) {
        const vec values = load(x + j);
        ((total[K] = multiply_add(load(weights[K] + j), values, total[K])), ...);
    }
    ((sums[K] = total[K]), ...);
}

/// Units [from, to) of a row as floats.
template <class F>
void unpack_units(const std::byte* row, std::size_t from, std::size_t to, float* out) {
    using unit = unit_of<F>;
    float scales[unit::stretch];
    for (std::size_t i = from; i < to; ++i, out += unit::weights) {
        vec weights[unit::vectors];
        load_unit<F>(row, i, weights);
        if constexpr (scaled_by_block<F>) {
            if ((i - from) % unit::stretch == 0) {
                stretch_scales<F, 1>::scales_of(row + i * unit::bytes, std::min(unit::stretch, to - i), 1.0f,
                                                scales);
            }
            for (vec& w : weights) {
                w = w * vec(scales[(i - from) % unit::stretch]);
            }
        }
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            store(out + v * vec::size, weights[v]);
        }
    }
}

template <std::size_t Count, class M, class Rows>
void multiply_rows_with_tokens(const M& w, Rows rows, std::size_t k, block<const float> x, block<float> y) {
    using F = typename M::format_type;
    using unit = unit_of<F>;
    const std::size_t tokens = x.rows();
    const std::size_t last = w.columns() / unit::weights;
    rows_in_hand<F, Count> in_hand{w, rows, k, 0, last};
    vec sums[most_tokens][Count];
    for (std::size_t token = 0; token < tokens; ++token) {
        std::fill_n(sums[token], Count, vec(0.0f));
    }
    float unpacked[Count][columns_of_block];
    constexpr std::size_t units = columns_of_block / unit::weights;
    for (std::size_t from = 0; from < last; from += units) {
        const std::size_t to = std::min(from + units, last);
        in_hand.look_ahead(from);
        for (std::size_t i = from; i < to; i += unit::a_line) {
            in_hand.ask_for(i);
        }
        for (std::size_t i = 0; i < Count; ++i) {
            unpack_units<F>(in_hand.now[i], from, to, unpacked[i]);
        }
        for (std::size_t token = 0; token < tokens; ++token) {
            multiply_unpacked(unpacked, x.row(token).data() + from * unit::weights,
                              (to - from) * unit::weights, sums[token], std::make_index_sequence<Count>{});
        }
    }
    for (std::size_t token = 0; token < tokens; ++token) {
        for (std::size_t i = 0; i < Count; ++i) {
            float total = sum(sums[token][i]);
            if constexpr (scaled_by_row<F>) {
                total *= F::scale(in_hand.now[i], 0);
            }
            for (std::size_t j = last * unit::weights; j < w.columns(); ++j) {
                total += F::at(in_hand.now[i], j) * x.row(token)[j];
            }
            y.row(token)[rows[k + i]] = total;
        }
    }
}

} // namespace detail

/// y[token][r] = row r . x[token] for the rows and up to most_tokens tokens.
template <class M, class Rows>
void dot_rows_of_block(const M& w, Rows rows, block<const float> x, block<float> y) {
    if (x.rows() == 1) {
        dot_rows(w, rows, x.row(0), y.row(0));
    } else if (x.rows() != 0) {
        std::size_t k = 0;
        for (; k + detail::rows_of_block <= rows.size(); k += detail::rows_of_block) {
            detail::multiply_rows_with_tokens<detail::rows_of_block>(w, rows, k, x, y);
        }
        for (; k < rows.size(); ++k) {
            detail::multiply_rows_with_tokens<1>(w, rows, k, x, y);
        }
    }
}

TAMIS_END
