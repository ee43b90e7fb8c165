#pragma once

#include <tamis/format/column_blocks.hpp>
#include <tamis/matrix.hpp>

TAMIS_BEGIN

/// A matrix whose rows are inputs of a product (W_down by neurons, W_gate and W_up by inputs) and whose columns have scales for
/// blocks of 32 rows, as a checkpoint's rows have them: see column_blocks. Borrowed, at any address.
template <class F, class L>
    requires(detail::column_blocked<F>)
class matrix<F, L> {
    static_assert(
        std::is_same_v<L, neuron_major> || std::is_same_v<L, input_major>,
        "tamis: column_blocks are for matrices whose rows are inputs: W_down neuron_major, W_gate and W_up "
        "input_major; where a row is an output, a checkpoint's format is right as it is");

  public:
    /// How weights are stored.
    using format_type = F;
    /// What a row is.
    using layout_type = L;
    /// Rows that share scales.
    static constexpr std::size_t rows_of_block = F::block;

    /// Blocks directly behind each other. T is std::byte or void.
    template <class T>
    matrix(const T* data TAMIS_LIFETIMEBOUND, std::size_t rows, std::size_t columns)
        : matrix{data, rows, columns, F::block_bytes(columns)} {}

    /// Blocks so many bytes apart; refuses fewer than a block takes, and weights at a null pointer.
    template <class T>
    matrix(const T* data TAMIS_LIFETIMEBOUND, std::size_t rows, std::size_t columns, std::size_t stride_bytes)
        : data_{static_cast<const std::byte*>(static_cast<const void*>(data))},
          rows_{rows},
          columns_{columns},
          stride_bytes_{stride_bytes} {
        static_assert(std::is_void_v<T> || std::is_same_v<T, std::byte>,
                      "tamis::matrix: column_blocks lie in memory of std::byte or void");
        if (stride_bytes < F::block_bytes(columns)) {
            fail_sizes("tamis::matrix: a block of 32 rows takes %zu bytes, but stride_bytes is %zu",
                       F::block_bytes(columns), stride_bytes);
        }
        if (data == nullptr && rows != 0 && columns != 0) {
            fail_sizes("tamis::matrix: %zu rows of %zu weights at a null pointer", rows, columns);
        }
    }

    /// How many rows.
    std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    std::size_t columns() const { return columns_; }
    /// Bytes from a block of 32 rows to the next.
    std::size_t stride_bytes() const { return stride_bytes_; }
    /// Bytes of a row's codes.
    std::size_t row_bytes() const { return F::row_bytes(columns_); }
    /// Bytes of all codes and numbers, without what may lie between blocks.
    std::uint64_t bytes() const {
        return std::uint64_t{rows_} * row_bytes() +
               std::uint64_t{(rows_ + F::block - 1) / F::block} * F::number_bytes(columns_);
    }
    /// Those of some rows (all_rows or active_rows), with the numbers of all blocks that have one.
    template <class Rows>
    std::uint64_t bytes_of(Rows rows) const {
        std::uint64_t sum = std::uint64_t{rows.size()} * row_bytes();
        std::size_t counted = static_cast<std::size_t>(-1);
        for (std::size_t k = 0; k < rows.size(); ++k) {
            if (rows[k] / F::block != counted) {
                counted = rows[k] / F::block;
                sum += F::number_bytes(columns_);
            }
        }
        return sum;
    }

    /// Where the block of row i begins, with its numbers; i is not checked.
    const std::byte* row(std::size_t i) const { return data_ + i / F::block * stride_bytes_; }
    /// Where the codes of row i begin.
    const std::byte* codes(std::size_t i) const {
        return row(i) + F::number_bytes(columns_) + i % F::block * row_bytes();
    }

    /// One weight as a float: the checkpoint's, bit for bit.
    float at(std::size_t row_index, std::size_t column) const {
        return F::at(row(row_index), codes(row_index), columns_, column);
    }

  private:
    const std::byte* data_;
    std::size_t rows_, columns_, stride_bytes_;
};

TAMIS_END
