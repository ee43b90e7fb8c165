#include "settings.hpp"

#include "support.hpp"

#include <tamis/study/plan.hpp>

#include <doctest/doctest.h>

#include <span>
#include <string>
#include <vector>

using namespace study_test;

namespace {

std::vector<std::string> names_of(const std::vector<app::site_choice>& sites) {
    std::vector<std::string> names;
    for (const auto& s : sites) {
        names.emplace_back(s.name);
    }
    return names;
}

} // namespace

TEST_CASE("sites are named, in the order given, each once") {
    using strings = std::vector<std::string>;
    CHECK(names_of(app::parse_sites("up,all_inputs,up")) == strings{"up", "all_inputs"});
    CHECK(app::parse_sites("all_inputs")[0].sites ==
          std::vector{tamis::site::input, tamis::site::intermediate});
    for (const auto where : app::study::all_sites) {
        CHECK(app::parse_sites(tamis::name_of(where))[0].sites == std::vector{where});
    }
    CHECK(error_of([] { app::parse_sites("up,down"); }) ==
          "--sites: unknown site \"down\" (there are input, gate, up, intermediate, all_inputs)");
    CHECK(has(error_of([] { app::parse_sites(""); }), "unknown site \"\""));
    CHECK(has(error_of([] { app::parse_sites("up,"); }), "unknown site \"\""));
}

TEST_CASE("rules and activations are named; others are refused with those that there are") {
    for (const auto& family : app::rule_families()) {
        CHECK(&app::parse_rule(family.name) == &family);
    }
    CHECK(
        error_of([] { app::parse_rule("top_q"); }) ==
        "--rule: unknown rule \"top_q\"; did you mean top_p? (there are top_p, top_k, max_p, threshold, top_p_energy, "
        "guarded_top_p)");
    for (const auto a :
         {app::activation::silu, app::activation::gelu, app::activation::relu, app::activation::gelu_tanh}) {
        CHECK(app::parse_activation(app::name(a)) == a);
    }
    CHECK(error_of([] { app::parse_activation("tanh"); }) ==
          "--activation: unknown activation \"tanh\" (there are silu, gelu, relu, gelu_tanh)");
}

TEST_CASE("a rule's selector is the one it is named for") {
    const std::vector<float> v{4, 1, .5f, .3f, .2f}; // sum 6, squares 17.38
    const auto active = [&](const char* rule, double value) {
        const auto selector = app::parse_rule(rule).make(value);
        return selector(std::span<const float>{v}).count();
    };
    CHECK(active("top_p", 0.9) == 3);
    CHECK(active("top_k", 0.4) == 2);
    CHECK(active("max_p", 0.1) == 3);
    CHECK(active("threshold", 0.3) == 4);
    CHECK(active("top_p_energy", 0.95) == 2);         // 17 of 17.38
    CHECK(active("guarded_top_p", 0.9) == 3);         // nothing is 64 times the median
    for (const auto& family : app::rule_families()) { // the dense end drops nothing
        CHECK(active(family.name, family.falls ? 1 : 0) == 5);
    }
}

TEST_CASE("values are sorted from the dense end and keep their spelling") {
    const auto fall = app::parse_values("0.9,1,0.950,0.9", app::parse_rule("top_p"));
    REQUIRE(fall.size() == 3);
    CHECK(fall[0].text == "1");
    CHECK(fall[1].text == "0.950");
    CHECK(fall[2].number == 0.9);
    const auto rise = app::parse_values("1e-1,.05", app::parse_rule("max_p"));
    CHECK(rise[0].text == ".05");
    CHECK(app::parse_values("250", app::parse_rule("threshold"))[0].number == 250);
}

TEST_CASE("paper stands for the paper's values, where the parameter is a share") {
    for (const char* rule : {"top_p", "top_p_energy", "top_k"}) {
        const auto values = app::parse_values("paper", app::parse_rule(rule));
        REQUIRE(values.size() == app::study::paper_values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            CHECK(values[i].number == app::study::paper_values[i]);
            CHECK(app::parse_number(values[i].text, "") == values[i].number);
        }
        CHECK(values[1].text == "0.995");
    }
    const auto rise = app::parse_values("paper", app::parse_rule("max_p"));
    CHECK(rise.front().number == 0);
    CHECK(rise.back().number == 1);
    CHECK(has(error_of([] { app::parse_values("paper", app::parse_rule("threshold")); }),
              "\"paper\" is no number"));
    CHECK(has(error_of([] { app::parse_values("paper,0.5", app::parse_rule("top_p")); }),
              "\"paper\" is no number"));
}

TEST_CASE("a value outside the rule's domain is refused, as is what is no number") {
    for (const auto& rule : app::rule_families()) {
        CHECK(has(error_of([&] { app::parse_values("-0.1", rule); }),
                  "--values: -0.1 is outside the domain of"));
        CHECK(app::parse_values(rule.default_values, rule).size() > 3);
        for (const char* text : {"", "x", "0.9x", "nan", "inf", "0x1", "0.9,", " 0.9", "1e", "--1"}) {
            CAPTURE(text);
            CHECK(has(error_of([&] { app::parse_values(text, rule); }), "is no number"));
        }
    }
    CHECK(has(error_of([] { app::parse_values("1.0001", app::parse_rule("top_p")); }), "0 .. 1"));
    CHECK(has(error_of([] { app::parse_values("1e999", app::parse_rule("threshold")); }),
              "outside the domain"));
}

TEST_CASE("numbers of other options keep their order and have their range") {
    CHECK(app::parse_numbers("0.5,0.25,0.5", "--at", 0, 1) == std::vector{0.5, 0.25, 0.5});
    CHECK(app::parse_numbers("0", "--at", 0, 1) == std::vector{0.0});
    CHECK(error_of([] { app::parse_numbers("0.5,1.5", "--at", 0, 1); }) == "--at: 1.5 is not within 0 .. 1");
    CHECK(error_of([] { app::parse_numbers("0.5,x", "--at", 0, 1); }) == "--at: \"x\" is no number");
    CHECK(error_of([] { app::parse_numbers("", "--at", 0, 1); }) == "--at: \"\" is no number");
    CHECK(error_of([] { app::parse_number("1e", "--percent"); }) == "--percent: \"1e\" is no number");
    CHECK(app::parse_number("-2.5e-1", "--percent") == -0.25);
}

TEST_CASE("counts are whole numbers from 1 on") {
    CHECK(app::parse_count("1", "--threads", 8) == 1);
    CHECK(app::parse_count("008", "--threads", 8) == 8);
    for (const char* text : {"", "0", "9", "-1", "+1", "1.0", "1e0", " 1", "x", "99999999999999999999"}) {
        CHECK(error_of([&] { app::parse_count(text, "--threads", 8); }) ==
              std::string{"--threads \""} + text + "\": a whole number from 1 to 8 is needed");
    }
}

TEST_CASE("what a list has twice is used once and noted") {
    app::remarks notes;
    CHECK(names_of(app::parse_sites("up,input,up,up,input", &notes)).size() == 2);
    const auto values = app::parse_values("0.9,0.5,0.90,9e-1", app::parse_rule("top_p"), "--values", &notes);
    REQUIRE(values.size() == 2);
    CHECK(values[0].text == "0.9");
    CHECK(app::each_once(std::vector{0.5, 0.25, 0.5}, "--at", notes) == std::vector{0.5, 0.25});
    CHECK(notes.all() == std::vector<std::string>{"--sites: up is given more than once and used once",
                                                  "--sites: input is given more than once and used once",
                                                  "--values: 0.9 is given more than once and used once",
                                                  "--at: 0.5 is given more than once and used once"});
    app::remarks none;
    app::parse_sites("up,input", &none);
    app::parse_values("paper", app::parse_rule("top_p"), "--values", &none);
    CHECK(none.all().empty());
}

TEST_CASE("a number that a double cannot tell from 0 is none") {
    CHECK(has(error_of([] { app::parse_number("1e-400", "--values"); }), "--values: 1e-400 is too small"));
    CHECK(app::parse_number("0e-400", "") == 0);
    CHECK(app::parse_number("1e-310", "") > 0);
}

TEST_CASE("a note is one line, and the same one once") {
    app::remarks notes;
    notes.add("a\nb: ", 3);
    notes.add("a b: 3");
    app::remarks more;
    more.add("c");
    more.merge(notes);
    more.merge(notes);
    CHECK(more.all() == std::vector<std::string>{"c", "a b: 3"});
}
