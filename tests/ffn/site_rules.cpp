#include <tamis/ffn/site_rules.hpp>

#include <doctest/doctest.h>

namespace site_rules_test {

TEST_CASE("rules are divided among the sites") {
    using tamis::site;
    const tamis::site_rules read =
        tamis::read_site_rules("top_p=0.95@input;(top_p=0.9 & nonzero)@gate,intermediate");
    CHECK(read.error == "");
    CHECK(read[site::input] == "top_p=0.95");
    CHECK(read[site::gate] == "(top_p=0.9 & nonzero)");
    CHECK(read[site::up] == "");
    CHECK(read[site::intermediate] == read[site::gate]);
    CHECK(tamis::read_site_rules("nonzero")[site::intermediate] == "nonzero");
    CHECK(tamis::read_site_rules("nonzero;")[site::intermediate] == "nonzero");
    CHECK(tamis::read_site_rules("").error == "");

    const auto says = [](const char* text, const char* what) {
        return tamis::read_site_rules(text).error.find(what) != std::string::npos;
    };
    CHECK(says("nonzero@down", "there is no site 'down'; there are input, gate, up and intermediate"));
    CHECK(says("nonzero@up,up",
               "two rules at up; leave one out, or join them by & or | where these are known"));
    CHECK(says("nonzero;nonzero@intermediate", "two rules at intermediate"));
    CHECK(says("@input", "a rule is missing"));
    CHECK(says(";", "a rule is missing"));
}

} // namespace site_rules_test
