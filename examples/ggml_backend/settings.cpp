#include "settings.hpp"

#include <tamis/study/calibrate/calibration_json.hpp>
#include <tamis/study/calibrate/rules_as_text.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>

namespace tamis_ggml {
namespace {

bool is_on(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != 0 && std::string_view{value} != "0";
}

/// Whether a rule is what is done without one. `nonzero` is not: it takes weights before the CPU lays them out for itself.
bool masks_zeros_alone(const tamis::study::calibrated_rule& r) {
    const bool by_size = r.rule == "threshold" || r.rule == "cett";
    const bool by_share = r.rule == "top_p" || r.rule == "top_k_fraction";
    return (by_size && !(r.value > 0)) || (by_share && !(r.value < 1));
}

void read_plan(settings& s, const char* path) {
    s.source = std::string{"TAMIS_PLAN="} + path;
    std::ifstream file{path, std::ios::binary};
    if (!file) {
        stop(s.source + ": the file can not be read");
    }
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const tamis::study::calibration_reading read = tamis::study::read_calibration(text);
    if (!read) {
        stop(s.source + ": " + read.error);
    }
    if (read.value->rules.empty()) {
        stop(s.source + ": 'rules' is empty: without TAMIS_PLAN the model runs as it is");
    }
    s.model = read.value->model;
    s.layers = read.value->layers;
    for (const tamis::study::calibrated_rule& r : read.value->rules) {
        if (!masks_zeros_alone(r)) {
            s.of_layer[{r.layer, static_cast<place>(r.where)}] = {r.rule, r.value, r.values};
            s.asked = true;
        }
    }
}

void read_rules(settings& s, std::string_view text) {
    s.source = "TAMIS_RULE=" + std::string{text};
    const tamis::study::rules_as_text read = tamis::study::read_calibrated_rules(text);
    if (!read.error.empty()) {
        stop("TAMIS_RULE: " + read.error);
    }
    for (const tamis::study::calibrated_rule& r : read.rules) {
        if (!masks_zeros_alone(r)) {
            s.of_all[static_cast<std::size_t>(r.where)] = {r.rule, r.value, {}};
            s.asked = true;
        }
    }
}

settings read_settings() {
    settings s;
    s.statistics = is_on("TAMIS_STATS");
    s.prompts = is_on("TAMIS_PROMPT");
    s.all = is_on("TAMIS_ALL");
    s.turns = is_on("TAMIS_TURNS");
    const char* plan = std::getenv("TAMIS_PLAN");
    const char* rules = std::getenv("TAMIS_RULE");
    if (plan != nullptr && rules != nullptr && *plan != 0 && *rules != 0) {
        stop("TAMIS_PLAN and TAMIS_RULE are both set: unset one of them");
    }
    if (plan != nullptr && *plan != 0) {
        read_plan(s, plan);
    } else if (rules != nullptr && *rules != 0) {
        read_rules(s, rules);
    }
    s.find_shapes();
    return s;
}

} // namespace

rule settings::at(std::size_t layer, place where) const {
    const auto found = of_layer.find({layer, where});
    const owned_rule& r = found != of_layer.end() ? found->second : of_all[static_cast<std::size_t>(where)];
    return {r.name.c_str(), r.value, &r.values};
}

void settings::find_shapes() {
    const auto found = [&](std::size_t layer) {
        const bool input(at(layer, place::input)), gate(at(layer, place::gate)), up(at(layer, place::up)),
            intermediate(at(layer, place::intermediate));
        return shape{input || gate || up || intermediate, gate || up || (input && intermediate)};
    };
    const std::size_t with_rules = of_layer.empty() ? 0 : of_layer.rbegin()->first.first + 1;
    shape_of_others = found(with_rules);
    for (std::size_t layer = 0; layer < with_rules; ++layer) {
        shape_of_layer.push_back(found(layer));
    }
}

const settings& asked() {
    static const settings read = read_settings();
    return read;
}

void say(const std::string& sentence) {
    static std::mutex one_at_a_time;
    static std::set<std::string> said;
    const std::lock_guard lock{one_at_a_time};
    if (said.insert(sentence).second) {
        std::fprintf(stderr, "tamis: %s\n", sentence.c_str());
    }
}

void stop(const std::string& sentence) {
    say(sentence);
    std::exit(EXIT_FAILURE);
}

} // namespace tamis_ggml
