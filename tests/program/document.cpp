#include "output/document.hpp"

#include "output/write.hpp"
#include "support.hpp"
#include "support_files.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

using namespace study_test;
using app::column;

namespace {

app::table some_table(std::string name = "figures") {
    app::table t{std::move(name),
                 {{"site", "", column::all},
                  {"nll", "nats a token", column::all},
                  {"tokens", "", column::programs},
                  {"ratio", "ppl/dense", column::people}}};
    t.add({app::text_cell("dense"), app::number_cell(1.5, 3), app::count_cell(1000), app::number_cell(1, 2)});
    t.add({app::text_cell("input"), app::number_cell(1.62514, 3), app::count_cell(1000),
           app::number_cell(1.133, 2)});
    return t;
}
constexpr auto none_drawn = [](const app::picture&) { return false; };

} // namespace

TEST_CASE("numbers as text: fixed decimals, percent, and all digits") {
    CHECK(app::fixed(1.5, 4) == "1.5000");
    CHECK(app::percent(0.12345) == "12.35 %");
    CHECK(app::percent(1, 0) == "100 %");
    for (const double v : {0.1, 1.0 / 3, 1e-300, 123456789.123456789}) {
        CHECK(std::stod(app::number_text(v)) == v);
    }
}

TEST_CASE("CSV has the columns for programs, by their names, with more decimals") {
    CHECK(some_table().csv("m") ==
          "site,nll,tokens,model,reason\ndense,1.500000,1000,m,\ninput,1.625140,1000,m,\n");
    CHECK(some_table().csv("m", false) == "dense,1.500000,1000,m,\ninput,1.625140,1000,m,\n");
}

TEST_CASE("CSV quotes what would be misread") {
    app::table t{"t", {{"a,b", "", column::all}, {"c", "", column::all}}};
    t.add({app::text_cell("say \"yes\""), app::text_cell("one, two")});
    t.add({app::text_cell("two\nlines"), app::text_cell("")});
    t.add({app::text_cell("carriage\rreturn"), app::text_cell("plain; 'text'")});
    CHECK(t.csv() ==
          "\"a,b\",c,model,reason\n\"say \"\"yes\"\"\",\"one, two\",,\n\"two\nlines\",,,\n"
          "\"carriage\rreturn\",plain; 'text',,\n");
}

TEST_CASE("Markdown and plain text have the columns for people, by their heads") {
    CHECK(some_table().markdown() ==
          "| site | nats a token | ppl/dense |\n|---|---|---|\n"
          "| dense | 1.500 | 1.00 |\n| input | 1.625 | 1.13 |\n");
    CHECK(some_table().plain() ==
          "site   nats a token  ppl/dense\n"
          "dense  1.500         1.00\n"
          "input  1.625         1.13\n");
}

TEST_CASE("a bar in a cell does not end it in Markdown") {
    app::table t{"t", {{"a", "|i|", column::all}}};
    t.add({app::text_cell("top_k |gate|")});
    CHECK(t.markdown() == "| \\|i\\| |\n|---|\n| top_k \\|gate\\| |\n");
    CHECK(has(t.csv(), "top_k |gate|"));
}

TEST_CASE("a table without rows is its head") {
    const app::table t{"t", {{"a", "", column::all}}};
    CHECK(t.csv() == "a,model,reason\n");
    CHECK(t.markdown() == "| a |\n|---|\n");
    CHECK(t.plain() == "a\n");
}

TEST_CASE("shares, dashes and counts: what people and programs read") {
    CHECK(app::share_cell(0.25).shown == "25.00 %");
    CHECK(app::share_cell(0.25).data == "0.250000");
    CHECK(app::dash_cell(0).shown == "-");
    CHECK(app::dash_cell(0).data == "0.000000");
    CHECK(app::count_cell(12).data == "12");
    CHECK(app::number_cell(1.23456789, 8).data == "1.23456789"); // no fewer decimals than are shown
    CHECK(!app::text_cell("0.9").number);
}

TEST_CASE("JSON: numbers stay numbers, text stays text, a dash is null") {
    app::document d{"A \"title\""};
    app::table t = some_table();
    t.add({app::text_cell("0.9"), app::missing_cell(), app::count_cell(7), app::number_cell(1, 2)});
    d.add(std::move(t));
    d.add_data(some_table("more"));
    const auto json = nlohmann::json::parse(app::json_of(d));
    CHECK(json.at("title") == "A \"title\"");
    const auto& rows = json.at("figures");
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].size() == 5); // not the column for people; model and reason
    CHECK(rows[1].at("nll").is_number_float());
    CHECK(rows[1].at("nll") == 1.62514);
    CHECK(rows[1].at("tokens").is_number_unsigned());
    CHECK(rows[2].at("site") == "0.9");
    CHECK(rows[2].at("nll").is_null());
    CHECK(json.at("more").size() == 2);
}

TEST_CASE("JSON has no numbers that are none: null stands for them, and a text for an infinity") {
    app::document d{"t"};
    app::table t{"t", {{"a", "", column::all}}};
    for (const double v : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        t.add({app::number_cell(v, 3)});
    }
    d.add(t);
    const auto json = nlohmann::json::parse(app::json_of(d), nullptr, false);
    REQUIRE(!json.is_discarded());
    CHECK(json.at("t")[0].at("a").is_null());
    CHECK(json.at("t")[1].at("a") == "inf");
    CHECK(has(t.csv(), "\n,,a figure is not finite\ninf,,"));
}

TEST_CASE("JSON of text that is no UTF-8 can be read") {
    const app::document d{"bad \xff byte"};
    CHECK(!nlohmann::json::parse(app::json_of(d), nullptr, false).is_discarded());
}

TEST_CASE("a document is read from top to bottom; notes are for the report alone, data for programs") {
    app::document d{"Title"};
    d.paragraph("First.");
    d.heading("Part");
    d.note("Explained.");
    d.add(some_table());
    d.add(app::picture{"curve", "A curve", "plot x"});
    d.add_data(some_table("more"));
    CHECK(d.plain() == "Title\n\nFirst.\n\nPart\n\n" + some_table().plain());
    CHECK(d.markdown(none_drawn) ==
          "# Title\n\nFirst.\n\n## Part\n\nExplained.\n\n" + some_table().markdown());
    CHECK(d.markdown([](const app::picture& p) { return p.name == "curve"; }) ==
          d.markdown(none_drawn) + "\n![A curve](curve.svg)\n");
    CHECK(app::first_csv_of(d) == some_table().csv());
    CHECK(app::first_csv_of(app::document{"empty"}).empty());
}

TEST_CASE("a document leaves its files in a folder, whole") {
    const temporary_folder folder;
    app::document d{"Title"};
    d.add(some_table());
    d.add_data(some_table("more"));
    const auto w = app::write_document(folder.path(), d);
    using strings = std::vector<std::string>;
    CHECK(w.files == strings{"report.json", "report.md", "figures.csv", "more.csv", "figures.tex"});
    CHECK(w.all_drawn); // there is nothing to draw
    CHECK(content(folder / "figures.csv") == some_table().csv());
    CHECK(content(folder / "report.json") == app::json_of(d) + "\n");
    CHECK(content(folder / "report.md") == d.markdown(none_drawn));
    for (const auto& entry : std::filesystem::directory_iterator{folder.path()}) {
        CHECK(entry.path().extension() != ".part");
    }
    app::write_document(folder.path(), d); // again over it
    CHECK(content(folder / "figures.csv") == some_table().csv());
}

TEST_CASE("a file is whole or not there") {
    const temporary_folder folder;
    {
        const app::pending_file file{folder / "a"};
        file.write("half");
        CHECK(!std::filesystem::exists(folder / "a"));
    }
    CHECK(std::filesystem::is_empty(folder.path())); // not even the part
    app::write_file(folder / "a", "whole");
    CHECK(content(folder / "a") == "whole");
    std::filesystem::create_directory(folder / "b");
    CHECK(has(error_of([&] { app::write_file(folder / "b", "x"); }), "cannot be written"));
    CHECK(error_of([&] { app::write_file(folder / "none/c", "x"); }) ==
          (folder / "none/c").string() + ": cannot be written: No such file or directory");
    if (std::filesystem::exists("/dev/full")) { // a disk that is full
        std::filesystem::create_symlink("/dev/full", folder / "a.part");
        CHECK(error_of([&] { app::write_file(folder / "a", std::string(100000, 'x')); }) ==
              (folder / "a").string() + ": cannot be written: No space left on device");
        std::filesystem::create_symlink("/dev/full", folder / "a.part");
        CHECK(has(error_of([&] { app::write_file(folder / "a", "x"); }), "No space left")); // at the very end
        CHECK(content(folder / "a") == "whole");
    }
}

TEST_CASE("intervals: people see them behind the figure, programs in columns of their own") {
    app::table t{"t", {{"site", "", column::all}, {"x", "", column::all, true}}};
    t.add({app::text_cell("up"), app::share_cell(0.365, app::interval{0.341, 0.387})});
    t.add({app::text_cell("gate"), app::share_cell(0.5, std::nullopt)});
    t.add({app::text_cell("input"), app::number_cell(1.5, app::interval{-0.00001, 2}, 2)});
    CHECK(t.markdown() ==
          "| site | x |\n|---|---|\n| up | 36.5 % (34.1 - 38.7) |\n| gate | 50.0 % |\n"
          "| input | 1.50 (0.00 - 2.00) |\n");
    CHECK(t.csv() ==
          "site,x,x_low,x_high,model,reason\nup,0.365000,0.341000,0.387000,,\ngate,0.500000,,,,\n"
          "input,1.500000,-0.000010,2.000000,,\n");
}

TEST_CASE("what is not there, flags, and values as they were typed") {
    app::table t{"t", {{"a", "", column::all}, {"b", "", column::all}, {"model", "", column::all}}};
    t.add({app::missing_cell(), app::bool_cell(true), app::text_or_dash("-")});
    t.add({app::typed_cell(".9", 0.9), app::typed_cell("-", 0), app::text_cell("own")});
    CHECK(t.csv("not this") == "a,b,model,reason\n,true,,\n0.9,,own,\n");
    CHECK(has(t.markdown(), "| - | yes | - |"));
    CHECK(has(t.markdown(), "| .9 | - | own |"));
    CHECK(app::fixed(-0.00001, 2) == "0.00"); // no "-0.00"
    CHECK(app::fixed(-0.01, 2) == "-0.01");
    CHECK(app::shortest(0.1) == "0.1");
    CHECK(std::stod(app::shortest(1.0 / 3)) == 1.0 / 3);
}

TEST_CASE("LaTeX: booktabs, with what is special to it as itself, numbers to the right") {
    app::table t{"t", {{"rule", "", column::all}, {"s", "share (%)", column::all}}};
    t.add({app::text_cell("top_p |i| & #1"), app::share_cell(0.365, app::interval{0.341, 0.387})});
    CHECK(t.latex() ==
          "% \\usepackage{booktabs}\n\\begin{tabular}{lr}\n\\toprule\nrule & share (\\%) \\\\\n\\midrule\n"
          "top\\_p \\textbar{}i\\textbar{} \\& \\#1 & 36.5\\,\\% (34.1 -- 38.7) \\\\\n\\bottomrule\n"
          "\\end{tabular}\n");
}

TEST_CASE("a screen: heads in lines, texts that are cut, rows that are counted") {
    app::table t{"t", {{"a", "a long head of several words", column::all}, {"b", "", column::all}}};
    for (int i = 0; i < 9; ++i) {
        t.add({app::count_cell(7), app::text_cell("some text of a certain length")});
    }
    const std::string narrow = t.plain(30, 4);
    std::size_t widest = 0, width = 0;
    for (const char c : narrow) {
        width = c == '\n' ? 0 : width + 1;
        widest = std::max(widest, width);
    }
    CHECK(widest <= 30);
    CHECK(has(narrow, "... 6 rows more"));
    CHECK(has(narrow, "..."));
    CHECK(has(narrow, "several"));
    CHECK(app::wrapped("one two three four", 9) == "one two\nthree\nfour\n");
    CHECK(app::wrapped("a\nb", 9) == "a\nb\n");

    app::document d{"Title"};
    d.headline("Found.");
    d.add(some_table());
    d.on_screen(t);
    CHECK(has(d.screen(3), "Title\nFound.\n"));
    CHECK(has(d.screen(3), "7 rows more"));
    CHECK(has(d.plain(), "Title\nFound.\n\nsite"));
    CHECK(!has(app::json_of(d), "several")); // made of the others
    CHECK(has(app::json_of(d), "\"headline\": \"Found.\""));
    d.made.add("command", "tamis-study --out 'a b'");
    CHECK(has(d.markdown(none_drawn), "## How this was made\n\n    command: tamis-study --out 'a b'\n"));
    CHECK(has(app::json_of(d), "\"command\": \"tamis-study --out 'a b'\""));
}
