#pragma once

#include <tamis/ffn/weights.hpp>

#include <array>
#include <tuple>

TAMIS_BEGIN

namespace detail {

/// Whether a row of a linear layer's matrix is an output.
template <class M>
constexpr bool rows_are_outputs() {
    static_assert(
        !is_neuron_major<M>,
        "tamis: the matrix of a linear layer is output_major (a row an output, as checkpoints hold it) or "
        "input_major (see tamis::packed_projection)");
    return std::is_same_v<typename M::layout_type, output_major>;
}
/// The same of a matrix, whose layout may be known at run time alone: see any_projection.
template <class M>
constexpr bool rows_are_outputs(const M& m) {
    if constexpr (laid_at_run_time<M>) {
        return m.layout() != decltype(m.layout())::input_major;
    } else {
        return rows_are_outputs<M>();
    }
}
template <class M>
std::size_t linear_inputs(const M& m) {
    return rows_are_outputs(m) ? m.columns() : m.rows();
}
template <class M>
std::size_t linear_outputs(const M& m) {
    return rows_are_outputs(m) ? m.rows() : m.columns();
}

} // namespace detail

/// The weights of linear layers that share one x: y_k = W_k x + b_k. One matrix, or several (attention's q, k and v):
///     linear_weights{w_o}
///     linear_weights{w_q, w_k, w_v}.biased(b_q, b_k, b_v)
/// Sizes that do not fit are refused.
template <class... Matrices>
class linear_weights {
    static_assert(sizeof...(Matrices) != 0, "tamis::linear_weights: at least one matrix is needed");

  public:
    /// How many matrices.
    static constexpr std::size_t count = sizeof...(Matrices);

    /// Matrices that share x, borrowed. Refuses widths that are not the same.
    explicit linear_weights(Matrices... w) : matrices{w...} {
        std::apply([&](const auto&... m) { (need_width(detail::linear_inputs(m)), ...); }, matrices);
    }

    /// The same with a bias for each matrix, in their order; an empty one is none.
    template <class... Biases>
    linear_weights biased(Biases&&... of_each) const {
        static_assert(sizeof...(Biases) == count,
                      "tamis::linear_weights: biased takes a bias for each matrix, {} for none");
        linear_weights result = *this;
        result.biases = {
            static_cast<std::span<const float>>(detail::kept_span<float>{std::forward<Biases>(of_each)})...};
        for (std::size_t k = 0; k < count; ++k) {
            detail::need_bias("tamis::linear_weights: a bias needs %zu entries, got %zu", result.biases[k],
                              outputs(k));
        }
        return result;
    }

    /// Entries of x, and of output k.
    std::size_t width() const { return detail::linear_inputs(std::get<0>(matrices)); }
    /// How many outputs matrix k has.
    std::size_t outputs(std::size_t k = 0) const {
        return std::apply([&](const auto&... m) { return std::array{detail::linear_outputs(m)...}[k]; },
                          matrices);
    }
    /// Bytes of all weights.
    std::uint64_t bytes() const {
        return std::apply([](const auto&... m) { return (detail::bytes_of_all(m) + ...); }, matrices);
    }

    /// The matrices, borrowed.
    std::tuple<Matrices...> matrices;
    /// Of each matrix; empty where there is none.
    std::array<std::span<const float>, count> biases{};

  private:
    void need_width(std::size_t inputs) const {
        detail::need("tamis::linear_weights: the first matrix has %zu inputs, another %zu", width(), inputs);
    }
};

namespace detail {

template <class Weights>
inline constexpr bool is_linear_weights = false;
template <class... Matrices>
inline constexpr bool is_linear_weights<linear_weights<Matrices...>> = true;

} // namespace detail

TAMIS_END
