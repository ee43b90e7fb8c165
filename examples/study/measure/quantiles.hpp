#pragma once

#include "measure/observe.hpp"

#include <tamis/study/calibrate/quantile_calibration.hpp>

#include <cstddef>
#include <vector>

namespace app {

/// Thresholds at each layer's quantile of |v| at a site, exact: two passes over the dense model.
std::vector<study::calibrated_rule> quantile_rules_of(const subject& s, tamis::site where,
                                                      const std::vector<double>& shares, std::size_t threads,
                                                      const progress_report& report);

/// |v| at a site in every layer, of the dense model: for thresholds a layer, and merged for one for all of them (FAT-eps).
study::per_layer<study::histogram_meter> magnitudes_of(const subject& s, tamis::site where,
                                                       std::size_t threads, const progress_report& report);

/// TEAL's greedy shares of one layer's FFN: for tamis, which has one mask on x, and with a mask for each matrix.
struct teal_budget {
    double input = 0, intermediate = 0;
    double gate = 0, up = 0, down = 0;
};
/// By the l2 error of the block's output over a sample of tokens, for a share of the block's weights not read.
std::vector<teal_budget> teal_budgets_of(const subject& s, double target, const progress_report& report);

} // namespace app
