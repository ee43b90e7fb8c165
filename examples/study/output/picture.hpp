#pragma once

#include "output/document.hpp"

#include <optional>
#include <string>
#include <vector>

namespace app {

// Pictures as gnuplot scripts with their data inside (gnuplot 5.2 or later; SVG, or PDF with as_pdf set): panels of curves or bars
// beside each other, and maps of shades. Curves differ in dash, point and brightness, and shades in brightness alone, so that
// all reads in grey. Texts are shown as they are: top_p is no top with an index.

struct point {
    double x, y;
};
/// From `low` to `high` at a place of the other axis.
struct extent {
    double at, low, high;
};

struct series {
    std::string name;
    std::vector<point> points{};
    std::vector<point> rings{}; ///< what is to be marked on it; drawn below the points
    bool markers = true;        ///< a point mark at each point, besides the line
    bool line = true;
    bool bars = false;            ///< a bar from 0 for each point, instead
    bool failed = false;          ///< a fit that is none: thin and grey; its name has to say so
    std::vector<extent> widths{}; ///< intervals of x at a y: bars at the foot
    std::vector<extent> band{};   ///< intervals of y along x: a shade behind the curve
};

/// A range of an axis; gnuplot chooses an end that is not given.
struct range {
    std::optional<double> from{}, to{};
};

struct panel {
    std::string title, x_label, y_label;
    range x, y;
    std::vector<series> curves;
    std::optional<double> limit; ///< a level line
    std::string limit_name = "limit";
    bool x_logarithmic = false, y_logarithmic = false;
    bool x_whole = false; ///< x counts something: whole ticks
};

/// Where an x axis from 0 has to end so that all is seen that happens within [from, to] of y: a step of 5 behind the place where
/// the last curve has left it, at most 100.
double end_of_what_happens(const std::vector<series>& curves, double from, double to);

/// Rows x columns of values, shaded from white (least) to black (greatest).
struct shades {
    std::string title, x_label, y_label, unit;
    std::vector<std::string> columns, rows;
    std::vector<std::vector<double>> values; ///< [row][column]
    std::string about{}; ///< a second line of the title: the model, the text, how much of it
};

/// Panels in a row, one legend below all of them (all have the curves of the last one, or fewer).
picture draw_panels(std::string name, std::string title, const std::vector<panel>& panels);
/// A map of shades with its values written in, where there is room for them.
picture draw_shades(std::string name, const shades& s);

} // namespace app
