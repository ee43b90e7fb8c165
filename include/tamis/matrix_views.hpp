#pragma once

#include <tamis/matrix.hpp>

#include <utility>

TAMIS_BEGIN

// Matrices that lie in one tensor with others, as views of it: nothing is copied.

/// Matrices of one shape behind each other: W_gate, W_up or W_down of all experts of a layer, one 3-D tensor. Borrowed.
///     glu_weights{gates[e], ups[e], downs[e]}
template <class F, class L>
class matrix_stack {
  public:
    /// Directly behind each other, as are their rows. T as a matrix takes it.
    template <class T>
    matrix_stack(const T* data TAMIS_LIFETIMEBOUND, std::size_t count, std::size_t rows, std::size_t columns)
        : matrix_stack{data, count, rows, columns, F::row_bytes(columns), rows * F::row_bytes(columns)} {}
    /// With a leading dimension, and from one matrix to the next; both in bytes. Refuses matrices that lie in each other.
    template <class T>
    matrix_stack(const T* data TAMIS_LIFETIMEBOUND, std::size_t count, std::size_t rows, std::size_t columns,
                 std::size_t stride_bytes, std::size_t matrix_bytes)
        : first_{data, rows, columns, stride_bytes}, count_{count}, matrix_bytes_{matrix_bytes} {
        const std::size_t needed = rows == 0 ? 0 : (rows - 1) * stride_bytes + first_.row_bytes();
        if (matrix_bytes < needed && count > 1) {
            fail_sizes("tamis::matrix_stack: a matrix takes %zu bytes, but the next begins after %zu", needed,
                       matrix_bytes);
        }
    }

    /// How many matrices.
    std::size_t size() const { return count_; }
    /// Matrix i; refuses one that is not there.
    matrix<F, L> operator[](std::size_t i) const {
        if (i >= count_) {
            fail_sizes("tamis::matrix_stack: there are %zu matrices, but %zu is asked for", count_, i);
        }
        return {first_.row(0) + i * matrix_bytes_, first_.rows(), first_.columns(), first_.stride_bytes()};
    }

  private:
    matrix<F, L> first_;
    std::size_t count_, matrix_bytes_;
};

/// Two matrices that lie in one, the outputs of the second behind those of the first (Phi-3, GLM-4: gate, then up). Refuses an
/// odd number of outputs; where rows are inputs, also halves that do not begin at a block of the format.
///     const auto [gate, up] = halves_of(fused);
template <class F, class L>
std::pair<matrix<F, L>, matrix<F, L>> halves_of(const matrix<F, L>& both) {
    constexpr bool by_inputs = std::is_same_v<L, input_major>;
    const std::size_t all = by_inputs ? both.columns() : both.rows();
    const std::size_t half = all / 2;
    if (all % 2 != 0) {
        fail_value("tamis::halves_of: %.0f outputs are not twice as many", static_cast<double>(all));
    }
    if constexpr (by_inputs) {
        if (F::row_bytes(0) != 0 || 2 * F::row_bytes(half) != F::row_bytes(all)) {
            fail_sizes(
                "tamis::halves_of: rows of %zu weights do not divide after %zu, which have a block or a "
                "scale with others; repack them from their floats, or take them by neurons",
                all, half);
        }
        return {{both.row(0), both.rows(), half, both.stride_bytes()},
                {both.row(0) + F::row_bytes(half), both.rows(), half, both.stride_bytes()}};
    } else {
        return {{both.row(0), half, both.columns(), both.stride_bytes()},
                {both.row(half), half, both.columns(), both.stride_bytes()}};
    }
}

/// Two matrices whose rows take turns (gpt-oss: a row of gate, a row of up). Refuses an odd number of rows.
///     const auto [gate, up] = alternate_rows_of(fused);
template <class F, class L>
std::pair<matrix<F, L>, matrix<F, L>> alternate_rows_of(const matrix<F, L>& both) {
    if (both.rows() % 2 != 0) {
        fail_value("tamis::alternate_rows_of: %.0f rows are not twice as many",
                   static_cast<double>(both.rows()));
    }
    const std::size_t stride = 2 * both.stride_bytes();
    const std::size_t rows = both.rows() / 2;
    return {{both.row(0), rows, both.columns(), stride},
            {rows == 0 ? both.row(0) : both.row(1), rows, both.columns(), stride}};
}

TAMIS_END
