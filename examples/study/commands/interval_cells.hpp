#pragma once

#include "output/table.hpp"

#include <tamis/study/bootstrap.hpp>

#include <optional>

namespace app {

/// The interval of a figure as tables and pictures take it; none where it is not known, or was not made.
inline std::optional<interval> known(const tamis::study::interval& of) {
    return of.is_known() ? std::optional{interval{of.low, of.high}} : std::nullopt;
}

} // namespace app
