#pragma once

#include <tamis/detail/memory.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/score/weighted.hpp>

TAMIS_BEGIN

// CETT [R], [S]: the error that a dropped tail of neurons makes, relative to the FFN's output. Neuron i contributes
// n_i = W_down[:, i] * i_i, of norm |i_i| * ||W_down[:, i]||; with D the neurons whose norm is below eps,
//     CETT = || sum_{i in D} n_i || / || sum_i n_i ||       (W_down i, without the bias).
// Three forms: a calibrated threshold (cheap, for run time) and a guaranteed bound, here; exact per token, for
// analysis, in ffn/cett_exact.hpp. The norms of the columns come from neuron_norms there.

/// The calibrated form: drops neuron i when |i_i| * norms[i] < eps.
inline auto cett(detail::kept_span<float> norms, double eps) {
    return scored{weighted{norms}, threshold{eps}};
}

/// The guaranteed form: the largest tail whose norms sum to at most target * output_norm, so that CETT <= target by
/// the triangle inequality (up to the rounding of the norms). output_norm is ||W_down i|| of this token, or a lower
/// bound of it.
inline auto cett_bound(detail::kept_span<float> norms, double target, double output_norm) {
    return scored{weighted{norms}, tail_budget{target * output_norm}};
}

TAMIS_END
