#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/detail/lifetimebound.hpp>
#include <tamis/error.hpp>
#include <tamis/format/format.hpp>

#include <type_traits>

TAMIS_BEGIN

// Weights are views of the caller's memory. The layout, which says what a row of that memory is, is part of
// the type, because it decides what a mask can skip.

/// A row a neuron: W_gate and W_up as checkpoints hold them, and W_down transposed (see pack).
struct neuron_major {};
/// A row an input: W_gate and W_up transposed.
struct input_major {};
/// A row an output: W_down as checkpoints hold it.
struct output_major {};

template <class L>
concept layout =
    std::is_same_v<L, neuron_major> || std::is_same_v<L, input_major> || std::is_same_v<L, output_major>;

namespace detail {

/// Refuses rows that end within a block, of a format that knows none.
template <class F>
void need_whole_blocks([[maybe_unused]] std::size_t columns) {
    if constexpr (whole_block_format<F>) {
        if (columns % F::block != 0) {
            fail_sizes(
                "tamis::matrix: rows of this format are whole blocks of %zu weights, but a row has %zu; GGUF files have "
                "such matrices in a format with blocks of 32 (q5_0, q8_0 and the like): take the type that the file says",
                F::block, columns);
        }
    }
}

} // namespace detail

/// A matrix of weights in memory: `rows` rows of `columns` weights in format F, each `stride_bytes` after the one
/// before. Borrowed: the memory outlives the view.
template <class F, class L>
class matrix {
    static_assert(
        weight_format<F>,
        "tamis: this is no weight format: it needs the static members name, storage, row_bytes(n), "
        "and at(row, i), and pack(floats, row) to be packed, as tamis/format/format.hpp lists them");
    static_assert(layout<L>, "tamis: a layout is neuron_major, input_major or output_major");

  public:
    /// How weights are stored.
    using format_type = F;
    /// What a row is.
    using layout_type = L;

    /// Rows directly behind each other. T is the format's storage type, another type of its size
    /// (Eigen::bfloat16), std::byte or void.
    template <class T>
    matrix(const T* data TAMIS_LIFETIMEBOUND, std::size_t rows, std::size_t columns)
        : matrix{data, rows, columns, F::row_bytes(columns)} {}

    /// Rows with a leading dimension, in bytes; refuses one that is shorter than a row, and weights at a null pointer.
    template <class T>
    matrix(const T* data TAMIS_LIFETIMEBOUND, std::size_t rows, std::size_t columns, std::size_t stride_bytes)
        : data_{static_cast<const std::byte*>(static_cast<const void*>(data))},
          rows_{rows},
          columns_{columns},
          stride_bytes_{stride_bytes} {
        if constexpr (!std::is_void_v<T> && !std::is_same_v<T, std::byte>) {
            static_assert(
                sizeof(T) == sizeof(typename F::storage),
                "tamis::matrix: this pointer's type is not the format's; pass std::byte or void to say that "
                "the memory holds the format all the same");
        }
        detail::need_whole_blocks<F>(columns);
        if (stride_bytes < F::row_bytes(columns)) {
            fail_sizes("tamis::matrix: a row takes %zu bytes, but stride_bytes is %zu", F::row_bytes(columns),
                       stride_bytes);
        }
        if (data == nullptr && rows != 0 && F::row_bytes(columns) != 0) {
            fail_sizes("tamis::matrix: %zu rows of %zu weights at a null pointer", rows, columns);
        }
    }

    /// How many rows.
    std::size_t rows() const { return rows_; }
    /// How many entries a row has.
    std::size_t columns() const { return columns_; }
    /// Bytes from a row to the next.
    std::size_t stride_bytes() const { return stride_bytes_; }
    /// Bytes of a row's weights, without what may lie between rows.
    std::size_t row_bytes() const { return F::row_bytes(columns_); }
    /// Where row i begins, or the last ends; TAMIS_HARDENED checks i.
    const std::byte* row(std::size_t i) const {
        if constexpr (detail::hardened) {
            if (i > rows_) {
                fail_sizes("tamis::matrix: it has %zu rows, asked for was row %zu", rows_, i);
            }
        }
        return data_ + i * stride_bytes_;
    }

    /// One weight as a float: the simple way to read any format. TAMIS_HARDENED checks both indices.
    float at(std::size_t row_index, std::size_t column) const {
        if constexpr (detail::hardened) {
            detail::need_index("tamis::matrix: it has %zu rows, asked for was a weight of row %zu", row_index,
                               rows_);
        }
        if constexpr (detail::hardened) {
            detail::need_index("tamis::matrix: it has %zu columns, asked for was a weight of column %zu",
                               column, columns_);
        }
        return F::at(row(row_index), column);
    }

  private:
    const std::byte* data_;
    std::size_t rows_, columns_, stride_bytes_;
};

namespace detail {

/// A matrix that counts its bytes itself: not all of them belong to a row (see column_blocks).
template <class M>
concept counts_bytes = requires(const M& m) { m.bytes(); };

/// Bytes of all weights of a matrix.
template <class M>
std::uint64_t bytes_of_all(const M& m) {
    if constexpr (counts_bytes<M>) {
        return m.bytes();
    } else {
        return std::uint64_t{m.rows()} * m.row_bytes();
    }
}

} // namespace detail

TAMIS_END
