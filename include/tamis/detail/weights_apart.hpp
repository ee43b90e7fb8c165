#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/detail/memory.hpp>

#include <array>
#include <tuple>

TAMIS_BEGIN

// With TAMIS_HARDENED: that nothing which a call writes lies over the weights that it reads.

namespace detail {

/// Calls f with the bytes of every matrix and every bias of an FFN or a projection.
template <class Weights, class F>
void for_each_weight_bytes(const Weights& w, F&& f) {
    const auto matrix_of = [&](const auto& m) {
        if constexpr (requires { byte_rows{m.row(0), m.rows(), m.row_bytes(), m.stride_bytes()}; }) {
            f(byte_rows{m.row(0), m.rows(), m.row_bytes(), m.stride_bytes()});
        } else if constexpr (requires { m.is_by_columns(); }) { // a format that is known at run time
            const auto bytes = static_cast<std::size_t>(m.bytes());
            const std::size_t rows = m.is_by_columns() || m.rows() == 0 ? 1 : m.rows();
            f(byte_rows{m.data(), rows, bytes / rows, rows == 1 ? bytes : m.stride_bytes()});
        }
    };
    const auto bias_of = [&](const auto& b) {
        f(byte_rows{b.data(), 1, b.size() * sizeof(float), b.size() * sizeof(float)});
    };
    if constexpr (requires { w.matrices; }) { // linear_weights
        std::apply([&](const auto&... m) { (matrix_of(m), ...); }, w.matrices);
        for (const auto& b : w.biases) {
            bias_of(b);
        }
    } else if constexpr (requires { w.biases.gate; }) { // glu_weights
        matrix_of(w.gate);
        matrix_of(w.up);
        matrix_of(w.down);
        bias_of(w.biases.gate);
        bias_of(w.biases.up);
        bias_of(w.biases.down);
    } else if constexpr (requires { w.up_bias; }) { // plain_weights
        matrix_of(w.up);
        matrix_of(w.down);
        bias_of(w.up_bias);
        bias_of(w.down_bias);
    }
}

/// Refuses memory that is written over the weights.
template <class Weights>
void need_apart_from_weights(const Weights& w, const byte_rows& written) {
    for_each_weight_bytes(w, [&](const byte_rows& read) {
        if (overlap(read, written)) {
            fail(
                "tamis: y or the workspace of a call lies over its weights or biases: give it memory of its own");
        }
    });
}

} // namespace detail

TAMIS_END
