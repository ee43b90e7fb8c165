#include <tamis/text_rule.hpp>

#include "support/generate.hpp"

#include <tamis/any_selector.hpp>
#include <tamis/rule/cett.hpp>
#include <tamis/rule/selectors.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

// A rule in words gives the masks of the rule itself.

namespace {

struct text_rule_pair {
    const char* text;
    tamis::any_selector same;
};

bool text_rule_agrees(const tamis::text_rule& read, const tamis::any_selector& same,
                      const std::vector<float>& values) {
    tamis::mask made{values.size()};
    tamis::owned_workspace memory{tamis::selection_bytes(read, values.size())}; // enough, or it is refused
    tamis::select(read, values, made.span(), memory);
    return made == tamis::select(same, values);
}
std::string text_rule_error(const std::string& text, std::span<const float> numbers = {}) {
    const tamis::rule_reading r = tamis::read_rule(text, numbers);
    REQUIRE(static_cast<bool>(r) == r.error.empty());
    return r.error;
}
bool text_rule_says(const std::string& error, const char* what) {
    return error.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("a rule that is read gives the masks of the rule that it names") {
    using namespace tamis;
    std::vector<float> numbers;
    engine random{5};
    for (int i = 0; i < 300; ++i) {
        numbers.push_back(static_cast<float>(below(random, 100)) / 64.0f);
    }
    const text_rule_pair pairs[]{
        {"top_p=0.9", top_p{0.9}},
        {"top_k=17", top_k{17}},
        {"top_k_fraction=.29", top_k::fraction(.29)},
        {"top_k_dropping=.9", top_k::dropping(.9)},
        {" max_p = 0.1 ", max_p{0.1}},
        {"threshold=1e-1", threshold{0.1}},
        {"threshold_above=0.5", threshold::above(0.5)},
        {"nonzero", nonzero{}},
        {"tail_budget=3", tail_budget{3}},
        {"guarded(64):top_p=0.9", guarded{64, top_p{0.9}}},
        {"guarded_top_p=0.9", guarded{64, top_p{0.9}}},
        {"at_least(40):threshold=1", at_least{40, threshold{1}}},
        {"at_most(40):(top_p=0.9 & threshold=.1)", at_most{40, top_p{0.9} & threshold{.1}}},
        {"top_p=.2 | top_k=3 & max_p=.5", top_p{.2} | (top_k{3} & max_p{.5})},
        {"power(2):top_p=0.9", scored{power{2}, top_p{0.9}}},
        {"top_p_energy=0.9", scored{power{2}, top_p{0.9}}},
        {"weighted:top_p=0.9", scored{weighted{numbers}, top_p{0.9}}},
        {"cett=0.25", cett(numbers, 0.25)},
        {"centred(0.5):guarded(8):top_p=.8", scored{centred{0.5}, guarded{8, top_p{.8}}}},
        {"channel_thresholds", channel_thresholds{numbers}},
        {"grouped_norm(32):top_k=2", grouped{32, group_norm{}, top_k{2}}},
        {"grouped_sum(7):top_p=.6", grouped{7, group_sum{}, top_p{.6}}},
        {"grouped_largest(64):top_k_fraction=.5", grouped{64, group_largest{}, top_k::fraction(.5)}},
        {"cett=.25 & top_p=.99", cett(numbers, 0.25) & top_p{.99}},
        {"(channel_thresholds | power(2):top_p=.5) & threshold=.2",
         (channel_thresholds{numbers} | scored{power{2}, top_p{.5}}) & threshold{.2}}};
    for (const text_rule_pair& p : pairs) {
        CAPTURE(p.text);
        const rule_reading r = read_rule(p.text, numbers);
        REQUIRE(r.error == "");
        for (const shape s : {shape::normal, shape::levels, shape::outlier, shape::specials}) {
            CHECK(text_rule_agrees(*r.value, p.same, generate<float>(s, 300, random)));
        }
    }
    CHECK(text_rule_agrees(*read_rule("top_p=.5").value, top_p{.5}, {}));
}

TEST_CASE("a rule that is read takes doubles") {
    engine random{6};
    const std::vector<double> values = generate<double>(shape::heavy_tailed, 200, random);
    const auto read = tamis::read_rule("power(2):top_p=.9 & threshold=.01");
    const auto expected = tamis::scored{tamis::power{2}, tamis::top_p{.9}} & tamis::threshold{.01};
    CHECK((*read.value)(values) == expected(values));
}

TEST_CASE("what is no rule is said, with the way out") {
    CHECK(text_rule_says(text_rule_error("top_q=1"), "there is no rule 'top_q'; there are top_p, top_k"));
    CHECK(text_rule_says(text_rule_error(""), "a rule is expected"));
    CHECK(text_rule_says(text_rule_error("top_p"), "top_p needs a number: top_p=0.9"));
    CHECK(text_rule_says(text_rule_error("top_p=x"), "must be a number"));
    CHECK(text_rule_says(text_rule_error("top_p=1.5"), "in [0, 1], got '1.5'"));
    CHECK(text_rule_says(text_rule_error("top_p=nan"), "in [0, 1], got 'nan'"));
    CHECK(text_rule_says(text_rule_error("threshold=inf"), "finite and >= 0"));
    CHECK(text_rule_says(text_rule_error("top_k=.5"), "a whole number"));
    CHECK(text_rule_says(text_rule_error("top_k=-1"), "a whole number"));
    CHECK(text_rule_says(text_rule_error("power(2.03):top_p=.9"), "a multiple of 1/16 in [1, 7]"));
    CHECK(text_rule_says(text_rule_error("guarded(1):top_p=.9"), "finite and > 1"));
    CHECK(text_rule_says(text_rule_error("guarded:top_p=.9"), "must be a number"));
    CHECK(text_rule_says(text_rule_error("guarded(3)"), "stands in front of a rule and a colon"));
    CHECK(text_rule_says(text_rule_error("guarded(3:top_p=.9"), "a ) is missing"));
    CHECK(text_rule_says(text_rule_error("guarded(3):power(2):top_p=.9"), "write the score first"));
    CHECK(text_rule_says(text_rule_error("grouped_sum(0):top_p=.9"), "at least 1"));
    CHECK(text_rule_says(text_rule_error("weighted(3):top_p=.9"), "takes no number"));
    CHECK(text_rule_says(text_rule_error("(top_p=.9"), "a ) is missing"));
    CHECK(text_rule_says(text_rule_error("top_p=.9 top_k=3"), "'top_k=3' is left over"));
    CHECK(text_rule_says(text_rule_error(std::string(1000, '(')), "nested too deeply"));
    std::string many = "nonzero";
    for (int i = 0; i < 300; ++i) {
        many += "|nonzero";
    }
    CHECK(text_rule_says(text_rule_error(many), "more than 256 parts"));
    CHECK(text_rule_says(text_rule_error("cett=.1"), "needs a number for each entry"));
    CHECK(tamis::read_rule("cett=.1").wants_numbers);
    const float wrong[]{1, -1};
    CHECK(text_rule_says(text_rule_error("channel_thresholds", wrong), "finite and >= 0"));
}
