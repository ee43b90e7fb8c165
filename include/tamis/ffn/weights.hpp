#pragma once

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

/// A matrix of weights in memory: `rows` rows of `columns` weights in format F, each `stride_bytes` after the one
/// before. Borrowed: the memory outlives the view.
template <class F, class L>
class matrix {
    static_assert(format<F>,
                  "tamis: this is no weight format: it needs the static members name, storage, row_bytes(n), "
                  "at(row, i) and pack(floats, row), as tamis/format/format.hpp lists them");
    static_assert(layout<L>, "tamis: a layout is neuron_major, input_major or output_major");

  public:
    using format_type = F;
    using layout_type = L;

    /// Rows directly behind each other. T is the format's storage type, another type of its size
    /// (Eigen::bfloat16), std::byte or void.
    template <class T>
    matrix(const T* data, std::size_t rows, std::size_t columns)
        : matrix{data, rows, columns, F::row_bytes(columns)} {}

    /// Rows with a leading dimension, in bytes; refuses one that is shorter than a row.
    template <class T>
    matrix(const T* data, std::size_t rows, std::size_t columns, std::size_t stride_bytes)
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
        if (stride_bytes < F::row_bytes(columns)) {
            fail_sizes("tamis::matrix: a row takes %zu bytes, but stride_bytes is %zu", F::row_bytes(columns),
                       stride_bytes);
        }
    }

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    std::size_t stride_bytes() const { return stride_bytes_; }
    std::size_t row_bytes() const { return F::row_bytes(columns_); }
    const std::byte* row(std::size_t i) const { return data_ + i * stride_bytes_; }

    /// One weight as a float: the simple way to read any format.
    float at(std::size_t row_index, std::size_t column) const { return F::at(row(row_index), column); }

  private:
    const std::byte* data_;
    std::size_t rows_, columns_, stride_bytes_;
};

/// The biases of an FFN; an empty span is no bias.
struct glu_biases {
    std::span<const float> gate{}, up{}, down{};
};

namespace detail {

template <class M>
inline constexpr bool is_neuron_major = std::is_same_v<typename M::layout_type, neuron_major>;

/// Whether a row of a gate or up matrix is an output (a neuron) of the product with x.
template <class M>
constexpr bool up_rows_are_outputs() {
    static_assert(
        !std::is_same_v<typename M::layout_type, output_major>,
        "tamis: W_gate and W_up are neuron_major (a row a neuron, as checkpoints hold them) or input_major");
    return is_neuron_major<M>;
}
/// Whether a row of a down matrix is an output of the product with the intermediate.
template <class M>
constexpr bool down_rows_are_outputs() {
    static_assert(!std::is_same_v<typename M::layout_type, input_major>,
                  "tamis: W_down is output_major (as checkpoints hold it) or neuron_major (see tamis::pack)");
    return !is_neuron_major<M>;
}

template <class M>
std::size_t up_neurons(const M& m) {
    return up_rows_are_outputs<M>() ? m.rows() : m.columns();
}
template <class M>
std::size_t up_width(const M& m) {
    return up_rows_are_outputs<M>() ? m.columns() : m.rows();
}
template <class M>
std::size_t down_neurons(const M& m) {
    return down_rows_are_outputs<M>() ? m.columns() : m.rows();
}
template <class M>
std::size_t down_width(const M& m) {
    return down_rows_are_outputs<M>() ? m.rows() : m.columns();
}

} // namespace detail

/// The weights of a gated FFN: y = W_down (sigma(W_gate x + b_gate) * (W_up x + b_up)) + b_down. Sizes that do not
/// fit are refused.
template <class Gate, class Up, class Down>
class glu_weights {
  public:
    glu_weights(Gate gate_matrix, Up up_matrix, Down down_matrix, glu_biases all_biases = {})
        : gate{gate_matrix}, up{up_matrix}, down{down_matrix}, biases{all_biases} {
        detail::need("tamis::glu_weights: W_up has %zu neurons, W_gate %zu", neurons(),
                     detail::up_neurons(gate));
        detail::need("tamis::glu_weights: W_up has %zu neurons, W_down %zu", neurons(),
                     detail::down_neurons(down));
        detail::need("tamis::glu_weights: W_up has %zu inputs, W_gate %zu", width(), detail::up_width(gate));
        detail::need("tamis::glu_weights: W_up has %zu inputs, W_down %zu outputs", width(),
                     detail::down_width(down));
        check_bias("tamis::glu_weights: the gate bias needs %zu entries, got %zu", biases.gate, neurons());
        check_bias("tamis::glu_weights: the up bias needs %zu entries, got %zu", biases.up, neurons());
        check_bias("tamis::glu_weights: the down bias needs %zu entries, got %zu", biases.down, width());
    }

    /// d, the width of the intermediate, and h, that of x and y.
    std::size_t neurons() const { return detail::up_neurons(up); }
    std::size_t width() const { return detail::up_width(up); }
    std::uint64_t bytes() const {
        return std::uint64_t{gate.rows()} * gate.row_bytes() + std::uint64_t{up.rows()} * up.row_bytes() +
               std::uint64_t{down.rows()} * down.row_bytes();
    }

    Gate gate;
    Up up;
    Down down;
    glu_biases biases;

  private:
    static void check_bias(const char* message, std::span<const float> bias, std::size_t n) {
        if (!bias.empty()) {
            detail::need(message, n, bias.size());
        }
    }
};

TAMIS_END
