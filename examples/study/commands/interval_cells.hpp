#pragma once

#include "output/document.hpp"

#include <tamis/study/bootstrap.hpp>

#include <string>
#include <vector>

namespace app {

// How intervals stand in tables: behind the figure for people, in two columns NAME_low and NAME_high for programs. An end that
// lies beyond all that was measured is inf; where there is no interval, null.

inline void add_interval_columns(std::vector<column>& columns, const std::string& name) {
    columns.push_back({name + "_low", "", column::programs});
    columns.push_back({name + "_high", "", column::programs});
}
inline cell end_cell(double end) {
    const bool known = !tamis::is_nan(end);
    const std::string data = !known ? "null" : tamis::study::is_finite(end) ? fixed(end, 6) : "inf";
    return {data, data, true};
}
inline void add_interval_cells(std::vector<cell>& cells, const tamis::study::interval& of) {
    cells.push_back(end_cell(of.is_known() ? of.low : tamis::study::not_a_number));
    cells.push_back(end_cell(of.is_known() ? of.high : tamis::study::not_a_number));
}
/// "36.5 % (34.1 .. 38.7)".
inline cell with_interval(cell c, const tamis::study::interval& of, int decimals = 1, double scale = 100) {
    if (of.is_known()) {
        const auto end = [&](double v) {
            return tamis::study::is_finite(v) ? fixed(scale * v, decimals) : std::string{"beyond"};
        };
        c.shown += " (" + end(of.low) + " .. " + end(of.high) + ")";
    }
    return c;
}

} // namespace app
