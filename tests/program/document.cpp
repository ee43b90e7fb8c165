#include "output/document.hpp"

#include "output/write.hpp"
#include "support.hpp"

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

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
std::string content(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
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
    CHECK(some_table().csv() == "site,nll,tokens\ndense,1.500000,1000\ninput,1.625140,1000\n");
}

TEST_CASE("CSV quotes what would be misread") {
    app::table t{"t", {{"a,b", "", column::all}, {"c", "", column::all}}};
    t.add({app::text_cell("say \"yes\""), app::text_cell("one, two")});
    t.add({app::text_cell("two\nlines"), app::text_cell("")});
    t.add({app::text_cell("carriage\rreturn"), app::text_cell("plain; 'text'")});
    CHECK(
        t.csv() ==
        "\"a,b\",c\n\"say \"\"yes\"\"\",\"one, two\"\n\"two\nlines\",\n\"carriage\rreturn\",plain; 'text'\n");
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
    CHECK(t.csv() == "a\n");
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
    t.add({app::text_cell("0.9"), {"-", "null", true}, app::count_cell(7), app::number_cell(1, 2)});
    d.add(std::move(t));
    d.add_data(some_table("more"));
    const auto json = nlohmann::json::parse(app::json_of(d));
    CHECK(json.at("title") == "A \"title\"");
    const auto& rows = json.at("figures");
    REQUIRE(rows.size() == 3);
    CHECK(rows[1].size() == 3); // not the column for people
    CHECK(rows[1].at("nll").is_number_float());
    CHECK(rows[1].at("nll") == 1.62514);
    CHECK(rows[1].at("tokens").is_number_unsigned());
    CHECK(rows[2].at("site") == "0.9");
    CHECK(rows[2].at("nll").is_null());
    CHECK(json.at("more").size() == 2);
}

TEST_CASE("JSON has no numbers that are none: null stands for them") {
    app::document d{"t"};
    app::table t{"t", {{"a", "", column::all}}};
    for (const double v : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        t.add({app::number_cell(v, 3)});
    }
    d.add(t);
    const auto json = nlohmann::json::parse(app::json_of(d), nullptr, false);
    REQUIRE(!json.is_discarded());
    CHECK(json.at("t")[0].at("a").is_null());
    CHECK(json.at("t")[1].at("a").is_null());
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
    CHECK(w.files == std::vector<std::string>{"figures.csv", "more.csv", "report.json", "report.md"});
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
