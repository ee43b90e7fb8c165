#pragma once

#include <tamis/ffn/weights.hpp>
#include <tamis/kernel/rows.hpp>

TAMIS_BEGIN

// Dot products of active rows: y[r_k] = W[r_k, :] . x, for layouts in which a row belongs to one entry of y.
// Rows that are not listed are not read, and their entries of y are left alone.

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

/// Count rows in one pass over x, so that each vector of x is loaded once for all of them.
template <std::size_t Count, class M, class Rows>
void multiply_rows(const M& w, Rows rows, std::size_t first, std::span<const float> x, std::span<float> y) {
    using F = typename M::format_type;
    const std::byte* row[Count];
    vec sums[Count];
    for (std::size_t k = 0; k < Count; ++k) {
        row[k] = w.row(rows[first + k]);
        sums[k] = vec(0.0f);
    }
    const std::size_t whole = w.columns() - w.columns() % vec::size;
    for (std::size_t j = 0; j < whole; j += vec::size) {
        const vec values = load(&x[j]);
        for (std::size_t k = 0; k < Count; ++k) {
            sums[k] = multiply_add(load_weights<F>(row[k], j), values, sums[k]);
        }
    }
    for (std::size_t k = 0; k < Count; ++k) {
        float total = sum(sums[k]);
        for (std::size_t j = whole; j < w.columns(); ++j) {
            total += F::at(row[k], j) * x[j];
        }
        y[rows[first + k]] = total;
    }
}

} // namespace detail

/// y[r] = row r . x for the rows; x has the matrix's columns, y is indexed by row. Eight rows a pass.
template <class M, class Rows>
void dot_rows(const M& w, Rows rows, std::span<const float> x, std::span<float> y) {
    std::size_t k = 0;
    for (; k + 8 <= rows.size(); k += 8) {
        detail::multiply_rows<8>(w, rows, k, x, y);
    }
    for (; k < rows.size(); ++k) {
        detail::multiply_rows<1>(w, rows, k, x, y);
    }
}

TAMIS_END
