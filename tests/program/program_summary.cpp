// tamis-study summary from outside: one screen of what other commands left.

#include "support_desk.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

using namespace study_test;

namespace {

/// A report as commands leave it.
void put_report(const desk& d, const std::string& folder, const std::string& json) {
    std::filesystem::create_directories(d.folder / folder);
    put(d.folder / (folder + "/report.json"), json);
}
std::string critical_row(const std::string& site, const std::string& criterion, const std::string& sparsity,
                         int reached = 1) {
    return R"({"site": ")" + site + R"(", "rule": "top_p", "criterion": ")" + criterion +
           R"(", "reached": )" + std::to_string(reached) + R"(, "critical_sparsity": )" + sparsity +
           R"(, "bytes_skipped": 0.125})";
}
/// The line of a text that begins so.
std::string line_with(const std::string& text, const std::string& start) {
    for (const auto& l : lines_of(text)) {
        if (l.starts_with(start)) {
            return l;
        }
    }
    return {};
}

} // namespace

TEST_CASE("summary: tables of several models from reports in several folders") {
    const desk d;
    put_report(d, "out/a",
               R"({"title": "t", "model": "A", "critical": [)" + critical_row("input", "PPL-1%", "0.25") +
                   "," + critical_row("input", "top-1 99%", "0.75") + "," +
                   critical_row("up", "PPL-1%", "0.5", 0) + "," + critical_row("gate", "PPL-1%", "null") +
                   "]}");
    put(d.folder / "out/a/sweep.svg", "<svg/>");
    put_report(d, "out/b/deep",
               R"({"title": "t", "model": "B", "critical": [)" + critical_row("input", "PPL-1%", "0.375") +
                   "]}");
    put_report(
        d, "out/cett/a",
        R"({"title": "t", "model": "A", "cett_ppl": [{"percent": 1.0, "cett": 0.0875, "activation_ratio": 0.64}]})");
    put_report(d, "out/compare/a",
               R"({"title": "t", "model": "A", "compare": [
                   {"method": "cett", "ppl_ratio_at_0.5": 1.001, "ppl_ratio_at_0.8": 1.004, "ppl_ratio_at_0.9": 1.02},
                   {"method": "top_k |i|", "ppl_ratio_at_0.5": 1.001, "ppl_ratio_at_0.8": 1.0005, "ppl_ratio_at_0.9": 1.03},
                   {"method": "cats", "ppl_ratio_at_0.5": 1.2, "ppl_ratio_at_0.8": 1.5, "ppl_ratio_at_0.9": null}]})");
    put_report(d, "out/foreign", R"({"benchmarks": []})"); // of another program: passed over
    const std::string out = d.good("summary --out out");
    CHECK(has(line_with(out, "site"), "A: dropped"));
    CHECK(has(line_with(out, "site"), "B: dropped"));
    CHECK(has(line_with(out, "input"), "25.0 %"));
    CHECK(has(line_with(out, "input"), "37.5 %"));
    CHECK(!has(out, "75.0 %")); // another criterion's
    CHECK(has(line_with(out, "up"), "over 50.0 %"));
    CHECK(has(line_with(out, "gate"), " - "));
    // At 80 % the best two are within half a percent; at 90 % no rule keeps PPL within 1 %.
    CHECK(has(line_with(out, "A "), "80 %"));
    CHECK(has(line_with(out, "A "), "top_k |i|, cett"));
    CHECK(has(line_with(out, "A "), "cats"));
    CHECK(has(out, "CETT-PPL-1% of A: PPL is 1 % up at a CETT of 0.087"));
    CHECK(has(out, "64.0 % of the neurons"));
    CHECK(has(out, "out/a/: report.md, sweep.svg"));
    CHECK(has(out, "out/compare/a/: report.md"));
    CHECK(lines_of(out).size() <= 26); // a screen
    CHECK(has(d.file("summary.md"), "| input |"));
    const auto json = nlohmann::json::parse(d.good("summary --out out --json"), nullptr, false);
    REQUIRE(json.is_object());
    CHECK(json.at("tolerated")[0].at("critical_sparsity") == 0.25);
    CHECK(json.at("best_rules")[0].at("ppl_ratio") == 1.0005);
}

TEST_CASE("summary: of what commands really leave") {
    const desk d;
    d.good(to_out + "--values 0.99,0.9,0.5");
    d.good(little_model + "--out out/cett cett-ppl --percent 1");
    d.good(little_model + "--out out/compare compare --few");
    const std::string out = d.good("summary --out out");
    for (const char* site : {"input", "gate", "up", "intermediate", "all_inputs"}) {
        CHECK(has(line_with(out, site), "top_p"));
    }
    CHECK(has(out, "m.bin: dropped"));
    CHECK(has(out, "CETT-PPL-1% of m.bin"));
    CHECK(has(out, "best rule"));
    CHECK(has(out, "out/compare/: report.md"));
    CHECK(!has(out, "inf"));
    CHECK(!has(out, "nan"));
}

TEST_CASE("summary: what it cannot read is said in one line") {
    const desk d;
    d.refused("summary", "summary needs --out");
    d.refused("summary --out none", "none");
    std::filesystem::create_directory(d.folder / "empty");
    d.refused("summary --out empty", "no report.json of a model in it");
    for (const char* damaged : {"", "{\"title\": ", "{]"}) {
        put_report(d, "bad/below", damaged);
        d.refused("summary --out bad", "bad/below/report.json: no JSON");
    }
}
