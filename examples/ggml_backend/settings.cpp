#include "settings.hpp"

#include <tamis/study/calibrate/calibration_json.hpp>

#include <charconv>
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
    s.model = read.value->model;
    s.layers = read.value->layers;
    for (const tamis::study::calibrated_rule& r : read.value->rules) {
        s.of_layer[{r.layer, static_cast<place>(r.where)}] = {r.rule, r.value, r.values};
    }
}

/// name=value@place,place;...
void read_rules(settings& s, std::string_view text) {
    s.source = "TAMIS_RULE=" + std::string{text};
    const auto wrong = [&](const std::string& what) {
        stop(s.source + ": " + what + "; write top_p=0.9@input,intermediate, for example");
    };
    const auto next = [](std::string_view& rest, char end) {
        const std::string_view part = rest.substr(0, rest.find(end));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        return part;
    };
    while (!text.empty()) {
        std::string_view places_of = next(text, ';');
        std::string_view number = next(places_of, '@');
        tamis::study::calibrated_rule r{0, tamis::site::gate, std::string{next(number, '=')}, 0, {}};
        if (r.rule != "nonzero") {
            const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), r.value);
            if (error != std::errc{} || end != number.data() + number.size()) {
                wrong("'" + std::string{number} + "' is no number");
            }
        }
        if (places_of.empty()) {
            places_of = "intermediate";
        }
        while (!places_of.empty()) {
            const std::string_view name = next(places_of, ',');
            std::size_t at = 0;
            while (at != places && name != tamis::name_of(static_cast<tamis::site>(at))) {
                ++at;
            }
            if (at == places) {
                wrong("there is no place '" + std::string{name} +
                      "'; there are input, gate, up and intermediate");
            }
            r.where = static_cast<tamis::site>(at);
            if (const std::string problem = problem_of(r); !problem.empty() && r.rule != "nonzero") {
                wrong(problem);
            }
            s.of_all[at] = {r.rule, r.value, {}};
        }
    }
}

settings read_settings() {
    settings s;
    s.statistics = is_on("TAMIS_STATS");
    s.prompts = is_on("TAMIS_PROMPT");
    s.all = is_on("TAMIS_ALL");
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
    s.asked = !s.source.empty();
    return s;
}

} // namespace

rule settings::at(std::size_t layer, place where) const {
    const auto found = of_layer.find({layer, where});
    const owned_rule& r = found != of_layer.end() ? found->second : of_all[static_cast<std::size_t>(where)];
    return {r.name.c_str(), r.value, &r.values};
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
