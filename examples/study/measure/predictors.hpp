#pragma once

#include "measure/condition.hpp"
#include "measure/measure.hpp"

#include <tamis/study/predictor/score.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace app {

/// A predictor in all layers, as a row: what it leaves out is missing behind the gate.
struct prediction_row {
    condition masks;
    study::prediction_score score; ///< against the gate's own top-k with as many neurons, on the dense model
    std::uint64_t weight_bytes;    ///< what a prediction reads, in all layers together
};

/// W_gate at a rank, its neurons by top-k of |sigma(gate)|: a row a share of neurons that is kept.
std::vector<prediction_row> low_rank_rows(const subject& s, std::size_t rank, const std::vector<double>& kept,
                                          std::size_t threads, const progress_report& report);
/// Matching sign bits (SparseInfer): a row an alpha. The score is against the signs themselves: gates above zero.
std::vector<prediction_row> sign_bit_rows(const subject& s, const std::vector<double>& alphas,
                                          std::size_t threads, const progress_report& report);

} // namespace app
