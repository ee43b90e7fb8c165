// The command sweep from outside: what it writes and prints.

#include "support_columns.hpp"
#include "support_desk.hpp"
#include "support_json.hpp"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

using namespace study_test;

namespace {

const std::string head =
    "site,rule,value,tokens,nll,ppl,ppl_ratio,ppl_ratio_low,ppl_ratio_high,top1,top1_agreement,"
    "top1_agreement_low,top1_agreement_high,kl,kl_low,kl_high,ppl_second_halves,mask_sparsity,bytes_skipped,"
    "model,reason";
using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a sweep writes tables, a report and pictures or their scripts") {
    const desk d;
    const std::string out = d.good(to_out + "--sites input,up --values 0.9,0.99 --tasks tasks.tsv");
    CHECK(has(out, "critical sparsity"));
    CHECK(has(out, "Written to out"));
    CHECK(has(out, "gnuplot is missing") == !gnuplot_there());

    const auto results = d.table("results.csv");
    REQUIRE(results.size() == 6);
    CHECK(results[0] == head);
    const strings starts{"dense,,,", "input,top_p,0.99,", "input,top_p,0.9,", "up,top_p,0.99,",
                         "up,top_p,0.9,"};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(results[i + 1].starts_with(starts[i]));
        const auto fields = fields_of(results[i + 1]);
        REQUIRE(fields.size() == 21);
        CHECK(fields[3] == fields_of(results[1])[3]); // predictions
        CHECK(std::stod(fields[5]) == doctest::Approx(std::exp(std::stod(fields[4]))).epsilon(1e-5));
    }
    const auto sparsity = column_of(d, "results.csv", "mask_sparsity"),
               ratios = column_of(d, "results.csv", "ppl_ratio");
    CHECK(sparsity[0] == "0.000000");
    CHECK(ratios[0] == "1.000000");
    CHECK(std::stod(sparsity[2]) > std::stod(sparsity[1])); // smaller p, more dropped

    const auto tasks = d.table("tasks.csv");
    REQUIRE(tasks.size() == 1 + 5 * 2);
    CHECK(tasks[0] ==
          "site,rule,value,task,questions,accuracy,mask_sparsity,bytes_skipped,chance,model,reason");
    CHECK(tasks[10].starts_with("up,top_p,0.9,b,1,"));

    const auto critical = d.table("critical.csv");
    REQUIRE(critical.size() == 1 + 2 * 5);
    const auto text = column_of(d, "critical.csv", "kept_value"),
               at = column_of(d, "critical.csv", "critical_value");
    CHECK(text.size() == 10);
    for (const std::string& value : at) {
        CHECK((value.empty() || (std::stod(value) >= 0.9 && std::stod(value) <= 0.99)));
    }
    CHECK(critical[1].starts_with("input,top_p,PPL-1%,"));
    CHECK(critical[4].starts_with("input,top_p,task b 99%,false,,,,,,,")); // the dense model's accuracy is 0
    CHECK(has(critical[4], "the dense model answers no question"));
    CHECK(critical[10].starts_with("up,top_p,tasks averaged 99%,"));
    CHECK(d.table("spread.csv").size() == 3);

    const auto layers = d.table("layers.csv");
    REQUIRE(layers.size() == 1 + 4 * 2);
    CHECK(layers[0] == "site,rule,value,layer,mask_sparsity,model,reason");
    CHECK(layers[8].starts_with("up,top_p,0.9,1,"));

    const std::string report = d.file("report.md");
    CHECK(report.starts_with("# Activation sparsity of m.bin\n"));
    for (const char* part : {"PPL-1%", "top-1 99%", "task a 99%", "tasks averaged 99%", "2 layers, width 16",
                             "ppl/dense", "Critical sparsity", "3 stories"}) {
        CHECK(has(report, part));
    }
    d.check_picture("sweep");
    d.check_picture("layers");
    CHECK(has(d.file("sweep.gp"), "multiplot"));
    d.check_nothing_half_written();
}

TEST_CASE("without tasks there are no tables of tasks") {
    const desk d;
    d.good(to_out + "--sites up --values 0.9");
    CHECK(!d.exists("tasks.csv"));
    CHECK(!d.exists("spread.csv"));
    CHECK(d.table("critical.csv").size() == 3);
    CHECK(!has(d.file("report.md"), "tasks averaged"));
}

TEST_CASE("nothing is written without --out") {
    const desk d;
    CHECK(has(d.good(little_model + "--sites up --values 0.9"), "critical sparsity"));
    CHECK(std::distance(std::filesystem::directory_iterator{d.folder.path()}, {}) == 4 + 2); // and the logs
}

TEST_CASE(
    "the command may be named before and behind the options, and the figures do not depend on threads") {
    const desk d;
    d.good("sweep " + to_out + "--values 0.8 --threads 1 --tasks tasks.tsv");
    const std::string results = d.file("results.csv"), tasks = d.file("tasks.csv"),
                      json = d.file("report.json");
    CHECK(lines_of(results).size() == 7);
    d.good(to_out + "--values 0.8 --threads 3 --tasks tasks.tsv sweep");
    CHECK(d.file("results.csv") == results);
    CHECK(d.file("tasks.csv") == tasks);
    CHECK(figures_of(d.file("report.json")) == figures_of(json));
    d.good(to_out + "--tasks tasks.tsv --threads 2 sweep --values 0.8");
    CHECK(d.file("results.csv") == results);
}

TEST_CASE("every rule sweeps from its dense end") {
    const desk d;
    for (const std::string rule : {"top_p", "top_k", "max_p", "threshold", "top_p_energy", "guarded_top_p"}) {
        const auto rows = lines_of(d.good(little_model + "--csv --sites intermediate --rule " + rule));
        REQUIRE(rows.size() > 5);
        const auto names = fields_of(rows[0]);
        const auto sparsity_at =
            static_cast<std::size_t>(std::find(names.begin(), names.end(), "mask_sparsity") - names.begin());
        double before = -1;
        for (std::size_t i = 1; i < rows.size(); ++i) {
            const double sparsity = std::stod(fields_of(rows[i])[sparsity_at]);
            CHECK(sparsity >= before);
            before = sparsity;
        }
        CHECK(before > 0.1);
        CHECK(fields_of(rows[2])[4] == fields_of(rows[1])[4]); // the first value keeps all
    }
}

TEST_CASE("--values paper takes 26") {
    const desk d;
    CHECK(lines_of(d.good(little_model + "--csv --sites up --values paper")).size() == 2 + 26);
}

TEST_CASE("--csv prints the main table and nothing else") {
    const desk d;
    const std::string csv = d.good(to_out + "--csv --sites up --values 0.9");
    CHECK(csv == d.file("results.csv"));
    CHECK(csv.starts_with(head + "\ndense,,,"));
}

TEST_CASE("--json prints one object that can be read, with numbers as numbers") {
    const desk d;
    const std::string text = d.good(to_out + "--json --sites up,input --values 0.9 --tasks tasks.tsv");
    CHECK(text == d.file("report.json"));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    REQUIRE(json.is_object());
    CHECK(json.at("title") == "Activation sparsity of m.bin");
    const auto& results = json.at("results");
    REQUIRE(results.size() == 3);
    CHECK(results[0].at("site") == "dense");
    CHECK(results[2].at("value") == 0.9);
    CHECK(results[0].at("value").is_null());
    CHECK(results[0].at("rule").is_null());
    for (const auto& row : results) {
        CHECK(row.size() == 21);
        CHECK(row.at("model") == "m.bin");
        CHECK(row.at("tokens").is_number_unsigned());
        for (const char* figure : {"nll", "ppl", "top1", "mask_sparsity", "bytes_skipped"}) {
            CHECK(row.at(figure).is_number_float());
        }
    }
    CHECK(json.at("tasks").size() == 6);
    CHECK(json.at("critical")[0].at("reached").is_boolean());
    CHECK(json.at("layers").size() == 4);
}

TEST_CASE("--json of several models is one array") {
    const desk d;
    const outcome o = d.run("--json --stories 0:1 --questions 1 --sites intermediate --values 0.9");
    if (o.code == 2) {
        MESSAGE("skipped: this build has no embedded models");
        return;
    }
    const auto json = nlohmann::json::parse(o.out, nullptr, false);
    REQUIRE(json.is_array());
    REQUIRE(json.size() == 2);
    CHECK(json[0].at("title") != json[1].at("title"));
    const auto one = figures_of(
        d.good("--json --embedded reglu --stories 0:1 --questions 1 --sites intermediate --values 0.9"));
    CHECK(one == figures_of(o.out)[1]);
}

TEST_CASE("--layers each masks one layer at a time") {
    const desk d;
    d.good(to_out + "--layers each --sites up,all_inputs --values 0.95,0.5 --tasks tasks.tsv");
    const auto rows = d.table("single_layers.csv");
    REQUIRE(rows.size() == 1 + 2 * 2 * 2);
    CHECK(rows[0] == "site,layer,rule,value,nll,ppl_ratio,layer_sparsity,model,reason");
    CHECK(rows[1].starts_with("up,0,top_p,0.95,"));
    CHECK(rows[2].starts_with("up,0,top_p,0.5,"));
    CHECK(rows[3].starts_with("up,1,top_p,0.95,"));
    CHECK(rows[8].starts_with("all_inputs,1,top_p,0.5,"));
    CHECK(rows[2].substr(20) != rows[4].substr(20));
    d.check_picture("single_layers_up");
    d.check_picture("single_layers_all_inputs");
    CHECK(has(d.file("report.md"), "One layer at a time"));
    CHECK(!d.exists("tasks.csv"));
    d.check_nothing_half_written();
}

TEST_CASE("a criterion that the questions are too few for has no figures") {
    const desk d;
    d.good(to_out + "--sites up --values 0.9 --tasks tasks.tsv"); // one question a task
    const auto critical = d.table("critical.csv");
    REQUIRE(critical.size() == 6);
    const auto figures = column_of(d, "critical.csv", "critical_sparsity");
    CHECK(!figures[0].empty()); // PPL is told by any text
    CHECK(has(critical[3], "up,top_p,task a 99%,"));
    bool any_undefined = false; // a task that the dense model never answers has no ratio, whatever its size
    for (std::size_t i = 3; i < 6; ++i) {
        const bool undefined = has(critical[i], "there is no ratio to it");
        any_undefined = any_undefined || undefined;
        CHECK_MESSAGE(figures[i - 1].empty(), critical[i]);
        CHECK_MESSAGE(undefined != critical[i].ends_with(",not decided: too small a sample"), critical[i]);
    }
    CHECK(has(d.table("spread.csv")[1], ",,,,,m.bin,"));
    CHECK(d.table("spread.csv")[1].ends_with(any_undefined ? "tasks have no critical sparsity"
                                                           : "not decided: too small a sample"));
    CHECK(has(d.file("report.md"), "not decided: too small a sample"));
    std::string many; // of 150 questions one is less than 1 %, if 100 are answered
    for (int i = 0; i < 150; ++i) {
        many += "a\tthe\t0\t cat\t and\n";
    }
    put(d.folder / "many.tsv", many);
    d.good(to_out + "--sites up --values 0.9 --tasks many.tsv");
    const auto tasks = d.table("tasks.csv");
    const bool right = has(tasks[1], ",1.000000,");
    CHECK(column_of(d, "critical.csv", "critical_sparsity")[2].empty() == !right);
}

TEST_CASE("--no-tasks leaves the questions out") {
    const desk d;
    d.good(to_out + "--sites up --values 0.9 --tasks tasks.tsv --no-tasks");
    CHECK(!d.exists("tasks.csv"));
    CHECK(d.table("critical.csv").size() == 3);
}
