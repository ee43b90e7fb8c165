#include "settings.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

using namespace study_test;
using study::rule_choice;
using study::site_choice;

TEST_CASE("sites are named, in the order given, each once") {
    CHECK(study::parse_sites("up,all_inputs,up") == std::vector{site_choice::up, site_choice::all_inputs});
    CHECK(error_of([] { study::parse_sites("up,down"); }) ==
          "--sites: unknown site \"down\" (there are input, gate, up, intermediate, all_inputs)");
    CHECK(has(error_of([] { study::parse_sites(""); }), "unknown site \"\""));
    CHECK(has(error_of([] { study::parse_sites("up,"); }), "unknown site \"\""));
}

TEST_CASE("values are sorted from the dense end and keep their spelling") {
    const auto fall = study::parse_values("0.9,1,0.950,0.9", rule_choice::top_p);
    REQUIRE(fall.size() == 3);
    CHECK(fall[0].text == "1");
    CHECK(fall[1].text == "0.950");
    CHECK(fall[2].number == 0.9);
    const auto rise = study::parse_values("1e-1,.05", rule_choice::max_p);
    CHECK(rise[0].text == ".05");
    CHECK(study::parse_values("250", rule_choice::threshold)[0].number == 250);
}

TEST_CASE("a value outside the rule's domain is refused, as is what is no number") {
    for (const auto rule :
         {rule_choice::top_p, rule_choice::top_k, rule_choice::max_p, rule_choice::threshold}) {
        CHECK(has(error_of([&] { study::parse_values("-0.1", rule); }),
                  "--values: -0.1 is outside the domain of"));
        CHECK(study::parse_values(study::domain(rule).default_values, rule).size() > 3);
        for (const char* text : {"", "x", "0.9x", "nan", "inf", "0x1", "0.9,", " 0.9", "1e", "--1"}) {
            CAPTURE(text);
            CHECK(has(error_of([&] { study::parse_values(text, rule); }), "is no number"));
        }
    }
    CHECK(has(error_of([] { study::parse_values("1.0001", rule_choice::top_p); }), "0 .. 1"));
    CHECK(has(error_of([] { study::parse_values("1e999", rule_choice::threshold); }), "outside the domain"));
}
