#pragma once

#include <tamis/ffn/any_matrix.hpp>
#include <tamis/ffn/site_rules.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

TAMIS_BEGIN

// A layer by words, pointers and sizes, for any_layer. All is borrowed; what is read when the layer is made alone says "copied".

/// Of what an FFN is made, as a file, a graph or another language says it: y = down(gating(gate x) * up x), or without a gate
/// y = down(gating(up x)).
struct ffn_parts {
    std::optional<any_matrix> gate{}; ///< none: an FFN without a gate
    any_matrix up;                    ///< its layout says where neurons are
    any_matrix down;                  ///< neuron_major or output_major
    const float *gate_bias = nullptr, *up_bias = nullptr, *down_bias = nullptr; ///< one an output; null: none
    std::string_view gating = "silu";                                           ///< as read_gating reads it
    site_rules rules{}; ///< as read_policies reads them
    std::array<std::span<const float>, 4>
        numbers{}; ///< of rules with numbers for each entry, by site; copied
    const std::uint64_t* neurons =
        nullptr; ///< masks over the neurons that are known before, as `given` has them; null: none
    std::size_t neuron_masks = 0; ///< how many: 0 is one for all tokens, else one a token of a call
    bool masks_only = false;      ///< rules that leave nothing unread are no error
};
/// The same of a linear layer, y = W x + bias.
struct linear_parts {
    any_matrix w;                     ///< input_major or output_major
    const float* bias = nullptr;      ///< one an output; null: none
    std::string_view rule{};          ///< at x, as read_rule reads it; empty: none
    std::span<const float> numbers{}; ///< of a rule with numbers for each entry; copied
    bool masks_only = false;          ///< a rule that leaves nothing unread is no error
};

/// Refuses another value than those of weight_layout.
inline void need_layout(weight_layout l) {
    if (l < weight_layout::neuron_major || l > weight_layout::output_major) {
        fail_value(
            "tamis: there is no layout %.0f; there are neuron_major, input_major and output_major (0 to 2)",
            static_cast<double>(l));
    }
}
/// How many neurons a matrix of gate or up has.
inline std::size_t neurons_of(const any_matrix& up) {
    return up.layout() == weight_layout::neuron_major ? up.rows() : up.columns();
}
/// How many numbers go into a linear layer of such weights.
inline std::size_t inputs_of(const any_matrix& w) {
    return w.layout() == weight_layout::input_major ? w.rows() : w.columns();
}
/// How many come out of it.
inline std::size_t outputs_of(const any_matrix& w) {
    return w.layout() == weight_layout::input_major ? w.columns() : w.rows();
}

TAMIS_END
