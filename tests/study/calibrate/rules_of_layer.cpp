#include <tamis/study/calibrate/rules_of_layer.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

// The rules of a layer as text: what read_rule reads is the number that was there.

TEST_CASE("each layer has its rules, by site, with numbers as they are") {
    using tamis::site;
    tamis::study::calibration plan;
    plan.layers = 2;
    plan.rules = {{0, site::intermediate, "cett", 0.1},
                  {1, site::intermediate, "top_k", 5},
                  {1, site::gate, "channel_thresholds", 0, {1, 2, 3}}};
    const auto first = tamis::study::rules_of_layer(plan, 0);
    CHECK(first.rules.error == "");
    const std::string& text = first.rules[site::intermediate];
    CHECK(text.substr(0, 5) == "cett=");
    CHECK(std::strtod(text.c_str() + 5, nullptr) == 0.1);
    CHECK(first.rules[site::gate] == "");
    const auto second = tamis::study::rules_of_layer(plan, 1);
    CHECK(second.rules[site::intermediate] == "top_k=5");
    CHECK(second.rules[site::gate] == "channel_thresholds");
    CHECK(second.numbers[1].size() == 3);
    CHECK(second.numbers[1].data() == plan.rules[2].values.data());
    CHECK(second.numbers[3].empty());
    CHECK(tamis::study::rules_of_layer(plan, 2).rules.error ==
          "tamis: there is no layer 2: the plan has 2, from 0 on");
}
