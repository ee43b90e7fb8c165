#include <tamis/study/calibrate/rules_as_text.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("a calibration's rules are read from text") {
    using namespace tamis::study;
    using tamis::site;
    const rules_as_text read = read_calibrated_rules("top_k=32@gate;top_p=0.9@input,intermediate;nonzero@up");
    CHECK(read.error == "");
    REQUIRE(read.rules.size() == 4);
    CHECK(read.rules[0] == calibrated_rule{0, site::input, "top_p", 0.9});
    CHECK(read.rules[1] == calibrated_rule{0, site::gate, "top_k", 32});
    CHECK(read.rules[2] == calibrated_rule{0, site::up, "nonzero", 0});
    CHECK(read.rules[3] == calibrated_rule{0, site::intermediate, "top_p", 0.9});
    CHECK(read_calibrated_rules("").rules.empty());
    CHECK(read_calibrated_rules("max_p=0").rules[0] == calibrated_rule{0, site::intermediate, "max_p", 0});
    CHECK(read_calibrated_rules("max_p=1", site::input).rules[0].where == site::input);
    CHECK(read_calibrated_rules("channel_thresholds@gate", site::input, true).error == "");

    const auto says = [](const char* text, const char* what) {
        const std::string error = read_calibrated_rules(text).error;
        return error.find(what) != std::string::npos &&
               error.find(std::string{text}.substr(0, 60)) != std::string::npos;
    };
    CHECK(says("top_q=1", "there is no rule 'top_q'"));
    CHECK(says("top_q", "there is no rule 'top_q'"));
    CHECK(says("top_p", "'' is no number"));
    CHECK(says("top_p=", "'' is no number"));
    CHECK(says("top_p=0.9x", "'0.9x' is no number"));
    CHECK(says("top_p=0,9", "'0,9' is no number"));
    CHECK(says("top_p=nan", "the value of top_p must be in [0, 1], got nan"));
    CHECK(says("top_p=2", "must be in [0, 1], got 2"));
    CHECK(says("top_k=.5", "must be a whole number"));
    CHECK(says("nonzero=1", "nonzero takes no number"));
    CHECK(says("cett=0.1@gate", "cett belongs at the intermediate"));
    CHECK(says("channel_thresholds", "needs a value for each channel"));
    CHECK(says("top_p=0.9@down", "there is no site 'down'"));
    CHECK(says("top_p=0.9;max_p=0.1", "two rules at intermediate"));
    CHECK(says("@input", "a rule is missing"));
    CHECK(says("top_p=2@up;top_q=1@gate", "there is no rule 'top_q'")); // the first site's
}
