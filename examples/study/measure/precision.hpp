#pragma once

#include "measure/condition.hpp"
#include "measure/measure.hpp"

#include <tamis/study/meter/drift.hpp>
#include <tamis/study/round.hpp>

#include <cstddef>
#include <vector>

namespace app {

/// A condition whose values are rounded to another format at the sites, before the masks.
condition rounded_condition(condition c, const study::any_rounding& rounding, std::vector<tamis::site> sites);

/// How far a condition's masks move when the dense model's values are rounded, a site in all layers together.
study::mask_drift drift_of(const subject& s, const condition& c, const study::any_rounding& rounding,
                           tamis::site where, std::size_t threads, const progress_report& report,
                           not_finite* lost = nullptr);

} // namespace app
