// Intervals and what each story adds, from outside.

#include "support_desk.hpp"

#include <cmath>
#include <map>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// A table's rows by the names of its columns.
std::vector<std::map<std::string, std::string>> named_rows(const std::vector<std::string>& lines) {
    std::vector<std::map<std::string, std::string>> rows;
    const auto names = fields_of(lines.front());
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto fields = fields_of(lines[i]);
        rows.emplace_back();
        for (std::size_t c = 0; c < names.size() && c < fields.size(); ++c) {
            rows.back()[names[c]] = fields[c];
        }
    }
    return rows;
}
bool is_figure(const std::string& field) { return !field.empty() && field != "null" && field != "nan"; }

/// Stories of words that the tokenizer knows.
void put_stories(const desk& d, std::size_t stories, const char* name = "text.txt", std::size_t shift = 0) {
    std::string text;
    for (std::size_t i = 0; i < stories; ++i) {
        for (std::size_t word = 0; word < 4 + i % 5; ++word) {
            text += pieces()[(7 * i + 5 * word + word * word + shift) % pieces().size()];
        }
        text += " the end\n<|endoftext|>\n";
    }
    put(d.folder / name, text);
}

} // namespace

TEST_CASE("a sweep has intervals around its figures, the seed's, and none where there are none to be had") {
    const desk d;
    put_stories(d, 14);
    const std::string run = to_out + "--sites input --values 0.9,0.7 ", arguments = run + "--draws 200 ";
    d.good(arguments + "--threads 1");
    const std::string results = d.file("results.csv"), critical = d.file("critical.csv");
    for (const auto& row : named_rows(d.table("results.csv"))) {
        if (row.at("site") == "input") {
            const double ratio = std::exp(std::stod(row.at("nll")) -
                                          std::stod(named_rows(d.table("results.csv"))[0].at("nll")));
            CHECK(std::stod(row.at("ppl_ratio_low")) <= ratio + 1e-5);
            CHECK(std::stod(row.at("ppl_ratio_high")) >= ratio - 1e-5);
            CHECK(std::stod(row.at("ppl_ratio_low")) < std::stod(row.at("ppl_ratio_high")));
        }
    }
    const auto ppl = named_rows(d.table("critical.csv"))[0];
    CHECK(is_figure(ppl.at("critical_sparsity_low")));
    CHECK(is_figure(ppl.at("bytes_skipped_high")));
    CHECK(has(d.file("report.md"), "200 paired bootstrap draws"));
    d.good(arguments + "--threads 3");
    CHECK(d.file("critical.csv") == critical);
    d.good(arguments + "--seed 2");
    CHECK(d.file("results.csv") != results);
    d.good(run + "--draws 0");
    CHECK(!is_figure(named_rows(d.table("critical.csv"))[0].at("critical_sparsity_low")));
    d.good(arguments + "--stories 0:5");
    CHECK(!is_figure(named_rows(d.table("critical.csv"))[0].at("critical_sparsity_low")));
    CHECK(has(d.file("report.md"), "too few"));
    desk{}.refused("--draws -1 " + little_model, "--draws");
    desk{}.refused("--seed x " + little_model, "--seed");
}

TEST_CASE("per_story.csv adds up to the rows, and per_token.csv to the stories") {
    const desk d;
    put_stories(d, 12);
    d.good(to_out + "--sites up --values 0.8 --per-token");
    for (const auto& row : named_rows(d.table("results.csv"))) {
        double nll = 0, tokens = 0, of_tokens = 0, hits = 0, hits_of_tokens = 0;
        for (const auto& story : named_rows(d.table("per_story.csv"))) {
            if (story.at("site") == row.at("site")) {
                nll += std::stod(story.at("nll_sum"));
                tokens += std::stod(story.at("tokens"));
                hits += std::stod(story.at("hits"));
            }
        }
        for (const auto& token : named_rows(d.table("per_token.csv"))) {
            if (token.at("site") == row.at("site")) {
                of_tokens += std::stod(token.at("nll"));
                const std::string& hit = token.at("hit");
                hits_of_tokens += hit == "1" || hit == "true" ? 1 : 0;
            }
        }
        CHECK(tokens == std::stod(row.at("tokens")));
        CHECK(nll / tokens == doctest::Approx(std::stod(row.at("nll"))).epsilon(1e-5));
        CHECK(hits / tokens == doctest::Approx(std::stod(row.at("top1"))).epsilon(1e-5));
        CHECK(of_tokens == doctest::Approx(nll).epsilon(1e-4));
        CHECK(hits_of_tokens == hits);
    }
    CHECK(!has(d.file("report.json"), "per_story"));
    std::filesystem::remove_all(d.folder / "out");
    d.good(to_out + "--sites up --values 0.8");
    CHECK(d.exists("per_story.csv"));
    CHECK(!d.exists("per_token.csv"));
}

TEST_CASE("a coarse grid says how coarse it is, and critical looks closer by itself") {
    const desk d;
    put_stories(d, 14);
    d.good(to_out + "sweep --sites input --values 0.3");
    const auto coarse = named_rows(d.table("critical.csv"))[0];
    const double width = std::stod(coarse.at("bracket"));
    CHECK(width > 0.3);
    CHECK(has(d.file("report.md"), "points of sparsity apart"));
    d.good(to_out + "critical --sites input --values 0.3 --bracket 0.02");
    const auto fine = named_rows(d.table("critical.csv"))[0];
    CHECK(std::stod(fine.at("bracket")) <= 0.02);
    CHECK(named_rows(d.table("results.csv")).size() > 4);
    CHECK(has(d.file("results.csv"), "\ninput,top_p,0.3,")); // the sweep's point is there
    desk{}.refused(to_out + "critical --bracket 0", "--bracket");
}

TEST_CASE("compare says which rules the text cannot tell apart") {
    const desk d;
    put_stories(d, 14);
    d.good(to_out + "compare --few --at 0.5,0.7 --draws 100");
    const auto ranking = named_rows(d.table("ranking.csv"));
    REQUIRE(ranking.size() > 6);
    std::string best;
    double before = 0;
    for (const auto& row : ranking) {
        const double ratio = std::stod(row.at("ppl_ratio"));
        if (row.at("told_apart").empty()) { // the best one
            best = row.at("method");
            before = ratio;
            CHECK(std::stod(row.at("above_best")) == 0);
            continue;
        }
        CHECK(ratio >= before);
        before = ratio;
        const bool holds_none =
            std::stod(row.at("above_best_low")) <= 0 && std::stod(row.at("above_best_high")) >= 0;
        CHECK(row.at("told_apart") == (holds_none ? "false" : "true"));
    }
    CHECK(d.table("best.csv").size() == 3);
}

TEST_CASE(
    "--sets: the critical sparsities of disjoint sets of the stories, as runs on these alone have them") {
    const desk d;
    put_stories(d, 15);
    const std::string values = " --sites input --values 0.9,0.7,0.5 ";
    d.good(to_out + "sweep --sets 3" + values);
    const auto sets = named_rows(d.table("sets.csv")), spread = named_rows(d.table("sets_spread.csv"));
    REQUIRE(sets.size() == 6);
    REQUIRE(spread.size() == 2);
    double mean = 0;
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(sets[k].at("criterion") == "PPL-1%");
        CHECK(sets[k].at("first_story") == std::to_string(5 * k));
        CHECK(sets[k].at("units") == "5");
        desk alone;
        put_stories(alone, 15);
        alone.good(to_out + "sweep" + values + app::line("--stories ", 5 * k, ':', 5 * k + 5));
        const auto critical = named_rows(alone.table("critical.csv"))[0];
        const bool reached = critical.at("reached") == "1" || critical.at("reached") == "true";
        CHECK(reached == (std::isfinite(std::strtod(sets[k].at("critical_sparsity").c_str(), nullptr)) &&
                          is_figure(sets[k].at("critical_sparsity"))));
        if (reached) {
            CHECK(std::stod(sets[k].at("critical_sparsity")) ==
                  doctest::Approx(std::stod(critical.at("critical_sparsity"))).epsilon(1e-4));
            mean += std::stod(sets[k].at("critical_sparsity")) / 3;
        }
    }
    if (is_figure(spread[0].at("mean"))) {
        CHECK(std::stod(spread[0].at("mean")) == doctest::Approx(mean).epsilon(1e-4));
    }
    desk{}.refused(to_out + "critical --sets 0", "--sets");
    desk{}.refused(to_out + "critical --sets 9", "--sets 9: text.txt has 3 stories");
}
