#include "support_desk.hpp"
#include "support_weights.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

// Models and formats whose numbers are not finite, from outside: what is refused, and what a nan says of itself.

using namespace study_test;

namespace {

/// A desk whose model has finite weights and overflows behind the second layer's gate.
struct overflowing_desk : desk {
    overflowing_desk() {
        bytes file = make_checkpoint();
        fill_weights(file, "w_gate", 1, 3e38f);
        put(folder / "m.bin", file.text());
    }
};

} // namespace

TEST_CASE("a model with one weight that is no number is refused by every command") {
    const desk d;
    bytes file = make_checkpoint();
    set_weight(file, "w_gate", 1, 3, std::bit_cast<float>(0x7fc00000u));
    put(d.folder / "m.bin", file.text());
    for (const char* command :
         {"sweep", "critical", "calibrate", "cett-ppl", "compare", "precision", "neurons"}) {
        d.refused(to_out + command, "m.bin: w_gate (w1) of layer 1 has a NaN at index 3 (row 0, column 3)");
    }
}

TEST_CASE("a model that overflows: nothing in the CSV, null and the reason in JSON, the reason on stderr") {
    const overflowing_desk d;
    const outcome csv = d.run(little_model + "--csv --values 0.9 --sites gate");
    CHECK(csv.code == 0);
    const auto rows = lines_of(csv.out);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].ends_with(",reason"));
    for (std::size_t i = 1; i < rows.size(); ++i) {
        CHECK_MESSAGE(has(rows[i], ",,,,,,,,,m.bin,"), rows[i]);
        CHECK_MESSAGE(has(rows[i], "predictions are lost"), rows[i]);
        CHECK_MESSAGE(has(rows[i], "in layer 1 at gate"), rows[i]);
        CHECK(!has(rows[i], "-nan"));
        CHECK(!has(rows[i], ",nan"));
    }
    CHECK_MESSAGE(has(csv.err, "tamis-study: note: results: figures are nan: "), csv.err);
    CHECK_MESSAGE(has(csv.err, "in layer 1 at gate"), csv.err);

    const outcome json = d.run(little_model + "--json --values 0.9 --sites gate --tasks tasks.tsv");
    CHECK(json.code == 0);
    const auto report = nlohmann::json::parse(json.out, nullptr, false);
    REQUIRE(!report.is_discarded());
    CHECK(report.at("notes").dump().find("results: figures are nan: ") != std::string::npos);
    for (const auto& row : report.at("results")) {
        CHECK(row.at("nll").is_null());
        CHECK(row.at("ppl").is_null());
        CHECK(row.at("top1").is_null());
        CHECK(has(row.at("reason").get<std::string>(), "predictions are lost"));
    }
    for (const auto& row : report.at("critical")) {
        CHECK(row.at("critical_sparsity").is_null());
        CHECK(row.at("reached") == false);
        CHECK(has(row.at("reason").get<std::string>(), "the point at 0.9 has no figure"));
    }
    for (const auto& row : report.at("tasks")) {
        CHECK(row.at("accuracy").is_null());
        CHECK(has(row.at("reason").get<std::string>(), "questions are lost"));
    }
    for (const auto& row : report.at("spread")) {
        CHECK(row.at("mean").is_null());
        CHECK(has(row.at("reason").get<std::string>(), "2 of 2 tasks"));
    }
    const outcome critical = d.run(little_model + "critical --values 1,0.9 --sites gate,up --details");
    CHECK(has(critical.out, "undefined"));
    CHECK(has(critical.out, "nan at nan"));
    CHECK(has(critical.err, "tamis-study: note: critical: figures are nan: "));
}

TEST_CASE("thresholds and frequencies of a model that overflows are refused with the place") {
    const overflowing_desk d;
    for (const char* command : {"calibrate", "calibrate --method cats", "cett-ppl", "neurons"}) {
        CAPTURE(command);
        const outcome o = d.run(little_model + command);
        CHECK(o.code == 2);
        CHECK_MESSAGE(has(o.err, "in layer 1 at gate"), o.err);
        CHECK(o.out.empty());
    }
}

TEST_CASE("precision: what overflows a format is counted, and its row has no figures") {
    const desk d;
    bytes file = make_checkpoint();
    fill_weights(file, "w_up", 1, 40000.0f);
    put(d.folder / "m.bin", file.text());
    const outcome o = d.run(little_model + "precision --sites up --json");
    CHECK(o.code == 0);
    const auto report = nlohmann::json::parse(o.out, nullptr, false);
    REQUIRE(!report.is_discarded());
    int lost_rows = 0, cut_rows = 0;
    for (const auto& row : report.at("precision")) {
        const bool overflows = row.at("format") == "f16" || row.at("format") == "e5m2";
        CHECK(row.at("nll").is_null() == overflows);
        CHECK(row.at("ppl_ratio").is_null() == overflows);
        CHECK((row.at("overflowed").get<int>() > 0) == overflows);
        CHECK((row.at("lost").get<int>() > 0) == overflows);
        CHECK(row.at("reason").is_string() == overflows);
        lost_rows += overflows ? 1 : 0;
        cut_rows += row.at("format") == "e4m3" && row.at("saturated").get<int>() > 0 ? 1 : 0;
    }
    CHECK(lost_rows == 6);
    CHECK(cut_rows == 3);
    CHECK(has(o.err, "tamis-study: note: precision: figures are nan: "));
    CHECK(has(d.run(little_model + "precision --sites up --details").out,
              "predictions that depend on it are lost"));
}

TEST_CASE("the RoPE base and the norms' epsilon are options, checked and said") {
    const desk d;
    const std::string plain = d.good(little_model + "--details --values 0.9");
    CHECK(has(plain, " 10000,"));
    const std::string other =
        d.good(little_model + "--details --values 0.9 --rope-base 500000 --norm-eps 0.5");
    CHECK(has(other, " 500000,"));
    const auto table = [](const std::string& text) { return text.substr(text.find("\nsite")); };
    CHECK(table(plain) != table(other));
    CHECK(table(plain) ==
          table(d.good(little_model + "--details --values 0.9 --rope-base 10000 --norm-eps 1e-5")));
    const auto json = nlohmann::json::parse(d.good(little_model + "--json --values 0.9 --norm-eps 1e-6"));
    CHECK(has(json.at("about").get<std::string>(), "RMS norms' epsilon 1e-06"));
    for (const char* option : {"--rope-base", "--norm-eps"}) {
        for (const char* wrong : {"0", "-1", "nan", "inf", "1e39", "1e-50", "x", "''"}) {
            d.refused(to_out + option + " " + wrong, option);
        }
        d.refused(std::string{"--out out "} + option + " 1", "needs --checkpoint");
    }
    // A run that was stopped under another base is not gone on with.
    CHECK(d.run(to_out + "--values 0.9").code == 0);
    const std::string first = d.file("results.csv");
    CHECK(d.run(to_out + "--values 0.9 --resume --rope-base 100").code == 0);
    CHECK(d.file("results.csv") != first);
}
