#include <tamis/ffn/text_policies.hpp>

#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace text_policies_test {

// Policies as text: each site has the rule that was written for it, and numbers where it wants some.

namespace {

using f32_alone = tamis::formats<tamis::f32>;
constexpr std::size_t policy_neurons = 5;

struct read_for_down {
    // a neuron's weights are its number, one output alone
    std::vector<float> weights{1, 2, 3, 4, 5};
    tamis::policies_as_text operator()(const char* rules,
                                       const std::array<std::span<const float>, 4>& numbers = {}) const {
        const tamis::any_matrix down{"f32", tamis::weight_layout::output_major, weights.data(), 1,
                                     policy_neurons};
        return tamis::read_policies<f32_alone>(tamis::read_site_rules(rules), down, numbers, true);
    }
};

std::vector<bool> active_by(const tamis::any_policy& p, std::vector<float> values) {
    tamis::mask kept{values.size()};
    tamis::owned_workspace memory{p.selector()->selection_bytes(values.size())};
    p.selector()->select(std::span<const float>{values}, kept.span(), memory);
    std::vector<bool> all;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all.push_back(kept[i]);
    }
    return all;
}

} // namespace

TEST_CASE("policies are those of the sites' rules") {
    const read_for_down read;
    const auto made = read("top_k=1@input;threshold=2@gate,intermediate");
    CHECK(made.error == "");
    REQUIRE(made.policies.size() == 3);
    CHECK(made.policies[0].where() == tamis::site::input);
    CHECK(made.policies[1].where() == tamis::site::gate);
    CHECK(made.policies[2].where() == tamis::site::intermediate);
    CHECK(made.policies[0].masks_only());
    CHECK(active_by(made.policies[0], {1, 3, 2}) == std::vector<bool>{false, true, false});
    CHECK(active_by(made.policies[1], {1, 3, 2}) == std::vector<bool>{false, true, true});
    CHECK(read("").policies.empty());
    CHECK(read("").error == "");
}

TEST_CASE("numbers for each entry: the norms of W_down at the intermediate, or those that are given") {
    const read_for_down read;
    auto made = read("cett=3");
    REQUIRE(made.policies.size() == 1);
    CHECK(active_by(made.policies[0], {1, 1, 1, 1, 1}) == std::vector<bool>{false, false, true, true, true});
    const std::vector<float> given{5, 4, 3, 2, 1};
    made = read("cett=3", {{{}, {}, {}, given}});
    CHECK(active_by(made.policies[0], {1, 1, 1, 1, 1}) == std::vector<bool>{true, true, true, false, false});
    made = read("channel_thresholds@gate", {{{}, given, {}, {}}});
    CHECK(active_by(made.policies[0], {3, 3, 3, 3, 3}) == std::vector<bool>{false, false, true, true, true});
}

TEST_CASE("what is wrong with a rule is said with its site") {
    const read_for_down read;
    const auto says = [&](const char* rules, const char* what) {
        const auto made = read(rules);
        CAPTURE(made.error);
        return made.error.find(what) != std::string::npos;
    };
    CHECK(says("top_q=1@up", "there is no rule 'top_q'"));
    CHECK(says("top_q=1@up", "(at up)"));
    CHECK(says("cett=.1@input", "it needs a number for each entry"));
    CHECK(says("channel_thresholds", "it needs a number for each entry")); // norms are no thresholds
    CHECK(says("nonzero@down", "there is no site 'down'"));
    CHECK(read("nonzero@down").policies.empty());
}

} // namespace text_policies_test
