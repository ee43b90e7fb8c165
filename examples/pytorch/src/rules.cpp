#include "kernels.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace tamis_torch {
namespace {

[[noreturn]] void wrong(std::string_view text, const std::string& what) {
    throw std::invalid_argument("tamis: rule '" + std::string{text} + "': " + what +
                                "; write top_p=0.9@input,intermediate, for example");
}

std::string_view next(std::string_view& rest, char end) {
    const std::string_view part = rest.substr(0, rest.find(end));
    rest.remove_prefix((std::min)(rest.size(), part.size() + 1));
    return part;
}

} // namespace

std::vector<rule> read_rules(std::string_view text, int without_place) {
    constexpr std::string_view known[] = {"top_p",     "max_p",   "top_k", "top_k_fraction",
                                          "threshold", "nonzero", "cett",  "channel_thresholds"};
    std::vector<rule> rules;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view of_one = next(rest, ';');
        const bool has_place = of_one.find('@') != of_one.npos;
        std::string_view number = next(of_one, '@');
        const bool has_number = number.find('=') != number.npos;
        rule r{std::string{next(number, '=')}, 0, without_place};
        if (std::find(std::begin(known), std::end(known), r.name) == std::end(known)) {
            wrong(text, "there is no rule '" + r.name +
                            "'; there are top_p, max_p, top_k, top_k_fraction, threshold, nonzero, cett and "
                            "channel_thresholds");
        }
        if (r.name == "nonzero" || r.name == "channel_thresholds") {
            if (has_number) {
                wrong(text, r.name + " takes no number");
            }
        } else {
            const char* const end = number.data() + number.size();
            const auto [last, error] = std::from_chars(number.data(), end, r.value);
            if (error != std::errc{} || last != end) {
                wrong(text, r.name + " takes a number, and '" + std::string{number} + "' is none");
            }
        }
        if (!has_place) {
            rules.push_back(r);
            continue;
        }
        if (of_one.empty()) {
            wrong(text, "nothing stands behind @");
        }
        while (!of_one.empty()) {
            const std::string_view name = next(of_one, ',');
            const auto* const found = std::find(std::begin(places), std::end(places), name);
            if (found == std::end(places)) {
                wrong(text, "there is no place '" + std::string{name} +
                                "'; there are input, gate, up and intermediate");
            }
            r.where = static_cast<int>(found - places);
            rules.push_back(r);
        }
    }
    return rules;
}

} // namespace tamis_torch
