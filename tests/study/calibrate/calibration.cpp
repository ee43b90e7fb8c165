#include <tamis/study/calibrate/calibration.hpp>

#include "study/calibrate/support.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <tamis/ffn/glu_ffn.hpp>

#include <doctest/doctest.h>

// From what was saved to what masks: the rules, their domains, plans and policies.

using tamis::site;
using tamis::study::calibrated_rule;
using tamis::study::calibration;
using tamis::study::plan_of;
using tamis::study::problem_of;

namespace {

calibration with(std::vector<calibrated_rule> rules, std::size_t layers = 2) {
    calibration c;
    c.layers = layers;
    c.rules = std::move(rules);
    return c;
}
std::string problem(const char* rule, double value, site where = site::intermediate) {
    return problem_of(calibrated_rule{0, where, rule, value});
}
std::string mask_of(const tamis::study::plan& p, std::size_t layer, site where, std::vector<float> values) {
    return p.at(layer, where) == nullptr ? "dense" : show(tamis::select(*p.at(layer, where), values));
}

} // namespace

TEST_CASE("a plan has every rule by its name") {
    const std::vector<float> v{4, -1, 0.5f, 0.3f, 0.2f};
    const auto made = [&](const char* rule, double value) {
        return mask_of(plan_of(with({{0, site::input, rule, value}}, 1)), 0, site::input, v);
    };
    CHECK(made("threshold", 0.3) == show(tamis::threshold{0.3}(v)));
    CHECK(made("top_p", 0.9) == "11100");
    CHECK(made("top_k", 2) == "11000");
    CHECK(made("top_k_fraction", 0.8) == "11110");
    CHECK(made("max_p", 0.1) == "11100");
}

TEST_CASE("cett takes each layer's norms") {
    const std::vector<std::vector<float>> norms{{1, 2, 4}, {4, 2, 1}};
    const auto p =
        plan_of(with({{1, site::intermediate, "cett", 3}, {0, site::intermediate, "cett", 2}}), norms);
    CHECK(mask_of(p, 0, site::intermediate, {1, 1, 1}) == "011");
    CHECK(mask_of(p, 1, site::intermediate, {1, 1, 1}) == "100");
    CHECK(mask_of(p, 1, site::gate, {1, 1, 1}) == "dense");
}

TEST_CASE("rules_for gives one a layer") {
    const auto c = with(tamis::study::rules_for(site::gate, "threshold", std::vector{0.5f, 0.25f}));
    CHECK(c.rules == std::vector<calibrated_rule>{{0, site::gate, "threshold", 0.5},
                                                  {1, site::gate, "threshold", 0.25}});
    CHECK(problem_of(c).empty());
}

TEST_CASE("one layer's rule in a glu_ffn drops what the plain rule drops") {
    engine random{1};
    const dense gate = random_dense(40, 24, random), up = random_dense(40, 24, random);
    const cett_layer layer{24, 40, 0, shape::normal, 2};
    const auto g = store_up<tamis::f32, tamis::neuron_major>(gate),
               u = store_up<tamis::f32, tamis::neuron_major>(up);
    const tamis::glu_weights w{g.view(), u.view(), layer.memory.view()};
    const auto c = with({{0, site::intermediate, "cett", 0.25}}, 1);
    const tamis::glu_ffn saved{w, tamis::silu{},
                               tamis::at_intermediate(
                                   tamis::study::selector_at(c, 0, site::intermediate, layer.norms))};
    const tamis::glu_ffn plain{w, tamis::silu{}, tamis::at_intermediate(tamis::cett(layer.norms, 0.25))};
    const auto x = coarse_values(24, random);
    std::vector<float> y(24), expected(24);
    tamis::owned_workspace memory{saved.workspace_bytes()}, plain_memory{plain.workspace_bytes()};
    const auto read = saved(x, y, memory);
    CHECK(plain(x, expected, plain_memory).bytes_read == read.bytes_read);
    CHECK(read.bytes_read < read.bytes_dense);
    CHECK(same_bits(y, expected));
}

TEST_CASE("a value outside its rule's domain is named") {
    CHECK(problem("threshold", 0).empty());
    CHECK(problem("threshold", -0.0).empty());
    CHECK(problem("threshold", -1) == "the value of threshold must be finite and >= 0, got -1");
    CHECK(problem("cett", inf_of<double>) == "the value of cett must be finite and >= 0, got inf");
    CHECK(problem("cett", nan_of<double>).find("must be finite and >= 0") != std::string::npos);
    CHECK(problem("top_p", 1).empty());
    CHECK(problem("top_p", 1.5) == "the value of top_p must be in [0, 1], got 1.5");
    CHECK(problem("max_p", -0.5) == "the value of max_p must be in [0, 1], got -0.5");
    CHECK(problem("top_k_fraction", nan_of<double>).find("in [0, 1]") != std::string::npos);
    CHECK(problem("top_k", 0x1p53).empty());
    CHECK(problem("top_k", 2.5) == "the value of top_k must be a whole number, at most 2^53, got 2.5");
    CHECK(problem("top_k", 1e300).find("whole number") != std::string::npos);
    CHECK(
        problem("topp", 1) ==
        "there is no rule 'topp'; there are threshold, cett, top_p, max_p, top_k, top_k_fraction and channel_thresholds");
    CHECK(problem("cett", 1, site::gate) == "cett belongs at the intermediate, not at gate");
}

TEST_CASE("layers twice, missing, or not there") {
    const calibrated_rule zero{0, site::gate, "top_p", 0.9}, one{1, site::gate, "top_p", 0.9};
    CHECK(problem_of(with({zero, one})).empty());
    CHECK(problem_of(with({})).empty());
    CHECK(problem_of(with({zero, one, zero})) == "layer 0, gate: two rules; a site takes one");
    CHECK(problem_of(with({zero})) == "layer 1, gate: no rule, though other layers have one there");
    CHECK(problem_of(with({zero, one}, 1)) == "there are 1 layers, and a rule for layer 1");
    CHECK(problem_of(with({zero}, 1u << 20)) == "there can be 65536 layers, not 1048576");
    auto c = with({});
    c.target = nan_of<double>;
    CHECK(problem_of(c) == "the target must be a finite number");
}

#if defined(__cpp_exceptions)
TEST_CASE("plans and selectors of a calibration with a problem are refused") {
    CHECK(message_of([] {
              plan_of(with({{0, site::gate, "top_p", 2}}, 1));
          }) == "tamis::study::plan_of: layer 0, gate: the value of top_p must be in [0, 1], got 2");
    const auto c = with({{0, site::intermediate, "cett", 1}}, 1);
    CHECK(message_of([&] { plan_of(c); }) ==
          "tamis::study::selector_of: cett needs the layer's neuron_norms, got none");
    CHECK(message_of([&] { plan_of(c, std::vector<std::vector<float>>(3)); }) ==
          "tamis::study::plan_of: the norms of 1 layers are needed, got those of 3");
    CHECK(message_of([&] { selector_at(c, 0, site::up); }) ==
          "tamis::study::selector_at: the calibration has no rule for layer 0, up");
}
#endif
