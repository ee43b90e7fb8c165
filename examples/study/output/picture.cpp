#include "output/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace app {
namespace {

constexpr const char* styles = R"(set style line 1 lc rgb '#000000' dt 1 pt 5 ps 0.6 lw 1.6
set style line 2 lc rgb '#b03a2e' dt 2 pt 7 ps 0.6 lw 1.6
set style line 3 lc rgb '#2471a3' dt 4 pt 9 ps 0.7 lw 1.6
set style line 4 lc rgb '#e59866' dt 5 pt 13 ps 0.7 lw 1.6
set style line 5 lc rgb '#7fb3a0' dt (12,3) pt 11 ps 0.7 lw 1.6
set style line 6 lc rgb '#7d6608' dt (4,2) pt 4 ps 0.7 lw 1.6
set style line 7 lc rgb '#a569bd' dt (2,4) pt 6 ps 0.7 lw 1.6
set style line 8 lc rgb '#909497' dt (8,2,2,2) pt 8 ps 0.7 lw 1.6
set style line 9 lc rgb '#1b4f72' dt 3 pt 10 ps 0.7 lw 2.2
set style line 10 lc rgb '#d4ac0d' dt (6,2) pt 12 ps 0.7 lw 1.6
set style line 20 lc rgb '#555555' pt 6 ps 1.6 lw 1.2
set style line 21 lc rgb '#000000' dt 3 lw 1
set style line 22 lc rgb '#999999' dt 3 lw 1
set grid lc rgb '#dddddd'
set boxwidth 0.7
set style fill solid 0.55 border
)";
constexpr const char* separator = ", \\\n     ";

/// Sizes in pixels of 1/96 inch; fonts and lines as wide in both.
std::string terminal(std::size_t width, std::size_t height) {
    return line(
        "if (exists('as_pdf')) {\n  set terminal pdfcairo size ", fixed(static_cast<double>(width) / 96, 3),
        "in,", fixed(static_cast<double>(height) / 96, 3),
        "in background rgb 'white' noenhanced font 'sans-serif,8' fontscale 1 linewidth 1.4\n} else {\n"
        "  set terminal svg size ",
        width, ',', height, " background rgb 'white' noenhanced font 'sans-serif,13'\n}\n");
}
std::string gnuplot_text(const std::string& text) {
    std::string safe = "'";
    for (const char c : text) {
        safe += c == '\'' ? "''" : std::string(1, c == '\n' ? ' ' : c);
    }
    return safe + "'";
}
/// A tic's label is a format, in which a percent sign is two.
std::string gnuplot_tic(const std::string& text) {
    std::string format;
    for (const char c : text) {
        format += std::string(c == '%' ? 2 : 1, c);
    }
    return gnuplot_text(format);
}
std::string interval_of(const range& r) {
    const auto end = [](const std::optional<double>& v) { return v ? line(*v) : std::string{"*"}; };
    return "[" + end(r.from) + ":" + end(r.to) + "]";
}
std::string rows_of(const std::string& name, const std::vector<point>& points) {
    std::string data = "$" + name + " << E\n";
    for (const point& p : points) {
        data += line(p.x, ' ', p.y, '\n');
    }
    return data + "E\n";
}
std::string rows_of(const std::string& name, const std::vector<extent>& extents) {
    std::string data = "$" + name + " << E\n";
    for (const extent& e : extents) {
        if (std::isfinite(e.low) && std::isfinite(e.high)) {
            data += line(e.at, ' ', e.low, ' ', e.high, '\n');
        }
    }
    return data + "E\n";
}

/// Whole ticks, no more than there is room for.
std::string whole_ticks(const panel& p) {
    double last = 1;
    for (const series& c : p.curves) {
        for (const point& at : c.points) {
            last = std::max(last, at.x);
        }
    }
    double step = 1;
    for (const double factor : {2.0, 2.5, 2.0, 2.0, 2.5, 2.0, 2.0, 2.5, 2.0}) {
        step *= last / step > 16 ? factor : 1;
    }
    return line("set xtics ", step, "\n");
}

/// One panel's part of the script; `key` shows the legend in it.
std::string script_of(const panel& p, std::size_t number, bool key) {
    std::string data, below, plots;
    bool rings = false, widths = false;
    for (std::size_t i = 0; i < p.curves.size(); ++i) {
        const series& c = p.curves[i];
        const std::string name = line("p", number, "c", i),
                          style = c.failed ? std::string{" linestyle 22"} : line(" linestyle ", i % 10 + 1);
        data += rows_of(name, c.points);
        plots += "$" + name + " with " +
                 (c.bars      ? "boxes"
                  : !c.line   ? "points"
                  : c.markers ? "linespoints"
                              : "lines") +
                 style + " title " + gnuplot_text(c.name) + separator;
        if (!c.band.empty()) {
            data += rows_of(name + "b", c.band);
            below += "$" + name + "b using 1:2:3 with filledcurves" + style +
                     " fs transparent solid 0.15 noborder notitle" + separator;
        }
        if (!c.widths.empty()) {
            widths = true;
            std::vector<extent> bars = c.widths;
            for (extent& bar : bars) { // below each other at the foot of the panel, where they hide nothing
                if (p.y.from && p.y.to && !p.y_logarithmic) {
                    bar.at =
                        *p.y.from + (*p.y.to - *p.y.from) * (0.008 + 0.0085 * static_cast<double>(i % 10));
                }
            }
            data += rows_of(name + "w", bars);
            below += "$" + name + "w using 2:1:($3-$2):(0) with vectors nohead" + style +
                     " dt 1 lw 2.5 notitle" + separator;
        }
        if (!c.rings.empty()) {
            rings = true;
            data += rows_of(name + "r", c.rings);
            below += "$" + name + "r with points linestyle 20 notitle" + separator;
        }
    }
    plots = below + plots;
    if (p.limit) {
        plots += line(*p.limit, " with lines linestyle 21 title ", gnuplot_text(p.limit_name), separator);
    }
    if (rings) {
        plots += line("keyentry with points linestyle 20 title 'critical sparsity'", separator);
    }
    if (widths) {
        plots += line("keyentry with lines linestyle 20 lw 2.5 title 'its interval'", separator);
    }
    if (!plots.empty()) {
        plots.resize(plots.size() - std::string{separator}.size());
    }
    return data + (p.x_logarithmic ? "set logscale x\n" : "unset logscale x\n") +
           (p.y_logarithmic ? "set logscale y\n" : "unset logscale y\n") +
           (p.x_whole ? whole_ticks(p) : "set xtics autofreq\n") + "set title " + gnuplot_text(p.title) +
           "\nset xlabel " + gnuplot_text(p.x_label) + "\nset ylabel " + gnuplot_text(p.y_label) +
           "\nset xrange " + interval_of(p.x) + "\nset yrange " + interval_of(p.y) +
           (key ? "" : "\nset key off") + "\nplot " + plots + "\n";
}

} // namespace

double end_of_what_happens(const std::vector<series>& curves, double from, double to) {
    double end = 0;
    for (const series& c : curves) {
        for (const point& p : c.points) {
            if (!std::isfinite(p.x)) {
                continue;
            }
            end = std::max(end, p.x);
            if (!(p.y >= from && p.y <= to)) {
                break; // it has left the picture
            }
        }
        for (const extent& e : c.widths) {
            end = std::isfinite(e.high) ? std::max(end, e.high) : end;
        }
    }
    return std::clamp(5 * std::ceil(end / 5), 5.0, 100.0);
}

picture draw_panels(std::string name, std::string title, const std::vector<panel>& panels) {
    const auto n = panels.size();
    const double left = n == 1 ? 0.11 : n == 2 ? 0.085 : 0.062, gap = n == 3 ? 0.085 : 0.11;
    std::string script = terminal(n == 1   ? 760
                                  : n == 2 ? 1040
                                           : 1440,
                                  540) +
                         styles +
                         line("set multiplot layout 1,", n, " title ", gnuplot_text(title),
                              " margins screen ", left, ",0.98,0.29,0.85 spacing screen ", gap, "\n");
    for (std::size_t i = 0; i < n; ++i) {
        if (i + 1 == n) {
            std::size_t longest = 0; // long names stand below each other: what does not fit is left out
            for (const series& c : panels[i].curves) {
                longest = std::max(longest, c.name.size());
            }
            script += line("set key at screen 0.5,0.02 center bottom vertical maxrows ", longest > 40 ? 5 : 3,
                           " width -2\n");
        }
        script += script_of(panels[i], i, i + 1 == n);
    }
    return {std::move(name), std::move(title), script + "unset multiplot\n"};
}

picture draw_shades(std::string name, const shades& s) {
    double least = std::numeric_limits<double>::infinity(), greatest = -least;
    for (std::size_t r = 0; r < s.rows.size(); ++r) {
        for (std::size_t c = 0; c < s.columns.size(); ++c) {
            if (std::isfinite(s.values[r][c])) {
                least = std::min(least, s.values[r][c]);
                greatest = std::max(greatest, s.values[r][c]);
            }
        }
    }
    if (!(least < greatest)) { // all the same: gnuplot wants a range all the same
        least = std::isfinite(least) ? std::min(least, 0.0) : 0;
        greatest = greatest > least ? greatest : least + 1;
    }
    std::string data = "$map << E\n";
    for (std::size_t r = 0; r < s.rows.size(); ++r) {
        for (std::size_t c = 0; c < s.columns.size(); ++c) {
            const double v = s.values[r][c];
            data += line(c, ' ', r, ' ', fixed(v, 4), ' ',
                         fixed(v, greatest - least < 2    ? 2
                                  : greatest - least < 20 ? 1
                                                          : 0),
                         '\n');
        }
    }
    data += "E\n";
    const auto tics = [](const std::vector<std::string>& names, std::size_t most) {
        const std::size_t every = names.size() / most + 1;
        std::string text;
        for (std::size_t i = 0; i < names.size(); i += every) {
            text += (text.empty() ? "" : ", ") + gnuplot_tic(names[i]) + line(' ', i);
        }
        return "(" + text + ")";
    };
    const auto ticks = [](double from, double to) { // five, whatever the range
        std::string text = line("set cbrange [", from, ':', to, "]\nset cbtics (");
        for (int i = 0; i < 5; ++i) {
            const double at = from + (to - from) * i / 4;
            text += line(i == 0 ? "'" : ", '", fixed(at, to - from < 10 ? 2 : 0), "' ", at);
        }
        return text + ")\n";
    };
    const auto longest_of = [](const std::vector<std::string>& names) {
        std::size_t longest = 0;
        for (const std::string& one : names) {
            longest = std::max(longest, one.size());
        }
        return longest;
    };
    const std::size_t longest = longest_of(s.columns),
                      beyond = std::max<std::size_t>(24, longest) +
                               std::max<std::size_t>(24, longest_of(s.rows)) - 48;
    const bool room = s.columns.size() <= 16 && s.rows.size() <= 24;
    const auto width = std::min<std::size_t>(1400, 220 + 56 * s.columns.size()),
               height =
                   std::min<std::size_t>(1200, 130 + 34 * s.rows.size() +
                                                   (longest > 24 ? 10 : 5) * longest); // names lie aslant
    return {
        std::move(name), s.title,
        terminal(std::max<std::size_t>(width, 760) + 9 * beyond, std::max<std::size_t>(height, 260)) + data +
            line(
                "set title ", gnuplot_text(s.title),
                s.about.empty() ? "" : ".\"\\n\"." + gnuplot_text(s.about), "\nset xlabel ",
                gnuplot_text(s.x_label), "\nset ylabel ", gnuplot_text(s.y_label), "\nset cblabel ",
                gnuplot_text(s.unit), " offset 1,0\nset rmargin at screen 0.84",
                "\nset palette defined (0 '#ffffff', 0.5 '#85a9c4', 1 '#0b2239')\nset xrange [-0.5:",
                static_cast<double>(s.columns.size()) - 0.5,
                "]\nset yrange [-0.5:", static_cast<double>(s.rows.size()) - 0.5, "]\nset xtics ",
                tics(s.columns, 16), " rotate by -35 scale 0\nset ytics ", tics(s.rows, 24),
                " scale 0\nunset key\n", ticks(least, greatest),
                "plot $map using 1:2:(0.5):(0.5):3 with boxxyerror fillstyle solid noborder linecolor palette",
                room ? line(separator, "$map using 1:2:(stringcolumn(4)):($3 > ", 0.5 * (least + greatest),
                            " ? 0xffffff : 0x000000) with labels font ',11' textcolor rgb variable")
                     : std::string{},
                "\n")};
}

} // namespace app
