#pragma once

#include "output/document.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {

// Pictures as gnuplot scripts with their data inside (gnuplot 5.2 or later): panels of curves beside each other, and maps of
// shades. Curves differ in dash, point and brightness, and shades in brightness alone, so that all reads in grey.

struct point {
    double x, y;
};

struct series {
    std::string name;
    std::vector<point> points;
    std::vector<point> rings; ///< what is to be marked on it
    bool markers = true;      ///< a point mark at each point, besides the line
    bool line = true;
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
};

/// Rows x columns of values, shaded from white (least) to black (greatest).
struct shades {
    std::string title, x_label, y_label, unit;
    std::vector<std::string> columns, rows;
    std::vector<std::vector<double>> values; ///< [row][column]
};

namespace picture_detail {

inline constexpr const char* styles = R"(set style line 1 lc rgb '#000000' dt 1 pt 5 ps 0.6 lw 1.6
set style line 2 lc rgb '#b03a2e' dt 2 pt 7 ps 0.6 lw 1.6
set style line 3 lc rgb '#2471a3' dt 4 pt 9 ps 0.7 lw 1.6
set style line 4 lc rgb '#e59866' dt 5 pt 13 ps 0.7 lw 1.6
set style line 5 lc rgb '#7fb3a0' dt (12,3) pt 11 ps 0.7 lw 1.6
set style line 6 lc rgb '#7d6608' dt (4,2) pt 4 ps 0.7 lw 1.6
set style line 7 lc rgb '#a569bd' dt (2,4) pt 6 ps 0.7 lw 1.6
set style line 8 lc rgb '#909497' dt (8,2,2,2) pt 8 ps 0.7 lw 1.6
set style line 9 lc rgb '#1b4f72' dt 3 pt 10 ps 0.7 lw 2.2
set style line 10 lc rgb '#d4ac0d' dt (6,2) pt 12 ps 0.7 lw 1.6
set style line 20 lc rgb '#000000' pt 6 ps 2 lw 1.6
set style line 21 lc rgb '#000000' dt 3 lw 1
set grid lc rgb '#dddddd'
)";

inline std::string quoted(const std::string& text) {
    std::string safe = "'";
    for (const char c : text) {
        safe += c == '\'' ? "''" : std::string(1, c == '\n' ? ' ' : c);
    }
    return safe + "'";
}
/// A tic's label is a format, in which a percent sign is two.
inline std::string quoted_tic(const std::string& text) {
    std::string format;
    for (const char c : text) {
        format += std::string(c == '%' ? 2 : 1, c);
    }
    return picture_detail::quoted(format);
}
inline std::string interval(const range& r) {
    const auto end = [](const std::optional<double>& v) { return v ? line(*v) : std::string{"*"}; };
    return "[" + end(r.from) + ":" + end(r.to) + "]";
}
inline std::string rows_of(const std::string& name, const std::vector<point>& points) {
    std::string data = "$" + name + " << E\n";
    for (const point& p : points) {
        data += line(p.x, ' ', p.y, '\n');
    }
    return data + "E\n";
}

/// One panel's part of the script; `key` shows the legend in it.
inline std::string script_of(const panel& p, std::size_t number, bool key) {
    std::string data, plots;
    bool rings = false;
    for (std::size_t i = 0; i < p.curves.size(); ++i) {
        const series& c = p.curves[i];
        const std::string name = line("p", number, "c", i), style = line(" linestyle ", i % 10 + 1);
        data += rows_of(name, c.points);
        plots += "$" + name + " with " +
                 (!c.line     ? "points"
                  : c.markers ? "linespoints"
                              : "lines") +
                 style + " title " + quoted(c.name) + ", \\\n     ";
        if (!c.rings.empty()) {
            rings = true;
            data += rows_of(name + "r", c.rings);
            plots += "$" + name + "r with points linestyle 20 notitle, \\\n     ";
        }
    }
    if (p.limit) {
        plots += line(*p.limit, " with lines linestyle 21 title ", quoted(p.limit_name), ", \\\n     ");
    }
    if (rings) {
        plots += "keyentry with points linestyle 20 title 'critical sparsity', \\\n     ";
    }
    if (!plots.empty()) {
        plots.resize(plots.size() - std::string{", \\\n     "}.size());
    }
    return data + (p.x_logarithmic ? "set logscale x\n" : "unset logscale x\n") +
           (p.y_logarithmic ? "set logscale y\n" : "unset logscale y\n") + "set title " + quoted(p.title) +
           " noenhanced\nset xlabel " + quoted(p.x_label) + "\nset ylabel " + quoted(p.y_label) +
           "\nset xrange " + interval(p.x) + "\nset yrange " + interval(p.y) + (key ? "" : "\nset key off") +
           "\nplot " + plots + "\n";
}

} // namespace picture_detail

/// Panels in a row, one legend below all of them (all have the curves of the last one, or fewer).
inline picture draw_panels(std::string name, std::string title, const std::vector<panel>& panels) {
    const auto n = panels.size();
    const double left = n == 1 ? 0.11 : n == 2 ? 0.085 : 0.062, gap = n == 3 ? 0.085 : 0.11;
    std::string script =
        line("set terminal svg size ",
             n == 1   ? 760
             : n == 2 ? 1040
                      : 1440,
             ",540 background rgb 'white' font 'sans-serif,13'\n", picture_detail::styles,
             "set multiplot layout 1,", n, " title ", picture_detail::quoted(title),
             " noenhanced margins screen ", left, ",0.98,0.29,0.85 spacing screen ", gap, "\n");
    for (std::size_t i = 0; i < n; ++i) {
        if (i + 1 == n) {
            script += "set key at screen 0.5,0.02 center bottom vertical maxrows 3 width -2 noenhanced\n";
        }
        script += picture_detail::script_of(panels[i], i, i + 1 == n);
    }
    return {std::move(name), std::move(title), script + "unset multiplot\n"};
}

/// A map of shades with its values written in, where there is room for them.
inline picture draw_shades(std::string name, const shades& s) {
    std::string data = "$map << E\n";
    double least = std::numeric_limits<double>::infinity(), greatest = -least;
    for (std::size_t r = 0; r < s.rows.size(); ++r) {
        for (std::size_t c = 0; c < s.columns.size(); ++c) {
            data += line(c, ' ', r, ' ', fixed(s.values[r][c], 4), '\n');
            if (std::isfinite(s.values[r][c])) {
                least = std::min(least, s.values[r][c]);
                greatest = std::max(greatest, s.values[r][c]);
            }
        }
    }
    data += "E\n";
    if (!(least < greatest)) { // all the same: gnuplot wants a range all the same
        least = std::isfinite(least) ? std::min(least, 0.0) : 0;
        greatest = greatest > least ? greatest : least + 1;
    }
    const auto tics = [](const std::vector<std::string>& names, std::size_t most) {
        const std::size_t every = names.size() / most + 1;
        std::string text;
        for (std::size_t i = 0; i < names.size(); i += every) {
            text += (text.empty() ? "" : ", ") + picture_detail::quoted_tic(names[i]) + line(' ', i);
        }
        return "(" + text + ")";
    };
    const auto ticks = [](double from, double to) { // five, whatever the range
        std::string text = line("set cbrange [", from, ':', to, "]\nset cbtics (");
        for (int i = 0; i < 5; ++i) {
            text += (i == 0 ? "" : ", ") + fixed(from + (to - from) * i / 4, to < 10 ? 2 : 0);
        }
        return text + ")\n";
    };
    const bool room = s.columns.size() <= 16 && s.rows.size() <= 24;
    const auto width = std::min<std::size_t>(1400, 220 + 56 * s.columns.size()),
               height = std::min<std::size_t>(1200, 150 + 34 * s.rows.size());
    return {
        name, s.title,
        line("set terminal svg size ", std::max<std::size_t>(width, 640), ',',
             std::max<std::size_t>(height, 260), " background rgb 'white' font 'sans-serif,13'\n", data,
             "set title ", picture_detail::quoted(s.title), " noenhanced\nset xlabel ",
             picture_detail::quoted(s.x_label), "\nset ylabel ", picture_detail::quoted(s.y_label),
             "\nset cblabel ", picture_detail::quoted(s.unit),
             "\nset palette defined (0 '#ffffff', 0.5 '#85a9c4', 1 '#0b2239')\nset xrange [-0.5:",
             static_cast<double>(s.columns.size()) - 0.5,
             "]\nset yrange [-0.5:", static_cast<double>(s.rows.size()) - 0.5, "]\nset xtics ",
             tics(s.columns, 16), " rotate by -35 noenhanced scale 0\nset ytics ", tics(s.rows, 24),
             " noenhanced scale 0\nunset key\n", ticks(least, greatest),
             "plot $map using 1:2:(0.5):(0.5):3 with boxxyerror fillstyle solid noborder linecolor palette",
             room ? line(", \\\n     $map using 1:2:(sprintf('%.", greatest - least < 20 ? 1 : 0,
                         "f', $3)):($3 > ", 0.5 * (least + greatest),
                         " ? 0xffffff : 0x000000) with labels font ',11' textcolor rgb variable")
                  : std::string{},
             "\n")};
}

} // namespace app
