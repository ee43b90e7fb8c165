#include "output/picture.hpp"

#include "output/write.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

using namespace study_test;

namespace {

bool gnuplot_there() {
    static const bool there = std::system("gnuplot --version >/dev/null 2>&1") == 0;
    return there;
}
std::string written(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

struct drawing {
    std::string svg, said;
};
/// What gnuplot makes of a script. `said` has to stay empty: warnings are errors here.
drawing draw(const app::picture& p) {
    const temporary_folder folder;
    std::ofstream{folder / "p.gp"} << p.script;
    const std::string command =
        "cd '" + folder.path().string() + "' && gnuplot p.gp >p.svg 2>p.err || echo failed >>p.err";
    CHECK(std::system(command.c_str()) == 0);
    return {written(folder / "p.svg"), written(folder / "p.err")};
}
/// gnuplot takes the script without a word, and each of these texts can be read in the picture.
void accepted(const app::picture& p, const std::vector<std::string>& texts) {
    if (!gnuplot_there()) {
        MESSAGE("skipped: there is no gnuplot");
        return;
    }
    const drawing d = draw(p);
    CAPTURE(p.script);
    CHECK(d.said == "");
    CHECK(has(d.svg, "</svg>"));
    for (const auto& text : texts) {
        CAPTURE(text);
        CHECK(has(d.svg, text));
    }
}

app::panel some_panel(const std::string& title) {
    app::panel p;
    p.title = title;
    p.x_label = "mask sparsity (%)";
    p.y_label = "ratio";
    p.x = {0, 100};
    p.curves = {{"input", {{0, 1}, {20, 1.1}, {50, 1.2}}, {{10, 1.05}}, true, true},
                {"all_inputs", {{0, 1}, {30, 1.3}}, {}, true, true}};
    p.limit = 1.01;
    return p;
}
app::shades some_shades(const std::vector<std::vector<double>>& values) {
    app::shades s;
    s.title = "Shades";
    s.x_label = "site";
    s.y_label = "layer";
    s.unit = "percent";
    s.values = values;
    for (std::size_t r = 0; r < values.size(); ++r) {
        s.rows.push_back("row_" + std::to_string(r));
    }
    for (std::size_t c = 0; c < values.front().size(); ++c) {
        s.columns.push_back("col_" + std::to_string(c));
    }
    return s;
}

} // namespace

TEST_CASE("panels: one, two or three beside each other, with a legend that names every curve") {
    for (const std::size_t n : {1u, 2u, 3u}) {
        std::vector<app::panel> panels;
        for (std::size_t i = 0; i < n; ++i) {
            panels.push_back(some_panel("panel " + std::to_string(i)));
        }
        const auto p = app::draw_panels("sweep", "All of it", panels);
        CHECK(p.name == "sweep");
        CHECK(p.title == "All of it");
        accepted(p, {"All of it", "panel 0", "panel " + std::to_string(n - 1), "all_inputs", "limit",
                     "critical sparsity"});
    }
}

TEST_CASE("panels: curves of one point, points alone, lines alone, logarithmic axes, open ranges") {
    app::panel p = some_panel("t");
    p.x = {1, {}};
    p.x_logarithmic = p.y_logarithmic = true;
    p.curves = {{"dot", {{1, 2}}, {}, true, true},
                {"points", {{1, 2}, {10, 3}}, {}, true, false},
                {"line", {{1, 2}, {100, 4}}, {}, false, true}};
    p.limit.reset();
    accepted(app::draw_panels("x", "t", {p}), {"dot", "points", "line"});
}

TEST_CASE("panels: more curves than line styles, and a curve with no number in it") {
    app::panel p = some_panel("t");
    for (int i = 0; i < 12; ++i) {
        p.curves.push_back({"curve" + std::to_string(i), {{0, 1}, {10.0 + i, 1.1}}, {}, true, true});
    }
    p.curves.push_back({"gaps", {{0, 1}, {10, std::nan("")}, {20, INFINITY}, {30, 1.2}}, {}, true, true});
    accepted(app::draw_panels("x", "t", {p}), {"curve11", "gaps"});
}

TEST_CASE("titles, names and labels may hold quotes, markup and line ends") {
    const std::string hard = "it's \"50 %\" of x_1 {/Bold a} ^2 $5 `ls` \\n @a";
    app::panel p = some_panel(hard);
    p.curves[0].name = hard;
    p.limit_name = "l'imite";
    accepted(app::draw_panels("x", hard + "\nsecond line", {p}), {"x_1 {/Bold a} ^2 $5 `ls`", "l'imite"});
    CHECK(!has(app::draw_panels("x", hard + "\nsecond", {p}).script, hard + "\nsecond"));
    app::shades s = some_shades({{1, 2}, {3, 4}});
    s.title = s.columns[0] = s.rows[1] = hard;
    accepted(app::draw_shades("x", s), {"x_1 {/Bold a} ^2 $5 `ls`"});
}

TEST_CASE("shades: values are written in, axes named") {
    accepted(app::draw_shades("x", some_shades({{10, 20, 30}, {40.4, 50, 62}})),
             {"col_2", "row_1", ">62<", ">40<", "percent"});
    accepted(app::draw_shades("x", some_shades({{0.12, 1.26}, {4, 5}})),
             {">1.3<"}); // small ones with a decimal
}

TEST_CASE("shades: all values the same, one cell, and values below zero") {
    for (const double v : {0.0, 50.0, 100.0, -2.0, 1e-9}) {
        CAPTURE(v);
        accepted(app::draw_shades("x", some_shades({{v, v}, {v, v}})), {"col_1"});
        accepted(app::draw_shades("x", some_shades({{v}})), {"col_0"});
    }
    accepted(app::draw_shades("x", some_shades({{-1, 0.5}, {0, 300}})), {">300<", ">-1<"});
}

TEST_CASE("shades: a value that is infinite or no number leaves the others") {
    accepted(app::draw_shades("x", some_shades({{1, 2}, {std::nan(""), 4}})), {">4.0<"});
    accepted(app::draw_shades("x", some_shades({{1, 2}, {INFINITY, 4}})), {">4.0<"});
}

TEST_CASE("shades: a large map has no values in it and fewer names, but all cells") {
    std::vector<std::vector<double>> values(80, std::vector<double>(40, 1));
    values[79][39] = 7;
    const auto p = app::draw_shades("x", some_shades(values));
    accepted(p, {"row_0", "col_0"});
    CHECK(std::count(p.script.begin(), p.script.end(), '\n') > 80 * 40);
    CHECK(!has(p.script, "sprintf"));
}

TEST_CASE("a picture is drawn where there is gnuplot; else its script stays, and an older picture goes") {
    const temporary_folder folder;
    app::document d{"t"};
    d.add(app::draw_panels("curve", "A curve", {some_panel("t")}));
    auto w = app::write_document(folder.path(), d);
    CHECK(w.all_drawn == gnuplot_there());
    CHECK(std::filesystem::exists(folder / "curve.gp"));
    CHECK(std::filesystem::exists(folder / "curve.svg") == gnuplot_there());
    CHECK(has(written(folder / "report.md"), "curve.svg") == gnuplot_there());

    app::document broken{"t"};
    broken.add(app::picture{"curve", "A curve", "plot nonsense from nowhere"});
    w = app::write_document(folder.path(), broken);
    CHECK(!w.all_drawn);
    CHECK(!std::filesystem::exists(folder / "curve.svg"));
    CHECK(!has(written(folder / "report.md"), "curve.svg"));
    CHECK(std::find(w.files.begin(), w.files.end(), "curve.gp") != w.files.end());
}

TEST_CASE("an axis ends where something happens") {
    const auto end = [](std::vector<app::point> points) {
        return app::end_of_what_happens({{"c", std::move(points)}}, 0.99, 1.2);
    };
    CHECK(end({{0, 1}, {12, 1.1}, {31, 1.5}, {90, 7}}) == 35); // it left at 31
    CHECK(end({{0, 1}, {12, 1.1}, {30, 1.15}}) == 30);
    CHECK(end({{0, 1}, {99, 1.1}}) == 100);
    CHECK(end({{0, 1}, {140, 1.1}}) == 100);
    CHECK(end({{0, 1}}) == 5);
    CHECK(end({}) == 5);
    CHECK(end({{0, 1}, {12, std::nan("")}, {60, 1.1}}) == 15);
    CHECK(app::end_of_what_happens({{"a", {{0, 1}, {20, 2}}}, {"b", {{0, 1}, {60, 2}}}}, 0.99, 1.2) == 60);
}

TEST_CASE("names are shown as they are, layers at whole numbers, and no zero is negative") {
    app::panel p = some_panel("top_p at W_down");
    p.x_label = "x_label";
    p.curves[0].name = "top_p, |x_i|";
    p.x_whole = true;
    p.x = {-0.6, 3.4};
    p.curves = {{"top_p, |x_i|", {{0, 1}, {1, 2}, {2, 1}, {3, 2}}}};
    p.curves[0].bars = true;
    accepted(app::draw_panels("x", "W_up", {p}),
             {">top_p at W_down<", ">x_label<", ">top_p, |x_i|<", ">W_up<", " 3</text>"});
    if (gnuplot_there()) {
        CHECK(!has(draw(app::draw_panels("x", "t", {p})).svg, " 2.5</text>"));
    }
    accepted(app::draw_shades("x", some_shades({{-0.001, 5}, {4, 10}})), {">0.0<"});
    CHECK(!has(app::draw_shades("x", some_shades({{-0.001, 5}, {4, 10}})).script, "-0.0 "));
    app::shades s = some_shades({{1, 2}});
    s.about = "the model, the text";
    accepted(app::draw_shades("x", s), {"the model, the text"});
}

TEST_CASE("intervals as bars and bands, rings below the points, and a fit that failed is called so") {
    app::panel p = some_panel("t");
    p.curves[0].widths = {{1.01, 8, 13}, {1.01, std::nan(""), 2}};
    p.curves[0].band = {{0, 0.9, 1.1}, {20, 1, 1.2}, {50, 1.1, INFINITY}};
    p.curves[1].failed = true;
    const auto picture = app::draw_panels("x", "t", {p});
    accepted(picture, {"its interval", "critical sparsity"});
    CHECK(picture.script.find("$p0c0r with") < picture.script.find("$p0c0 with")); // drawn before
}

TEST_CASE("the same picture as a PDF, with how it was made") {
    const temporary_folder folder;
    app::document d{"t"};
    d.made.add("command", "tamis-study <&> --x");
    d.add(app::draw_panels("curve", "A curve", {some_panel("t")}));
    const auto w = app::write_document(folder.path(), d);
    const std::string pdf = written(folder / "curve.pdf"), svg = written(folder / "curve.svg");
    CHECK(pdf.empty() == (std::find(w.files.begin(), w.files.end(), "curve.pdf") == w.files.end()));
    if (!pdf.empty()) {
        CHECK(pdf.starts_with("%PDF"));
        CHECK(has(pdf, "\n% command: tamis-study <&> --x\nstartxref\n"));
    }
    CHECK(has(svg, "command: tamis-study &lt;&amp;> --x") == gnuplot_there());
    CHECK(has(written(folder / "curve.gp"), "\n# command: tamis-study <&> --x\n"));
}
