#pragma once

#include <tamis/detail/read_double.hpp>
#include <tamis/ffn/site_rules.hpp>
#include <tamis/study/calibrate/calibration.hpp>

TAMIS_BEGIN

namespace study {

/// The name of tamis::nonzero among rules as text; a calibration has no such rule, and selector_of none.
inline constexpr std::string_view exact_zeros = "nonzero";

/// What read_calibrated_rules found.
struct rules_as_text {
    std::vector<calibrated_rule> rules{}; ///< in the order of the sites, at most one a site, all of layer 0
    std::string error{};                  ///< empty, or what is wrong with the text and the way out
};

/// The rules of a calibration written by hand, for a program that runs those and no others (read_rule has them all):
///     top_p=0.9@input,intermediate;top_k=32@gate;nonzero@up
/// divided among the sites as read_site_rules does; then a name and its number. A rule without a site is at `elsewhere`. With
/// `of_channels_too` channel_thresholds may be named, whose values come from elsewhere. An error names what is no rule, no number
/// and no site, and a number outside of its rule's domain.
inline rules_as_text read_calibrated_rules(std::string_view text, site elsewhere = site::intermediate,
                                           bool of_channels_too = false) {
    const site_rules divided = read_site_rules(text, elsewhere);
    rules_as_text result{{}, divided.error};
    for (const site where : all_sites) {
        const std::string_view rule = divided[where];
        if (rule.empty() || !result.error.empty()) {
            continue;
        }
        const std::size_t equals = (std::min)(rule.find('='), rule.size());
        calibrated_rule r{0, where, std::string{rule.substr(0, equals)}};
        const std::string_view number = rule.substr((std::min)(equals + 1, rule.size()));
        std::string problem;
        if (r.rule == exact_zeros || (r.rule == of_channels && of_channels_too)) {
            problem = equals == rule.size() ? "" : r.rule + " takes no number";
        } else {
            problem = problem_of(r); // its name and its site: 0 is in every domain
            if (problem.empty() && !detail::read_double(number, r.value)) {
                problem = "'" + std::string{number} + "' is no number";
            }
            problem = problem.empty() ? problem_of(r) : problem;
        }
        if (!problem.empty()) {
            result.error = "tamis rules '" + std::string{text.substr(0, 60)} + "': " + problem +
                           "; write top_p=0.9@input,intermediate, for example";
        }
        result.rules.push_back(std::move(r));
    }
    return result;
}

} // namespace study

TAMIS_END
