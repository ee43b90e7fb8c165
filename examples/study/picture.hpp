#pragma once

#include "critical.hpp"
#include "output.hpp"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace study {

namespace detail {

/// One panel: quality over mask sparsity, a curve a site, its critical point as a ring, the limit as a line.
inline std::string panel(const std::vector<curve>& curves, const char* label, const char* range) {
    std::string data, plots;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const curve& c = curves[i];
        data += line("$curve", i, " << E\n0 1\n"); // the dense model
        for (const auto& p : c.points) {
            data += fixed(100 * p.sparsity, 4) + ' ' + fixed(p.quality, 6) + '\n';
        }
        data += "E\n";
        plots +=
            line("$curve", i, " with linespoints linestyle ", i % 5 + 1, " title '", c.site, "', \\\n     ");
        if (const auto at = c.critical(); at.reached) {
            data += line("$critical", i, " << E\n", fixed(100 * at.sparsity, 4), ' ', fixed(c.what.limit, 6),
                         "\nE\n");
            plots += line("$critical", i, " with points linestyle 6 notitle, \\\n     ");
        }
    }
    const criterion& what = curves.front().what;
    return line(data, "set title '", what.name, "' noenhanced\nset ylabel '", label, "'\nset yrange ", range,
                "\nplot ", plots, fixed(what.limit, 4), " with lines linestyle 7 title 'limit', \\\n     ",
                "keyentry with points linestyle 6 title 'critical sparsity'\n");
}

/// Curves differ in dash, point and brightness, so that the picture reads in grey too.
inline constexpr const char* styles = R"(set style line 1 lc rgb '#000000' dt 1 pt 5 ps 0.7 lw 1.6
set style line 2 lc rgb '#b03a2e' dt 2 pt 7 ps 0.7 lw 1.6
set style line 3 lc rgb '#2471a3' dt 4 pt 9 ps 0.8 lw 1.6
set style line 4 lc rgb '#e59866' dt 5 pt 13 ps 0.8 lw 1.6
set style line 5 lc rgb '#7fb3a0' dt (12,3) pt 11 ps 0.8 lw 1.6
set style line 6 lc rgb '#000000' pt 6 ps 2 lw 1.6
set style line 7 lc rgb '#000000' dt 3 lw 1
set grid lc rgb '#dddddd'
set xlabel 'mask sparsity (% of entries dropped)'
set xrange [0:100]
)";

} // namespace detail

/// A gnuplot script with its data inside; the picture goes to standard output. Needs gnuplot 5.2 or later.
inline std::string picture_script(const std::vector<curve>& curves, const std::string& title) {
    const auto with = [&](const char* criterion_name) {
        std::vector<curve> found;
        for (const auto& c : curves) {
            if (c.what.name == criterion_name) {
                found.push_back(c);
            }
        }
        return found;
    };
    const auto tasks = with("tasks averaged 99%");
    const bool three = !tasks.empty();
    std::string safe_title;
    for (const char c : title) {
        safe_title += c == '\'' ? "''" : std::string(1, c);
    }
    const auto keyed = // one key serves all panels
        "set key at screen 0.5,0.02 center bottom vertical maxrows 2 width -3 noenhanced\n";
    return line("# gnuplot sweep.gp >sweep.svg\nset terminal svg size ", three ? 1400 : 960,
                ",520 background rgb 'white' font 'sans-serif,13'\n", detail::styles,
                "set multiplot layout 1,", three ? 3 : 2, " title '", safe_title,
                "' noenhanced margins screen ", three ? "0.065" : "0.095", ",0.98,0.27,0.84 spacing screen ",
                three ? "0.085" : "0.12", "\nset key off\n",
                detail::panel(with("PPL-1%"), "PPL / dense PPL (ratio)", "[0.99:1.2]"), three ? "" : keyed,
                detail::panel(with("top-1 99%"), "top-1 / dense top-1 (ratio)", "[0.9:1.01]"),
                three ? keyed : "",
                three ? detail::panel(tasks, "accuracy / dense accuracy (ratio)", "[0.7:1.05]") : "",
                "unset multiplot\n");
}

/// Writes FOLDER/sweep.gp and lets gnuplot draw FOLDER/sweep.svg. False: there is no gnuplot, or it failed.
inline bool draw_picture(const std::filesystem::path& folder, const std::string& script) {
    write_file(folder / "sweep.gp", script);
    const pending_file picture{folder / "sweep.svg"};
    const auto quoted = [](const std::string& text) {
        std::string result = "'";
        for (const char c : text) {
            result += c == '\'' ? "'\\''" : std::string(1, c);
        }
        return result + "'";
    };
    const std::string command = "gnuplot " + quoted((folder / "sweep.gp").string()) + " >" +
                                quoted(picture.part().string()) + " 2>/dev/null";
    std::error_code code;
    const bool drawn =
        std::system(command.c_str()) == 0 && std::filesystem::file_size(picture.part(), code) > 0 && !code;
    if (drawn) {
        picture.commit();
    } else {
        std::filesystem::remove(folder / "sweep.svg", code); // an older run's
    }
    return drawn;
}

} // namespace study
