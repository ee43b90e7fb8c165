#if __has_include(<nlohmann/json.hpp>)

#include <tamis/study/calibrate/calibration_json.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

#include <cmath>

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
    std::string error = read.error;
    const std::string of_text = "tamis calibration: line 1: ", of_value = "tamis calibration: ";
    if (!error.empty()) {
        REQUIRE(error.starts_with(of_text));
        error.replace(0, of_text.size(), of_value);
    }
    CHECK(from_json(j).error == error); // the same but for the line
    return error;
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

TEST_CASE("what a calibration was made from comes back, and need not be there") {
    calibration c = example();
    c.weights = "sha256:9f1c";
    c.stories = "0:50";
    c.criterion = "PPL at most 1.01 times";
    c.attained = 1.0099;
    CHECK(read_calibration(to_text(c)).value == c);
    CHECK(from_json(to_json(c)).value == c);
    c.stories.clear();
    c.attained.reset();
    CHECK(!to_json(c).contains("stories"));
    CHECK(!to_json(c).contains("attained"));
    CHECK(read_calibration(to_text(c)).value == c);
    CHECK(with_field("weights", 3) == "tamis calibration: 'weights' must be a text, got 3");
    CHECK(with_field("attained", "1.01") == "tamis calibration: 'attained' must be a number, got 1.01");
    CHECK(with_rule_field("weights", 3) == ""); // not a rule's: passed over
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

namespace {

std::string error_of_text(const std::string& text) {
    const auto read = read_calibration(text);
    CHECK(bool{read} == read.error.empty());
    CHECK(read.error.find('\n') == std::string::npos);
    CHECK(read.error.size() < 300);
    return read.error;
}
/// What reading the example's file says, with the first `what` replaced.
std::string error_with(const std::string& what, const std::string& by) {
    std::string text = to_text(example());
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return error_of_text(text.replace(at, what.size(), by));
}
bool says(const std::string& error, const std::string& part) {
    CAPTURE(error);
    CAPTURE(part);
    const bool said = error.find(part) != std::string::npos;
    CHECK(said);
    return said;
}

} // namespace

TEST_CASE("what is no calibration") {
    for (const char* nothing : {"", " ", "\n\n\t"}) {
        CHECK(error_of_text(nothing) == "tamis calibration: line 1: there is nothing in it");
    }
    CHECK(error_of_text("[1]") == "tamis calibration: line 1: this is no JSON object");
    CHECK(error_of_text("\nnull") == "tamis calibration: line 2: this is no JSON object");
    CHECK(error_of_text("7") == "tamis calibration: line 1: this is no JSON object");
    CHECK(error_of_text("{}") == "tamis calibration: line 1: the field 'format' is missing");
    CHECK(from_json(nlohmann::json::array({1})).error == "tamis calibration: this is no JSON object");
    CHECK(from_json(nullptr).error == "tamis calibration: this is no JSON object");
    CHECK(!from_json(nlohmann::json(nlohmann::json::value_t::discarded)));
    CHECK(error_of_text(to_text(example()) + "{}") != "");
    CHECK(error_of_text("\xff\xfe\x01") != "");
}

TEST_CASE("an error names the line and the field") {
    // 1 {, 2 format, 3 kind, 4 layers, 5 model, 6 rules, 7-12 and 13-18 the two, 19 ], 20 source, 21 target, 22 tokens
    CHECK(error_with("0.0123", "\"0.0123\"") ==
          "tamis calibration: line 11: rules[0]: 'value' must be a number, got 0.0123");
    says(error_with("0.5", "-0.5"), "line 13: layer 1, intermediate: the value of cett must be finite");
    says(error_with("0.0123", "NaN"), "line 11: rules[0]: 'value': this is no JSON, from \"");
    says(error_with("0.0123", "-Infinity"), "line 11: rules[0]: 'value': this is no JSON");
    says(error_with("120756", "nan"), "line 22: 'tokens': this is no JSON");
    CHECK(error_with("120756", "-1") ==
          "tamis calibration: line 22: 'tokens' must be a whole number >= 0, got -1");
    CHECK(error_with("120756", "1.5") ==
          "tamis calibration: line 22: 'tokens' must be a whole number >= 0, got 1.5");
    says(error_with("120756", "18446744073709551616"),
         "line 22: 'tokens' must be a whole number >= 0, got 1");
    CHECK(error_with("\"layers\": 2", "\"layers\": 1e1") ==
          "tamis calibration: line 4: 'layers' must be a whole number >= 0, got 1e1");
    says(error_with("0.1,", "[0.1],"), "line 21: 'target' must be a number, got a list");
    says(error_with("\"layer\": 1", "\"layer\": 0"), "line 13: layer 0, intermediate: two rules");
    says(error_with("\"layer\": 1", "\"layer\": 7"), "line 13: there are 2 layers, and a rule for layer 7");
    says(error_with("\"layer\": 1", "\"lair\": 1"), "line 13: rules[1]: the field 'layer' is missing");
}

TEST_CASE("numbers beyond doubles, on either side") {
    for (const char* number : {"1e400", "1e9999", "-1e400", "1e-400", "0.0001e-330"}) {
        CAPTURE(number);
        CHECK(error_with("0.0123", number) == "tamis calibration: line 11: rules[0]: 'value': " +
                                                  std::string{number} + " does not fit a double");
    }
    CHECK(error_with("0.1,", "1e400,") ==
          "tamis calibration: line 21: 'target': 1e400 does not fit a double");
    CHECK(error_with("0.0123", "0e-400") == "");
    CHECK(error_with("0.0123", "0.000E5") == "");
}

TEST_CASE("fields that are there twice are refused, at either level") {
    CHECK(error_with("\"tokens\"", "\"layers\": 2,\n\"tokens\"") ==
          "tamis calibration: line 22: the field 'layers' is there twice");
    says(error_with("\"version\"", "\"format\": \"tamis-calibration\", \"version\""),
         "'format' is there twice");
    says(error_with("\"value\"", "\"value\": 1, \"value\""), "rules[0]: the field 'value' is there twice");
    CHECK(error_with("\"tokens\"", "\"mine\": 2, \"mine\": 3, \"tokens\"") == ""); // not ours
}

TEST_CASE("a file that was cut off anywhere, commas too many") {
    const std::string whole = to_text(example());
    for (std::size_t n = 0; n + 2 < whole.size(); ++n) {
        CAPTURE(n);
        CHECK(error_of_text(whole.substr(0, n)).starts_with("tamis calibration: line "));
    }
    says(error_with("120756,", "120756,,"), "line 22: 'tokens': this is no JSON");
    says(error_of_text(whole.substr(0, whole.rfind('}')) + ",}"), "this is no JSON");
    says(error_with("]", ",]"), "this is no JSON");
}

TEST_CASE("neither depth nor length takes memory or time beyond the file's") {
    const std::string deep(20000, '['), closed(20000, ']');
    CHECK(error_of_text(deep) == "tamis calibration: line 1: this is no JSON object");
    says(error_with("\"tokens\"", "\"mine\": " + deep + closed + ", \"tokens\""),
         "line 22: 'mine': brackets in more than 64 others");
    says(error_with("\"value\"", "\"mine\": " + deep + closed + ", \"value\""),
         "line 11: rules[0]: 'mine': brackets in more than 64 others");
    std::string objects;
    for (int i = 0; i < 20000; ++i) {
        objects += "{\"a\":";
    }
    CHECK(error_with("\"tokens\"", "\"mine\": " + objects) != "");
    CHECK(error_with("\"tokens\"", "\"mine\": [[1, {\"rules\": []}], {\"value\": [{}]}], \"tokens\"") == "");
    says(error_with("\"layers\": 2", "\"layers\": 65537"), "line 4: there can be 65536 layers, not 65537");
    if (!takes_turn()) {
        return;
    }
    std::string many = "{\"rules\": [";
    for (int i = 0; i < 4 * 65536 + 1; ++i) {
        many += "{\"layer\":0,\"site\":\"up\",\"rule\":\"top_k\",\"value\":1},\n";
    }
    many.replace(many.rfind("},"), 2, "} ");
    many += "],\"format\":\"tamis-calibration\",\"version\":1}";
    CHECK(error_of_text(many) ==
          "tamis calibration: line 262145: rules[262144]: more rules than 65536 layers can have");
}

TEST_CASE("thresholds of channels: a list in the place of a value, to the bit, in a file of version 2") {
    engine random{9};
    calibration c = example();
    CHECK(to_json(c)["version"] == 1); // what says no more than before is read by what was there before
    for (const std::size_t layer : {0u, 1u}) {
        std::vector<float> thresholds = generate<float>(shape::heavy_tailed, 70, random);
        for (float& t : thresholds) {
            t = std::fabs(t);
        }
        thresholds[3] = denormal_of<float>(1);
        c.rules.push_back({layer, site::gate, "channel_thresholds", 0, thresholds});
    }
    CHECK(to_json(c)["version"] == 2);
    CHECK(!to_json(c)["rules"][2].contains("value"));
    CHECK(read_calibration(to_text(c)).value == c);
    CHECK(from_json(to_json(c)).value == c);
    const std::vector<float> gate = generate<float>(shape::heavy_tailed, 70, random);
    const tamis::any_selector selector =
        selector_at(*read_calibration(to_text(c)).value, 1, site::gate); // holds its own
    CHECK(selector(gate) == tamis::channel_thresholds{c.rules[3].values}(gate));
}

TEST_CASE("thresholds of channels: doubles between floats are rounded up, which compares floats alike") {
    nlohmann::json j = example();
    j["rules"][0] = {{"values", {0.1, double{0.1f}, 0, 1e-46, 0x1.0000000001p0}},
                     {"layer", 0},
                     {"site", "intermediate"},
                     {"rule", "channel_thresholds"}};
    const auto read = read_calibration(j.dump());
    REQUIRE(read);
    CHECK(read.value->rules[0].values ==
          std::vector<float>{0.1f, 0.1f, 0.0f, denormal_of<float>(1), 0x1.000002p0f});
}

TEST_CASE("thresholds of channels: what is wrong with a list is said") {
    const auto with_values = [](nlohmann::json values) {
        return after([&](nlohmann::json& j) {
            j["rules"][1] = {{"layer", 1},
                             {"site", "gate"},
                             {"rule", "channel_thresholds"},
                             {"values", std::move(values)}};
        });
    };
    CHECK(with_values({1, "x"}) == "tamis calibration: rules[1]: 'values' must be a list of numbers, got x");
    CHECK(with_values({1, nlohmann::json::array({2})}) ==
          "tamis calibration: rules[1]: 'values' must be a list of numbers, got a list");
    CHECK(with_values(7) == "tamis calibration: rules[1]: 'values' must be a list of numbers, got 7");
    CHECK(
        with_values({1, -0.5}) ==
        "tamis calibration: layer 1, gate: the values of channel_thresholds must be finite and >= 0, got -0.5");
    CHECK(
        with_values({1, 1e300}) ==
        "tamis calibration: layer 1, gate: the values of channel_thresholds must be finite and >= 0, got inf");
    CHECK(with_values(nlohmann::json::array()) ==
          "tamis calibration: layer 1, gate: channel_thresholds needs a value for each channel, got none");
    CHECK(with_rule_field("rule", "channel_thresholds") ==
          "tamis calibration: rules[1]: the field 'values' is missing");
    CHECK(after([](nlohmann::json& j) { j["rules"][1].erase("value"); }) ==
          "tamis calibration: rules[1]: the field 'value' is missing");
}

TEST_CASE("another format or a newer version is said so, whatever else the file has, wherever it stands") {
    CHECK(error_of_text("{\"rules\": {\"new\": 1}, \"format\": \"tamis-calibration\",\n \"version\": 3}") ==
          "tamis calibration: line 2: version 3 can not be read; this library knows 1 to 2");
    says(error_of_text("{\"rules\": 7, \"format\": \"gguf\"}"), "got 'gguf'");
}

TEST_CASE("another format, a newer version") {
    CHECK(with_field("format", "gguf") ==
          "tamis calibration: the format must be 'tamis-calibration', got 'gguf'");
    CHECK(with_field("format", 1) == "tamis calibration: 'format' must be a text, got 1");
    CHECK(with_field("version", 3) ==
          "tamis calibration: version 3 can not be read; this library knows 1 to 2");
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
