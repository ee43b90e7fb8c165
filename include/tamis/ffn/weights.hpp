#pragma once

#include <tamis/detail/memory.hpp>
#include <tamis/matrix.hpp>

#include <utility>

TAMIS_BEGIN

/// The biases of an FFN, borrowed (a temporary is refused); an empty span is no bias.
struct glu_biases {
    /// One an output, borrowed; empty where there is none.
    detail::kept_span<float> gate{}, up{}, down{};
};

namespace detail {

/// A matrix of one of several formats, in one of several layouts: see any_ffn.
template <class M>
concept laid_at_run_time = requires { typename M::formats_type; };

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

/// The same of a matrix, whose layout may be known at run time alone.
template <class M>
constexpr bool up_rows_are_outputs(const M& m) {
    if constexpr (laid_at_run_time<M>) {
        return m.layout() == decltype(m.layout())::neuron_major;
    } else {
        return up_rows_are_outputs<M>();
    }
}
template <class M>
constexpr bool down_rows_are_outputs(const M& m) {
    if constexpr (laid_at_run_time<M>) {
        return m.layout() != decltype(m.layout())::neuron_major;
    } else {
        return down_rows_are_outputs<M>();
    }
}

template <class M>
std::size_t up_neurons(const M& m) {
    return up_rows_are_outputs(m) ? m.rows() : m.columns();
}
template <class M>
std::size_t up_width(const M& m) {
    return up_rows_are_outputs(m) ? m.columns() : m.rows();
}
template <class M>
std::size_t down_neurons(const M& m) {
    return down_rows_are_outputs(m) ? m.columns() : m.rows();
}
template <class M>
std::size_t down_width(const M& m) {
    return down_rows_are_outputs(m) ? m.rows() : m.columns();
}

/// Refuses a bias that does not fit; an empty one is none.
inline void need_bias(const char* message, std::span<const float> bias, std::size_t n) {
    if (!bias.empty()) {
        need(message, n, bias.size());
        if (bias.data() == nullptr) {
            fail_value("tamis: a bias has %.0f entries, but lies at a null pointer",
                       static_cast<double>(bias.size()));
        }
    }
}

} // namespace detail

/// The weights of a gated FFN: y = W_down (sigma(W_gate x + b_gate) * (W_up x + b_up)) + b_down. Sizes that do not
/// fit are refused.
template <class Gate, class Up, class Down>
class glu_weights {
  public:
    /// Refuses sizes that do not fit together.
    glu_weights(Gate gate_matrix, Up up_matrix, Down down_matrix, glu_biases all_biases = {})
        : gate{gate_matrix}, up{up_matrix}, down{down_matrix}, biases{all_biases} {
        detail::need("tamis::glu_weights: W_up has %zu neurons, W_gate %zu", neurons(),
                     detail::up_neurons(gate));
        detail::need("tamis::glu_weights: W_up has %zu neurons, W_down %zu", neurons(),
                     detail::down_neurons(down));
        detail::need("tamis::glu_weights: W_up has %zu inputs, W_gate %zu", width(), detail::up_width(gate));
        detail::need("tamis::glu_weights: W_up has %zu inputs, W_down %zu outputs", width(),
                     detail::down_width(down));
        detail::need_bias("tamis::glu_weights: the gate bias needs %zu entries, got %zu", biases.gate,
                          neurons());
        detail::need_bias("tamis::glu_weights: the up bias needs %zu entries, got %zu", biases.up, neurons());
        detail::need_bias("tamis::glu_weights: the down bias needs %zu entries, got %zu", biases.down,
                          width());
    }

    /// d, the width of the intermediate, and h, that of x and y.
    std::size_t neurons() const { return detail::up_neurons(up); }
    /// The length of x and y.
    std::size_t width() const { return detail::up_width(up); }
    /// Bytes of all weights.
    std::uint64_t bytes() const {
        return detail::bytes_of_all(gate) + detail::bytes_of_all(up) + detail::bytes_of_all(down);
    }

    /// The matrix, borrowed.
    Gate gate;
    /// The matrix, borrowed.
    Up up;
    /// The matrix, borrowed.
    Down down;
    /// Of gate, up and down; empty where there is none.
    glu_biases biases;
};

/// The weights of an ungated FFN: y = W_down sigma(W_up x + b_up) + b_down. Sizes that do not fit are refused.
template <class Up, class Down>
class plain_weights {
  public:
    plain_weights(Up up_matrix, Down down_matrix, detail::kept_span<float> up_bias_or_none = {},
                  detail::kept_span<float> down_bias_or_none = {})
        : up{up_matrix}, down{down_matrix}, up_bias{up_bias_or_none}, down_bias{down_bias_or_none} {
        detail::need("tamis::plain_weights: W_up has %zu neurons, W_down %zu", neurons(),
                     detail::down_neurons(down));
        detail::need("tamis::plain_weights: W_up has %zu inputs, W_down %zu outputs", width(),
                     detail::down_width(down));
        detail::need_bias("tamis::plain_weights: the up bias needs %zu entries, got %zu", up_bias, neurons());
        detail::need_bias("tamis::plain_weights: the down bias needs %zu entries, got %zu", down_bias,
                          width());
    }

    /// How many neurons: the length of gate, up and intermediate.
    std::size_t neurons() const { return detail::up_neurons(up); }
    /// The length of x and y.
    std::size_t width() const { return detail::up_width(up); }
    /// Bytes of all weights.
    std::uint64_t bytes() const { return detail::bytes_of_all(up) + detail::bytes_of_all(down); }

    /// The matrix, borrowed.
    Up up;
    /// The matrix, borrowed.
    Down down;
    /// One an output, borrowed; empty where there is none.
    std::span<const float> up_bias, down_bias;
};

namespace detail {

template <class Weights>
inline constexpr bool is_glu_weights = false;
template <class Gate, class Up, class Down>
inline constexpr bool is_glu_weights<glu_weights<Gate, Up, Down>> = true;
template <class Weights>
inline constexpr bool is_plain_weights = false;
template <class Up, class Down>
inline constexpr bool is_plain_weights<plain_weights<Up, Down>> = true;

/// What owns weights and gives a view of them: packed_glu, packed_plain, or a class of one's own.
template <class P>
concept gives_weights = requires(const P& p) {
    p.view().width();
    p.view().neurons();
};
template <gives_weights P>
using weights_of = decltype(std::declval<const P&>().view());

} // namespace detail

TAMIS_END
