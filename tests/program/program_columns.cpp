// docs/columns.md against what every command writes: no column without a word, no word without a column, and shapes as they are called.

#include "support_columns.hpp"
#include "support_desk.hpp"
#include "support_json.hpp"

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// What a command is run with, and where what it leaves is described.
struct run_of {
    std::string command, arguments;
};

std::string columns_text() {
    return content(std::filesystem::path{__FILE__}.parent_path() / "../../docs/columns.md");
}

} // namespace

TEST_CASE("every column of every file of every command is in docs/columns.md, as it is there") {
    const auto documented = documented_columns(columns_text());
    REQUIRE(documented.size() > 100);
    std::set<std::string> written;
    const std::vector<run_of> runs{
        {"sweep", "sweep --sites input,up --values 0.9,0.5 --tasks tasks.tsv --per-token --sets 2"},
        {"sweep --layers each", "sweep --layers each --sites up --values 0.9"},
        {"critical", "critical --sites input --values 0.9,0.5 --tasks tasks.tsv --per-token --sets 2"},
        {"calibrate", "calibrate --stories 2: --check-stories 0:2"},
        {"calibrate", "calibrate --method teal"},
        {"cett-ppl", "cett-ppl --percent 5"},
        {"compare", "compare --few --methods cett,top_k,low_rank --at 0.3,0.5 --per-token"},
        {"precision", "precision --sites input"},
        {"plan", "plan --percent 5 --probe-tokens 100"},
        {"laws", "laws --curve curve.csv"},
        {"neurons", "neurons --contexts 2 --show 2"},
        {"summary", "summary"}};
    for (const run_of& run : runs) { // (clang 14 captures no structured bindings)
        const std::string &command = run.command, &arguments = run.arguments;
        CAPTURE(arguments);
        const desk d;
        put_story_text(d);
        put_law_curve(d);
        if (command == "summary") {
            d.good(to_out + "--sites up --values 0.9,0.5");
            d.good(little_model + "--out out/compare compare --few --methods cett,top_k");
        }
        const json found =
            parsed(d.good((command == "laws" ? "--out out " : to_out) + arguments + " --json"));
        const auto tables = command == "summary" ? tables_of(found) : tables_in(d);
        CHECK(tables.size() >= 1);
        for (const auto& named_table : tables) {
            const std::string& file = named_table.first;
            const auto& csv = named_table.second;
            CAPTURE(file);
            std::set<std::string> columns;
            for (const std::string& name : csv.names) {
                const auto shape = shape_of(documented, command, file, name);
                CHECK_MESSAGE(!shape.empty(), name, " is not documented");
                CHECK_MESSAGE(columns.insert(name).second, name, " is there twice");
                written.insert(key_of(documented, command, file, name));
                for (const std::string& field : csv.column(name)) {
                    CHECK_MESSAGE(has_shape(field, shape), name, ": ", field, " is no ", shape);
                }
            }
            if (file == "per_story" || file == "per_token") {
                CHECK(!found.contains(file)); // too long for anything but its CSV
                continue;
            }
            // JSON has the same rows, with the same fields.
            const auto& rows = found.at(file);
            REQUIRE(rows.size() == csv.rows.size());
            for (std::size_t r = 0; r < rows.size(); ++r) {
                CHECK(rows[r].size() == csv.names.size());
                for (std::size_t c = 0; c < csv.names.size(); ++c) {
                    const auto& value = rows[r].at(csv.names[c]);
                    const std::string& field = csv.rows[r][c];
                    const bool same = value.is_number_float()
                                          ? value.get<double>() == std::strtod(field.c_str(), nullptr)
                                          : field == json_text(value);
                    CHECK_MESSAGE(same, csv.names[c], ": ", field);
                }
            }
        }
    }
    for (const auto& column : documented) {
        const std::string& key = column.first;
        CHECK_MESSAGE(written.contains(key), key, " is documented and nowhere written");
    }
}

TEST_CASE("a table with an infinity, a missing figure and a flag is one dialect in CSV and JSON") {
    const auto documented =
        documented_columns("| a, b | x | p, q_* | flag | - | words |\n| all | all | r | count | - | w |\n");
    CHECK(shape_of(documented, "b", "x", "q_0.5") == "flag");
    CHECK(shape_of(documented, "b", "x", "q") == "");
    CHECK(shape_of(documented, "c", "y", "r") == "count");
    CHECK(shape_of(documented, "c", "x", "p") == "");
    CHECK(has_shape("true", "flag"));
    CHECK(!has_shape("yes", "flag"));
    CHECK(has_shape("", "number"));
    CHECK(has_shape("-inf", "number"));
    CHECK(has_shape("1e-05", "number"));
    CHECK(!has_shape("nan", "number"));
    CHECK(!has_shape("12 %", "number"));
    CHECK(!has_shape("-1", "count"));
    CHECK(csv_of("a,b\n\"x, \"\"y\"\"\",2\n,\n").rows ==
          std::vector<std::vector<std::string>>{{"x, \"y\"", "2"}, {"", ""}});
}
