#pragma once

#include <tamis/ffn/weights.hpp>
#include <tamis/kernel/rows.hpp>

TAMIS_BEGIN

// Sum of active rows: y += sum_k x[r_k] * W[r_k, :], for layouts in which a row belongs to one entry of x.
// Rows that are not listed are not read.

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

/// Adds Count rows in one pass over y, so that y is read and written once for all of them.
template <std::size_t Count, class M, class Rows>
void add_rows(const M& w, Rows rows, std::size_t first, std::span<const float> x, std::span<float> y) {
    using F = typename M::format_type;
    const std::byte* row[Count];
    float factor[Count];
    for (std::size_t k = 0; k < Count; ++k) {
        row[k] = w.row(rows[first + k]);
        factor[k] = x[rows[first + k]];
    }
    const std::size_t whole = w.columns() - w.columns() % vec::size;
    for (std::size_t j = 0; j < whole; j += vec::size) {
        vec sum = load(&y[j]);
        for (std::size_t k = 0; k < Count; ++k) {
            sum = multiply_add(vec(factor[k]), load_weights<F>(row[k], j), sum);
        }
        store(&y[j], sum);
    }
    for (std::size_t j = whole; j < w.columns(); ++j) {
        float sum = y[j];
        for (std::size_t k = 0; k < Count; ++k) {
            sum += factor[k] * F::at(row[k], j);
        }
        y[j] = sum;
    }
}

} // namespace detail

/// y += sum over the rows; x is indexed by row, y has the matrix's columns. Eight rows a pass.
template <class M, class Rows>
void sum_rows(const M& w, Rows rows, std::span<const float> x, std::span<float> y) {
    std::size_t k = 0;
    for (; k + 8 <= rows.size(); k += 8) {
        detail::add_rows<8>(w, rows, k, x, y);
    }
    for (; k < rows.size(); ++k) {
        detail::add_rows<1>(w, rows, k, x, y);
    }
}

TAMIS_END
