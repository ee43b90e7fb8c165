#pragma once

#include "ffn/support.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include <tuple>

// All sixteen subsets of the four sites, with a rule of its own at each, and all eight layouts.

inline constexpr std::size_t subset_count = 16;
inline constexpr std::size_t layout_count = 8;

constexpr bool has_site(std::size_t subset, tamis::site where) {
    return (subset >> static_cast<unsigned>(where) & 1) != 0;
}

namespace subset_detail {

template <bool Included, class Policy>
auto tuple_if(Policy policy) {
    if constexpr (Included) {
        return std::tuple{policy};
    } else {
        return std::tuple{};
    }
}

} // namespace subset_detail

/// Bit k of Subset is site k. They are given in an order that is not the sites'.
template <std::size_t Subset>
auto policies_of() {
    using namespace tamis;
    return std::tuple_cat(
        subset_detail::tuple_if<has_site(Subset, site::intermediate)>(at_intermediate(max_p{0.125})),
        subset_detail::tuple_if<has_site(Subset, site::gate)>(at_gate(top_k::fraction(0.625))),
        subset_detail::tuple_if<has_site(Subset, site::input)>(at_input(top_p{0.875})),
        subset_detail::tuple_if<has_site(Subset, site::up)>(at_up(threshold{0.25})));
}

template <std::size_t Subset, class Weights, class Sigma>
auto make_glu(const Weights& weights, Sigma sigma) {
    return std::apply(
        [&](auto... policies) {
            return tamis::glu_ffn{weights, sigma, tamis::masks_only(policies)...}; // in any layout
        },
        policies_of<Subset>());
}

/// Bits of Layouts: gate by inputs, up by inputs, down by neurons.
template <std::size_t Layouts>
using gate_layout = std::conditional_t<(Layouts & 1) != 0, tamis::input_major, tamis::neuron_major>;
template <std::size_t Layouts>
using up_layout = std::conditional_t<(Layouts & 2) != 0, tamis::input_major, tamis::neuron_major>;
template <std::size_t Layouts>
using down_layout = std::conditional_t<(Layouts & 4) != 0, tamis::neuron_major, tamis::output_major>;

/// Formats of gate, up and down: all one, or mixed.
template <std::size_t Formats>
struct formats_of;
template <>
struct formats_of<0> {
    using gate = tamis::f32;
    using up = tamis::f32;
    using down = tamis::f32;
};
template <>
struct formats_of<1> {
    using gate = tamis::bf16;
    using up = tamis::bf16;
    using down = tamis::bf16;
};
template <>
struct formats_of<2> {
    using gate = tamis::f32;
    using up = tamis::bf16;
    using down = tamis::bf16;
};
template <>
struct formats_of<3> {
    using gate = tamis::bf16;
    using up = tamis::f32;
    using down = tamis::f32;
};
inline constexpr std::size_t format_count = 4;

/// The three matrices of a gated FFN in memory.
template <class Gate, class Up, class Down>
struct stored_glu {
    Gate gate;
    Up up;
    Down down;
    tamis::glu_biases biases;

    auto view() const { return tamis::glu_weights{gate.view(), up.view(), down.view(), biases}; }
};

template <std::size_t Layouts, class GateFormat, class UpFormat, class DownFormat, class Problem>
auto store_glu(const Problem& p, std::size_t gap = 0) {
    auto gate = store_up<GateFormat, gate_layout<Layouts>>(p.gate, gap);
    auto up = store_up<UpFormat, up_layout<Layouts>>(p.up, 2 * gap);
    auto down = store_down<DownFormat, down_layout<Layouts>>(p.down, gap);
    return stored_glu<decltype(gate), decltype(up), decltype(down)>{std::move(gate), std::move(up),
                                                                    std::move(down), p.biases()};
}
template <std::size_t Layouts, std::size_t Formats, class Problem>
auto store_glu(const Problem& p, std::size_t gap = 0) {
    using formats = formats_of<Formats>;
    return store_glu<Layouts, typename formats::gate, typename formats::up, typename formats::down>(p, gap);
}
