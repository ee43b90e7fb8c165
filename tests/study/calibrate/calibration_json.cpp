#if __has_include(<nlohmann/json.hpp>)

#include <tamis/study/calibrate/calibration_json.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

// Calibrations as JSON: they come back to the bit, and what is damaged is refused with the place.

using tamis::site;
using tamis::study::calibration;
using tamis::study::from_json;
using tamis::study::read_calibration;
using tamis::study::to_json;
using tamis::study::to_text;

namespace {

calibration example() {
    return {"stories260K",
            "sha256:00ff",
            "cett",
            0.1,
            120756,
            2,
            {{0, site::intermediate, "cett", 0.0123}, {1, site::intermediate, "cett", 0.5}}};
}

/// What reading says after a change to the example.
template <class Change>
std::string after(Change&& change) {
    nlohmann::json j = example();
    change(j);
    const auto read = read_calibration(j.dump());
    CHECK(read.value.has_value() == read.error.empty());
    CHECK(bool{read} == read.error.empty());
    return read.error;
}
std::string with_field(const char* field, nlohmann::json value) {
    return after([&](nlohmann::json& j) { j[field] = std::move(value); });
}
std::string with_rule_field(const char* field, nlohmann::json value) {
    return after([&](nlohmann::json& j) { j["rules"][1][field] = std::move(value); });
}

} // namespace

TEST_CASE("a calibration comes back equal, by text and by object") {
    CHECK(read_calibration(to_text(example())).value == example());
    CHECK(from_json(to_json(example())).value == example());
    CHECK(read_calibration(to_text({})).value == calibration{});
}

TEST_CASE("floats and doubles come back to the bit") {
    engine random{1};
    for (const shape s : {shape::heavy_tailed, shape::denormal, shape::geometric}) {
        auto c = example();
        const auto floats = generate<float>(s, 200, random);
        const auto doubles = generate<double>(s, 200, random);
        c.layers = 200;
        c.rules.clear();
        for (std::size_t i = 0; i < 200; ++i) {
            const float f = std::bit_cast<float>(tamis::magnitude_bits(floats[i]));
            double d = std::bit_cast<double>(tamis::magnitude_bits(doubles[i]));
#if defined(__FAST_MATH__)
            d = tamis::detail::without_denormals(d); // the processor may flush them
#endif
            c.rules.push_back({i, site::input, "threshold", tamis::widen(f)});
            c.rules.push_back({i, site::gate, "threshold", d});
        }
        const auto read = read_calibration(to_text(c));
        REQUIRE(read.error == "");
        for (std::size_t i = 0; i < c.rules.size(); ++i) {
            CHECK(std::bit_cast<std::uint64_t>(read.value->rules[i].value) ==
                  std::bit_cast<std::uint64_t>(c.rules[i].value));
        }
    }
}

TEST_CASE("whole numbers are numbers, and unknown fields are passed over") {
    const auto read = read_calibration(R"({
        "format": "tamis-calibration", "version": 1, "model": "m", "source": "s", "kind": "teal", "target": 0.5,
        "tokens": 7, "layers": 1, "rules": [{"layer": 0, "site": "gate", "rule": "top_k", "value": 12}],
        "a field of someone's own": {}})");
    REQUIRE(read);
    CHECK(read.value->rules[0].value == 12);
    CHECK(read.value->rules[0].where == site::gate);
}

TEST_CASE("what is no calibration") {
    const auto error = [](const char* text) { return read_calibration(text).error; };
    CHECK(error("") == "tamis calibration: this is no JSON");
    CHECK(error("{\"format\": ") == "tamis calibration: this is no JSON");
    CHECK(error("[1]") == "tamis calibration: this is no JSON object");
    CHECK(error("null") == "tamis calibration: this is no JSON object");
    CHECK(error("{}") == "tamis calibration: the field 'format' is missing");
}

TEST_CASE("a number beyond doubles is refused") {
    std::string text = to_text(example());
    text.replace(text.find("0.0123"), 6, "1e9999");
    CHECK(!read_calibration(text)); // by the parser, or by the domain where -ffast-math blinds it
}

TEST_CASE("another format, a newer version") {
    CHECK(with_field("format", "gguf") ==
          "tamis calibration: the format must be 'tamis-calibration', got 'gguf'");
    CHECK(with_field("format", 1) == "tamis calibration: 'format' must be a text, got 1");
    CHECK(with_field("version", 2) ==
          "tamis calibration: version 2 can not be read; this library knows 1 to 1");
    CHECK(with_field("version", 0).find("version 0 can not be read") != std::string::npos);
    CHECK(with_field("version", 1.0) == "tamis calibration: 'version' must be a whole number >= 0, got 1.0");
}

TEST_CASE("every field is wanted, and of its type") {
    for (const char* field :
         {"format", "version", "model", "source", "kind", "target", "tokens", "layers", "rules"}) {
        CHECK(after([&](nlohmann::json& j) { j.erase(field); }) ==
              std::string{"tamis calibration: the field '"} + field + "' is missing");
        CHECK(with_field(field, nlohmann::json::object()).find(std::string{"'"} + field + "' must be ") !=
              std::string::npos);
    }
    for (const char* field : {"layer", "site", "rule", "value"}) {
        CHECK(after([&](nlohmann::json& j) { j["rules"][1].erase(field); }) ==
              std::string{"tamis calibration: rules[1]: the field '"} + field + "' is missing");
        CHECK(with_rule_field(field, nullptr).find(std::string{"rules[1]: '"} + field + "' must be ") !=
              std::string::npos);
    }
    CHECK(with_field("tokens", -1) == "tamis calibration: 'tokens' must be a whole number >= 0, got -1");
    CHECK(with_field("rules", {1}) == "tamis calibration: rules[0]: this is no JSON object");
}

TEST_CASE("values outside their domain, layers twice or missing") {
    CHECK(with_rule_field("value", -0.5) ==
          "tamis calibration: layer 1, intermediate: the value of cett must be finite and >= 0, got -0.5");
    CHECK(
        with_rule_field("site", "attention") ==
        "tamis calibration: rules[1]: there is no site 'attention'; there are input, gate, up and intermediate");
    CHECK(with_rule_field("rule", "fat").find("there is no rule 'fat'") != std::string::npos);
    CHECK(with_rule_field("layer", 0) ==
          "tamis calibration: layer 0, intermediate: two rules; a site takes one");
    CHECK(with_field("layers", 3) ==
          "tamis calibration: layer 2, intermediate: no rule, though other layers have one there");
    CHECK(with_field("layers", std::uint64_t{1} << 40).find("there can be 65536 layers") !=
          std::string::npos);
}

TEST_CASE("a name that is no UTF-8 is written all the same") {
    auto c = example();
    c.model = "\xff model";
    CHECK(read_calibration(to_text(c)).value->model == "\xef\xbf\xbd model");
}

#if defined(__cpp_exceptions)
TEST_CASE("a calibration with a problem is not written") {
    auto c = example();
    c.rules[0].value = inf_of<double>;
    CHECK(message_of([&] { to_text(c); }) ==
          "tamis::study::to_json: layer 0, intermediate: the value of cett must be finite and >= 0, got inf");
}
#endif

#endif
