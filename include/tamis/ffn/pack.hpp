#pragma once

#include <tamis/ffn/policy.hpp>
#include <tamis/ffn/weights.hpp>

#include <algorithm>
#include <vector>

TAMIS_BEGIN

// Makes the layout that policies need. What already lies right stays a view of the caller's memory.

/// A matrix that is either a view of the caller's memory or a packed copy of its own. Movable, not copyable.
template <class F, class L>
class packed_matrix {
  public:
    explicit packed_matrix(matrix<F, L> borrowed) : view_{borrowed} {}

    /// Transposes and converts `source` if its layout or format is another; `transpose` says that its rows are
    /// this one's columns.
    template <class Source>
    packed_matrix(const Source& source, bool transpose)
        : memory_((transpose ? source.columns() : source.rows()) *
                  F::row_bytes(transpose ? source.rows() : source.columns())),
          view_{memory_.data(), transpose ? source.columns() : source.rows(),
                transpose ? source.rows() : source.columns()} {
        // A band of rows at a time, so that a transposition reads whole cache lines of the source.
        constexpr std::size_t band = 16;
        std::vector<float> floats(band * view_.columns());
        for (std::size_t first = 0; first < view_.rows(); first += band) {
            const std::size_t count = std::min(band, view_.rows() - first);
            for (std::size_t j = 0; j < view_.columns(); ++j) {
                for (std::size_t k = 0; k < count; ++k) {
                    floats[k * view_.columns() + j] =
                        transpose ? source.at(j, first + k) : source.at(first + k, j);
                }
            }
            for (std::size_t k = 0; k < count; ++k) {
                F::pack(std::span{floats}.subspan(k * view_.columns(), view_.columns()),
                        memory_.data() + (first + k) * view_.stride_bytes());
            }
        }
    }
    packed_matrix(packed_matrix&&) = default;
    packed_matrix& operator=(packed_matrix&&) = default;

    const matrix<F, L>& view() const { return view_; }
    /// Bytes of a copy of its own; 0 for a view.
    std::size_t owned_bytes() const { return memory_.size(); }

  private:
    std::vector<std::byte> memory_;
    matrix<F, L> view_;
};

/// The weights of a gated FFN in the layout that policies need; owns what had to be copied.
template <class Gate, class Up, class Down>
struct packed_glu {
    Gate gate;
    Up up;
    Down down;
    glu_biases biases;

    auto view() const { return glu_weights{gate.view(), up.view(), down.view(), biases}; }
    std::size_t owned_bytes() const { return gate.owned_bytes() + up.owned_bytes() + down.owned_bytes(); }
};

namespace detail {

template <class F, class L, class M>
packed_matrix<F, L> pack_matrix(const M& source) {
    if constexpr (std::is_same_v<matrix<F, L>, M>) {
        return packed_matrix<F, L>{source};
    } else {
        return packed_matrix<F, L>{source, !std::is_same_v<L, typename M::layout_type>};
    }
}

struct as_it_is {};
template <class F, class M>
using format_or = std::conditional_t<std::is_same_v<F, as_it_is>, typename M::format_type, F>;

} // namespace detail

/// Packs for policies: gate and up by inputs where there is a policy at the input, else by neurons; down by neurons
/// where there is one at gate, up or intermediate, else as it is. A format to convert to may be given:
/// `pack<bf16>(weights, policies...)`. What already lies right is not copied. O(weights), once.
template <class F = detail::as_it_is, class Gate, class Up, class Down, class... Policies>
auto pack(const glu_weights<Gate, Up, Down>& weights, const Policies&...) {
    using policies = policy_set<Policies...>;
    constexpr bool by_inputs = policies::template has<site::input>;
    constexpr bool by_neurons = policies::template has<site::gate> || policies::template has<site::up> ||
                                policies::template has<site::intermediate>;
    using up_layout = std::conditional_t<by_inputs, input_major, neuron_major>;
    using down_layout = std::conditional_t<by_neurons, neuron_major, typename Down::layout_type>;
    using gate_type = packed_matrix<detail::format_or<F, Gate>, up_layout>;
    using up_type = packed_matrix<detail::format_or<F, Up>, up_layout>;
    using down_type = packed_matrix<detail::format_or<F, Down>, down_layout>;
    return packed_glu<gate_type, up_type, down_type>{
        detail::pack_matrix<detail::format_or<F, Gate>, up_layout>(weights.gate),
        detail::pack_matrix<detail::format_or<F, Up>, up_layout>(weights.up),
        detail::pack_matrix<detail::format_or<F, Down>, down_layout>(weights.down), weights.biases};
}

TAMIS_END
