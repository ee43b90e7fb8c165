#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

namespace study {

// A predictor makes a mask over the neurons from x alone, before the gate is computed, so that rows of all three matrices
// need not be read. What it says is a guess: score.hpp measures it, predicted.hpp carries it out.

/// A class with
///     void predict(std::span<const float> x, mask_span out, workspace) const; // writes all of out
///     std::size_t prediction_bytes() const;    // the workspace it needs
///     std::size_t width() const;               // h, of x
///     std::size_t neurons() const;             // d, of the mask
///     std::uint64_t multiply_adds() const;     // what a prediction costs: products that are summed,
///     std::uint64_t weight_bytes() const;      // and bytes of its own that it reads
/// A NaN in x makes every neuron active: a mask never hides a NaN.
/// Models: sign_bits, low_rank.
template <class P>
concept predictor = requires(const P& p, std::span<const float> x, mask_span out, workspace w) {
    p.predict(x, out, w);
    { p.prediction_bytes() } -> std::convertible_to<std::size_t>;
    { p.width() } -> std::convertible_to<std::size_t>;
    { p.neurons() } -> std::convertible_to<std::size_t>;
    { p.multiply_adds() } -> std::convertible_to<std::uint64_t>;
    { p.weight_bytes() } -> std::convertible_to<std::uint64_t>;
};

/// The mask that a predictor makes of x, as an owning object.
template <predictor P>
mask predict(const P& p, std::span<const float> x) {
    mask result{p.neurons()};
    owned_workspace memory{p.prediction_bytes()};
    p.predict(x, result.span(), memory);
    return result;
}

/// What a token reads when a predictor leaves `active` neurons: those rows of the three matrices, and the predictor's own
/// bytes; `neuron_bytes` is what one neuron has in W_gate, W_up and W_down together. A guess that leaves nearly all
/// neurons reads more than the dense FFN does.
template <predictor P>
traffic predicted_traffic(const P& p, std::uint64_t active, std::uint64_t neuron_bytes) {
    return {p.weight_bytes() + active * neuron_bytes, std::uint64_t{p.neurons()} * neuron_bytes};
}

namespace predictor_part {

/// W_gate[neuron][input], whichever way it lies.
template <class Gate>
float gate_weight(const Gate& gate, std::size_t neuron, std::size_t input) {
    return detail::up_rows_are_outputs<Gate>() ? gate.at(neuron, input) : gate.at(input, neuron);
}

inline void check_prediction(std::size_t width, std::size_t neurons, std::span<const float> x,
                             mask_span out) {
    detail::need("tamis::study: this predictor takes x of %zu entries, got %zu", width, x.size());
    detail::need("tamis::study: this predictor makes masks over %zu neurons, got one over %zu", neurons,
                 out.size());
}

} // namespace predictor_part

} // namespace study

TAMIS_END
