#pragma once

#include "measure/intervals.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace app {

/// Rows of one method, from the dense end.
struct method_rows {
    std::string name;
    std::size_t first, count;
    bool lost = false; ///< a row has no figures: nothing is read off across it
};

/// A method at one sparsity.
struct ranked {
    std::size_t method;
    double ratio; ///< PPL over the dense model's; NaN: its rows do not span that sparsity, or one is lost
    study::interval interval; ///< of it
    double above_best;        ///< the ratio less the best method's
    study::interval above_best_interval;
    /// Whether the draws, in which both methods read the same stories, tell it from the best one. Not without intervals.
    bool told_apart = false;
};

/// ln(PPL / dense PPL) at a sparsity from points (sparsity, excess) in any order and the dense model: linear between neighbours. NaN
/// beyond the last one, unless it is to go on as between the last two.
double excess_at(std::vector<study::sweep_point> points, double sparsity, bool beyond = false);

/// All methods at a sparsity, the best first, those without a figure at the end. Row 0 is the dense one; `point_of(row)` has a
/// row's sparsity and, as its quality, ln(PPL / dense PPL).
std::vector<ranked> ranking_of_points(const std::vector<method_rows>& methods,
                                      const std::function<study::sweep_point(std::size_t)>& point_of,
                                      const drawn_study& drawn, double sparsity);
std::vector<ranked> ranking_at(const std::vector<method_rows>& methods, const std::vector<measurement>& rows,
                               const drawn_study& drawn, double sparsity);

} // namespace app
