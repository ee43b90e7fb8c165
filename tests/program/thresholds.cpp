#include "measure/thresholds.hpp"

#include "output/files.hpp"
#include "support_study.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace study_test;

namespace {

/// A calibration with numbers that have no short decimal form.
app::study::calibration some_calibration(const app::subject& s) {
    app::study::calibration c = app::new_calibration(s, "cett", 0.1);
    c.rules = app::study::rules_for(tamis::site::intermediate, "cett", std::vector{1.0 / 3, 0.1f * 0.7});
    return c;
}

} // namespace

TEST_CASE("a calibration says which subject it is of") {
    const little_study little;
    const auto c = app::new_calibration(little.s, "teal", 0.5);
    CHECK(c.model == "little");
    CHECK(c.source == "text text.txt, hash 0123");
    CHECK(c.kind == "teal");
    CHECK(c.target == 0.5);
    CHECK(c.tokens == little.s.predictions());
    CHECK(c.layers == 2);
    CHECK(c.rules.empty());
}

TEST_CASE("a calibration comes back from its file to the last bit") {
    const little_study little;
    const temporary_folder folder;
    const auto c = some_calibration(little.s);
    const auto path = folder / "thresholds.json";
    app::write_file(path, app::text_of(c));
    CHECK(app::read_calibration(path.string(), 2) == c);

    const auto norms = app::neuron_norms_of(little.s.model);
    const auto written = app::calibrated_condition(c, norms);
    const auto read = app::calibrated_condition(app::read_calibration(path.string(), 2), norms);
    CHECK(words_of(little.run(written)) == words_of(little.run(read)));
    CHECK(words_of(little.run(read)) ==
          words_of(little.run(app::cett_condition(norms, {c.rules[0].value, c.rules[1].value}, 0.1))));
}

TEST_CASE("a condition is named by its sites, in their order, and its kind") {
    const little_study little;
    auto c = some_calibration(little.s);
    const auto input = app::study::rules_for(tamis::site::input, "threshold", std::vector{0.5, 0.6});
    c.rules.insert(c.rules.end(), input.begin(), input.end());
    const auto norms = app::neuron_norms_of(little.s.model);
    const auto condition = app::calibrated_condition(c, norms);
    CHECK(condition.site == "input+intermediate");
    CHECK(condition.rule == "cett");
    CHECK(condition.value == "0.1");
    CHECK(condition.number == 0.1);
    CHECK(!condition.dense());
    CHECK(condition.plan.at(0, tamis::site::input) != nullptr);
    CHECK(condition.plan.at(0, tamis::site::gate) == nullptr);
    CHECK(condition.plan.at(1, tamis::site::intermediate) != nullptr);
}

TEST_CASE("a file that is no calibration of the model is refused in one line with its name") {
    const little_study little;
    const temporary_folder folder;
    const std::string path = (folder / "t.json").string();
    const std::string good = app::text_of(some_calibration(little.s));
    const auto refusal = [&](const std::string& text, std::size_t layers = 2) {
        app::write_file(path, text);
        const std::string why = error_of([&] { app::read_calibration(path, layers); });
        CHECK(why.starts_with(path + ": "));
        CHECK(!has(why, "\n"));
        return why.substr(std::min(why.size(), path.size() + 2));
    };
    CHECK(refusal(good, 5) == "a calibration of 2 layers; the model has 5");
    for (const std::string& text : {std::string{}, std::string{"some prose"}, std::string{"[1, 2]"},
                                    std::string{"{}"}, good.substr(0, good.size() / 2)}) {
        CAPTURE(text);
        CHECK(!refusal(text).empty());
    }
    const auto with = [&](std::string text, const std::string& from, const std::string& to) {
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    CHECK(has(refusal(with(good, "intermediate", "cellar")), "cellar"));
    CHECK(has(refusal(with(good, "\"rule\": \"cett\"", "\"rule\": \"sett\"")), "sett"));
    CHECK(has(refusal(with(good, "0.333", "-0.333")), "-0.333"));
    auto empty = some_calibration(little.s);
    empty.rules.clear();
    CHECK(refusal(app::text_of(empty)) == "'rules' is empty: there is nothing to measure");
    CHECK(error_of([] { app::read_calibration("none.json", 2); }) == "none.json: no such file");
}
