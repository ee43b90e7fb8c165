#pragma once

#include "measure/curves.hpp"
#include "measure/measure.hpp"
#include "settings.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace app {

/// A sweep of one rule, the dense model first, then site by site from the dense end.
struct swept {
    std::vector<condition> conditions;
    std::vector<measurement> rows;
};

/// Measures conditions on a subject: a row each.
using measure_rows = std::function<std::vector<measurement>(const std::vector<condition>&)>;

/// How far apart the two points lie between which a curve crosses its limit, in sparsity; 0 where it does not.
inline double bracket_of(const study::critical_point& at) {
    return at.reached ? at.lost.sparsity - at.kept.sparsity : 0.0;
}

/// Looks closer where curves of the text (PPL, top-1) and the tasks' mean cross their limits: measures the value between the two
/// points again and again until these are at most `bracket` apart in sparsity, all curves side by side, at most `most_rounds`
/// times. All points stay. A crossing that is undefined is left as it is. Returns how many rows were added.
std::size_t refine(swept& sweep, const subject& s, const std::vector<site_choice>& sites,
                   const rule_family& rule, double bracket, std::size_t most_rounds,
                   const measure_rows& measured);

} // namespace app
