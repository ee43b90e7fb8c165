#pragma once

#include <tamis/ffn/observer.hpp>
#include <tamis/kernel/dot_rows.hpp>
#include <tamis/kernel/sum_rows.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace detail {

/// The entries of a vector that are active: all, or those of a mask as indices.
struct active_set {
    bool all = true;
    std::span<const std::uint32_t> indices{};
};

/// Calls f with the rows of an active set over n entries.
template <class F>
void with_rows(const active_set& active, std::size_t n, F&& f) {
    if (active.all) {
        f(all_rows{n});
    } else {
        f(active_rows{active.indices});
    }
}

template <class M>
std::uint64_t bytes_of_rows(const M& w, const active_set& active) {
    return std::uint64_t{active.all ? w.rows() : active.indices.size()} * w.row_bytes();
}

/// out = W in + bias for rows that are outputs. Only the rows of active outputs are read; the others' entries
/// become 0. Entries of `in` that are not active have to be 0: this layout cannot skip them.
template <class M>
void linear_by_outputs(const M& w, std::span<const float> in, const active_set& outputs,
                       std::span<const float> bias, std::span<float> out, traffic& read) {
    if (!outputs.all) {
        std::fill(out.begin(), out.end(), 0.0f);
    }
    with_rows(outputs, w.rows(), [&](auto rows) {
        dot_rows(w, rows, in, out);
        if (!bias.empty()) {
            for (std::size_t k = 0; k < rows.size(); ++k) {
                out[rows[k]] += bias[rows[k]];
            }
        }
    });
    read.bytes_read += bytes_of_rows(w, outputs);
}

/// out = W in + bias for rows that are inputs. Only the rows of active inputs are read.
template <class M>
void linear_by_inputs(const M& w, std::span<const float> in, const active_set& inputs,
                      std::span<const float> bias, std::span<float> out, traffic& read) {
    if (bias.empty()) {
        std::fill(out.begin(), out.end(), 0.0f);
    } else {
        std::copy(bias.begin(), bias.end(), out.begin());
    }
    with_rows(inputs, w.rows(), [&](auto rows) { sum_rows(w, rows, in, out); });
    read.bytes_read += bytes_of_rows(w, inputs);
}

/// Gate or up: x to neurons, with whatever the layout can skip. Afterwards inactive neurons are 0 in any layout.
template <class M>
void linear_up(const M& w, std::span<const float> x, const active_set& inputs, const active_set& neurons,
               mask_view neuron_mask, std::span<const float> bias, std::span<float> out, traffic& read) {
    if constexpr (up_rows_are_outputs<M>()) {
        linear_by_outputs(w, x, neurons, bias, out, read);
    } else {
        linear_by_inputs(w, x, inputs, bias, out, read);
        if (!neurons.all) {
            for (std::size_t i = 0; i < out.size(); ++i) {
                out[i] = neuron_mask[i] ? out[i] : 0.0f;
            }
        }
    }
}

/// Down: the intermediate to the output. Inactive neurons have to be 0 for the layout that cannot skip them.
template <class M>
void linear_down(const M& w, std::span<const float> intermediate, const active_set& neurons,
                 std::span<const float> bias, std::span<float> out, traffic& read) {
    if constexpr (down_rows_are_outputs<M>()) {
        linear_by_outputs(w, intermediate, active_set{}, bias, out, read);
    } else {
        linear_by_inputs(w, intermediate, neurons, bias, out, read);
    }
}

} // namespace detail

TAMIS_END
