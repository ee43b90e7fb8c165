// The other commands from outside: what they say of a little model, and how they refuse.

#include "support_columns.hpp"
#include "support_desk.hpp"
#include "support_json.hpp"

#include <cmath>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// Stories enough for a calibration.
void put_long_text(const desk& d) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
        for (int word = 0; word < 10; ++word) {
            text += pieces()[static_cast<std::size_t>(7 * i + 5 * word + word * word) % pieces().size()];
        }
        text += "the end\n<|endoftext|>\n";
    }
    put(d.folder / "text.txt", text);
}

} // namespace

TEST_CASE("critical: each site's critical sparsity by every criterion") {
    const desk d;
    const std::string out = d.good(
        to_out + "critical --sites input,intermediate --values 0.99,0.9,0.5 --tasks tasks.tsv --bracket 1");
    CHECK(has(out, "Critical sparsity of m.bin"));
    const auto rows = d.table("critical.csv");
    REQUIRE(rows.size() == 1 + 2 * 5);
    const auto figures = column_of(d, "critical.csv", "critical_sparsity"),
               reasons = column_of(d, "critical.csv", "reason");
    CHECK(rows[6].starts_with("intermediate,top_p,PPL-1%,"));
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const std::string figure = figures[i - 1], reason = reasons[i - 1];
        // A question each, and a text of a few tokens: PPL alone is decided. A dense model that gets nothing right has no ratio.
        CHECK(figure.empty() ==
              (has(reason, "there is no ratio to it") || reason == "not decided: too small a sample"));
        CHECK(figure.empty() == !has(rows[i], ",PPL-1%,"));
        if (!figure.empty()) {
            CHECK(std::stod(figure) >= 0);
            CHECK(std::stod(figure) <= 1);
            CHECK(reason.empty());
        }
    }
    CHECK(d.table("spread.csv").size() == 3);
    CHECK(d.table("results.csv").size() == 2 + 2 * 3);
    d.check_picture("sweep");
    d.check_nothing_half_written();

    // The same sweep says the same.
    const std::string critical = d.file("critical.csv"), results = d.file("results.csv");
    d.good(to_out + "sweep --sites input,intermediate --values 0.99,0.9,0.5 --tasks tasks.tsv");
    CHECK(d.file("critical.csv") == critical);
    CHECK(d.file("results.csv") == results);
}

TEST_CASE("critical: the paper's values, unless others are given; a rule's own where these do not fit") {
    const desk d;
    CHECK(parsed(d.good(little_model + "critical --sites up --json --bracket 1")).at("results").size() == 27);
    CHECK(parsed(d.good(little_model + "critical --sites up --rule threshold --json --bracket 1"))
              .at("results")
              .size() == 8);
}

TEST_CASE("calibrate: CETT's thresholds meet the target layer by layer, and are kept") {
    const desk d;
    put_long_text(d);
    d.good(to_out + "calibrate --target 0.2 --stories 0:8 --check-stories 8:");
    const auto rows = d.table("thresholds.csv");
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].starts_with("layer,site,rule,value,mask_sparsity,cett_of_layer,cett,cett_on_other_text,"));
    for (std::size_t l = 0; l < 2; ++l) {
        const auto fields = fields_of(rows[1 + l]);
        CHECK(fields[0] == std::to_string(l));
        CHECK(fields[1] == "intermediate");
        CHECK(fields[2] == "cett");
        CHECK(std::stod(fields[5]) <= 0.2 + 1e-6);
        CHECK(std::stod(fields[5]) > 0.2 - 0.01);
        CHECK(std::stod(fields[7]) == doctest::Approx(0.2).epsilon(0.5)); // other stories: near it
    }
    CHECK(fields_of(rows[1])[5] == fields_of(rows[1])[6]); // the first layer's input is the dense model's

    const json kept = parsed(d.file("thresholds.json"));
    CHECK(kept.at("model") == "m.bin");
    CHECK(kept.at("kind") == "cett");
    CHECK(kept.at("target") == 0.2);
    CHECK(kept.at("layers") == 2);
    CHECK(kept.at("stories") == "0:8");
    CHECK(kept.at("weights").get<std::string>().size() == std::string{"sha256:"}.size() + 64);
    CHECK(has(kept.at("criterion"), "mean CETT"));
    CHECK(kept.at("attained").get<double>() == doctest::Approx(0.2).epsilon(0.05));
    REQUIRE(kept.at("rules").size() == 2);
    CHECK(kept.at("rules")[1].at("value").get<double>() == std::stod(fields_of(rows[2])[3])); // to the bit

    const auto effect = d.table("effect.csv");
    REQUIRE(effect.size() == 3);
    CHECK(effect[1].starts_with("calibration,"));
    CHECK(effect[2].starts_with("other,"));
    CHECK(has(d.file("report.md"), "The thresholds are in thresholds.json."));
    d.check_nothing_half_written();
}

TEST_CASE("calibrate: CATS drops the target's share at the gate in the first layer") {
    const desk d;
    put_long_text(d);
    d.good(to_out + "calibrate --method cats --target 0.6");
    const auto rows = d.table("thresholds.csv");
    REQUIRE(rows.size() == 3);
    CHECK(fields_of(rows[1])[1] == "gate");
    CHECK(fields_of(rows[1])[2] == "threshold");
    CHECK(std::stod(fields_of(rows[1])[4]) == doctest::Approx(0.6).epsilon(0.005));
    CHECK(std::stod(fields_of(rows[2])[4]) == doctest::Approx(0.6).epsilon(0.2)); // behind a masked layer
    CHECK(fields_of(rows[1])[7].empty());                                         // no other text
    CHECK(d.table("effect.csv").size() == 2);
    CHECK(parsed(d.file("thresholds.json")).at("kind") == "cats");
}

TEST_CASE("calibrate: TEAL has budgets a layer, and rules at the input and the intermediate") {
    const desk d;
    put_long_text(d);
    d.good(to_out + "calibrate --method teal"); // the target is 0.5
    const auto budgets = d.table("budgets.csv");
    REQUIRE(budgets.size() == 3);
    CHECK(budgets[0].starts_with("layer,input,intermediate,gate,up,down,"));
    for (std::size_t l = 1; l < 3; ++l) {
        const auto b = fields_of(budgets[l]);
        CHECK(2 * std::stod(b[1]) + std::stod(b[2]) == doctest::Approx(1.5).epsilon(0.05));
        CHECK(std::stod(b[3]) + std::stod(b[4]) + std::stod(b[5]) == doctest::Approx(1.5).epsilon(0.05));
    }
    const auto rows = d.table("thresholds.csv");
    REQUIRE(rows.size() == 5);
    CHECK(rows[1].starts_with("0,input,threshold,"));
    CHECK(rows[4].starts_with("1,intermediate,threshold,"));
    CHECK(fields_of(rows[1])[5].empty()); // a mask of inputs has no CETT
    CHECK(std::stod(fields_of(rows[1])[4]) ==
          doctest::Approx(std::stod(fields_of(budgets[1])[1])).epsilon(0.02));
    CHECK(parsed(d.file("thresholds.json")).at("rules").size() == 4);
    CHECK(std::stod(fields_of(d.table("effect.csv")[1])[5]) == doctest::Approx(0.5).epsilon(0.1)); // bytes
}

TEST_CASE("calibrate: figures do not depend on the threads, and JSON says them all") {
    const desk d;
    put_long_text(d);
    for (const std::string method : {"cett", "teal", "cats"}) {
        const std::string arguments = little_model + "calibrate --json --target 0.3 --method " + method;
        const std::string one = d.good(arguments + " --threads 1");
        CHECK(figures_of(d.good(arguments + " --threads 3")) == figures_of(one));
        const json found = parsed(one);
        CHECK(found.at("title") == "Thresholds by " + method + " of m.bin");
        CHECK(found.at("thresholds")[0].at("value").is_number_float());
        CHECK(found.at("thresholds")[0].at("cett_on_other_text").is_null());
    }
}

TEST_CASE("cett-ppl: the CETT at which PPL has risen by so much, with the search that found it") {
    const desk d;
    put_long_text(d);
    d.good(to_out + "cett-ppl --percent 5");
    const auto found = d.table("cett_ppl.csv");
    REQUIRE(found.size() == 2);
    CHECK(found[0].starts_with("percent,cett,ppl_ratio,activation_ratio,mask_sparsity,bytes_skipped,"));
    const auto fields = fields_of(found[1]);
    const double ratio = std::stod(fields[2]);
    CHECK(ratio <= 1.05 + 1e-6);
    const bool converged = ratio >= 1.05 - 0.0002 - 1e-6;
    CHECK(has(d.file("report.md"), "The search ended before") == !converged);
    CHECK(std::stod(fields[3]) + std::stod(fields[4]) == doctest::Approx(1).epsilon(1e-5));

    const auto steps = d.table("steps.csv");
    CHECK(steps.size() > 2);
    CHECK(steps.size() <= 22);
    CHECK(steps[0].starts_with("step,cett,nll,ppl_ratio,within,"));
    CHECK(steps[1].starts_with("1,0.500000,"));

    const auto layers = d.table("layers.csv");
    REQUIRE(layers.size() == 3);
    const json kept = parsed(d.file("thresholds.json"));
    CHECK(kept.at("kind") == "cett_ppl");
    CHECK(kept.at("target").get<double>() == doctest::Approx(std::stod(fields[1])).epsilon(1e-5)); // the CETT
    CHECK(kept.at("criterion") == "PPL at most 1.05 times the dense model's");
    CHECK(kept.at("attained").get<double>() == doctest::Approx(ratio).epsilon(1e-5));
    CHECK(kept.at("rules")[1].at("value").get<double>() == std::stod(fields_of(layers[2])[1]));
    d.check_picture("layers");
    d.check_nothing_half_written();
}

TEST_CASE("compare: PPL at equal sparsity for every method, a dash where its rows do not reach") {
    const desk d;
    put_long_text(d);
    const json found = parsed(d.good(to_out + "compare --at 0.5,0.25 --json"));
    const auto& rows = found.at("compare");
    std::string names = ";";
    for (const auto& row : rows) {
        names += row.at("method").get<std::string>() + ';';
        CHECK(row.size() == 5);
        CHECK(row.at("ppl_ratio_at_0.25").is_number());
    }
    for (const std::string method : {"cett", "top_k |gate|", "fat_eps |gate|", "cats |gate|", "top_p |i|",
                                     "top_k |i|", "threshold |i|", "max_p |i|"}) {
        CHECK(has(names, ";" + method + ";"));
    }
    CHECK(found.at("compare_rows").size() > 100);
    for (const auto& row : found.at("compare_rows")) {
        const double sparsity = row.at("mask_sparsity").get<double>();
        CHECK(sparsity >= 0);
        CHECK(sparsity <= 1);
    }
    CHECK(has(d.file("report.md"), "| top_k \\|gate\\| |"));
    d.check_picture("compare");

    CHECK(has(d.good(little_model + "compare --at 0.9999"), "-"));
    CHECK(parsed(d.good(little_model + "compare --at 1 --json"))
              .at("compare")[0]
              .at("ppl_ratio_at_1")
              .is_null());
}

TEST_CASE("compare: predictors are methods, too, and a table says how well they guess") {
    const desk d;
    for (const std::string sigma : {"silu", "relu"}) {
        const json found = parsed(d.good(little_model + "compare --json --activation " + sigma));
        std::size_t low_rank = 0, sign_bits = 0;
        for (const auto& row : found.at("compare_rows")) {
            low_rank += row.at("method") == "low_rank 2" ? 1 : 0;
            sign_bits += row.at("method") == "sign_bits" ? 1 : 0;
        }
        CHECK(low_rank == 10);
        CHECK(sign_bits == (sigma == "relu" ? 11 : 0)); // they guess gates at or below zero
        CHECK(found.at("predictors").size() == low_rank + sign_bits);
        for (const auto& row : found.at("predictors")) {
            const bool of_rank = row.at("predictor") == "low_rank 2";
            CHECK(row.at("cost").get<double>() ==
                  doctest::Approx(of_rank ? 2 * (16 + 40) / 640.0 : 40 * 8 / 2560.0));
            for (const char* share : {"predicted", "active", "recall", "precision", "weighted_recall"}) {
                CHECK(row.at(share).get<double>() >= 0);
                CHECK(row.at(share).get<double>() <= 1);
            }
        }
    }
}

TEST_CASE("compare: --methods takes some of them") {
    const desk d;
    const json found =
        parsed(d.good(little_model + "compare --few --methods low_rank,top_k,top_k_gate --json"));
    std::string names;
    for (const auto& row : found.at("compare")) {
        names += row.at("method").get<std::string>() + ';';
    }
    CHECK(names == "top_k |gate|;top_k |i|;low_rank 2;");
    d.refused(to_out + "compare --methods top_l",
              "--methods: unknown method \"top_l\"; did you mean top_p? (there are cett, ");
}

TEST_CASE("a misspelt word is told which was meant") {
    const desk d;
    d.refused(to_out + "--vlaues 0.9", "did you mean --values?");
    d.refused(to_out + "compare --method cett", "--method is an option of calibrate");
    d.refused(to_out + "critcal", "did you mean critical?");
    d.refused(to_out + "--sites intermediat", "did you mean intermediate?");
    d.refused(to_out + "--sites all-inputs", "did you mean all_inputs?");
    d.refused(to_out + "--rule topp", "did you mean top_p?");
    d.refused(to_out + "--activation sliu", "did you mean silu?");
    const outcome o = d.run(to_out + "--sites qqqqqqqq");
    CHECK(!has(o.err, "did you mean"));
}

TEST_CASE("each command's help names the options of all, the sites and the rules") {
    const desk d;
    for (const std::string command : {"sweep", "critical", "calibrate", "cett-ppl", "compare", "precision",
                                      "laws", "neurons", "summary"}) {
        const std::string help = d.good(command + " --help");
        for (const char* common :
             {"--checkpoint", "--out", "--json", "--details", "--stories", "--threads"}) {
            CHECK_MESSAGE(has(help, common), command, ": ", common);
        }
    }
    const std::string help = d.good("sweep --help");
    CHECK(has(help, "all_inputs:"));
    CHECK(has(help, "the kept share of the entries")); // top_k's
    CHECK(has(help, "1,0.9,0.8,0.7,0.6,0.5,0.4,0.3"));
}

TEST_CASE("wrong options of a command are refused in one line") {
    const desk d;
    d.refused(to_out + "--layers some", "--layers: unknown choice \"some\" (there are all, each)");
    d.refused(to_out + "calibrate --method magic",
              "--method: unknown method \"magic\" (there are cett, teal, cats)");
    d.refused(to_out + "calibrate --target 1.5", "--target: 1.5 is not within 0 .. 1");
    d.refused(to_out + "calibrate --target x", "--target: \"x\" is no number");
    d.refused(to_out + "calibrate --check-stories 2:9", "(text.txt has 3 stories)");
    d.refused(to_out + "calibrate --check-text none", "none: no such file");
    d.refused(to_out + "cett-ppl --percent 0", "--percent: 0 is not within");
    d.refused(to_out + "cett-ppl --percent -1", "--percent: -1 is not within");
    d.refused(to_out + "cett-ppl --percent nan", "--percent: \"nan\" is no number");
    d.refused(to_out + "compare --at 0.5,2", "--at: 2 is not within 0 .. 1");
    d.refused(to_out + "compare --at ''", "--at: \"\" is no number");
    d.refused(to_out + "critical --sites down", "unknown site \"down\"");
    d.refused(to_out + "critical --values 2", "outside the domain of top_p");
    d.refused(to_out + "critical --rule threshold --values paper", "\"paper\" is no number");
    d.refused(to_out + "critical --layers each", "--layers: an option of sweep, not of critical");
    d.refused(to_out + "--sites up critical", "--sites: an option of sweep, not of critical");
    d.refused(to_out + "compare --values 0.9", "--values: an option of sweep, not of compare");
    d.refused(to_out + "sweep --at 0.9", "--at");
    d.refused(to_out + "sweep compare", "compare");
    d.refused(to_out + "precisely", "precisely");
    d.refused("cett-ppl --checkpoint m.bin --out out", "--tokenizer is needed");
    d.refused("compare --out m.bin " + little_model, "m.bin");
    d.refused(to_out + "--json --csv critical", "--json and --csv");
    d.refused("--embedded nothing --out out critical", "");
    d.refused(to_out + "--embedded reglu compare", "--embedded");
}
