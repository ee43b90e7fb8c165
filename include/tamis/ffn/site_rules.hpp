#pragma once

#include <tamis/ffn/site.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

TAMIS_BEGIN

/// The rules of an FFN's sites as text, for read_rule; empty where there is none.
struct site_rules {
    /// In the order of the sites: input, gate, up, intermediate.
    std::array<std::string, 4> at;
    /// Empty, or what is wrong with the text, and the way out.
    std::string error{};

    /// The rule of a site.
    const std::string& operator[](site where) const { return at[static_cast<std::size_t>(where)]; }
};

/// Divides rule@site,site;rule@site... among the sites; a rule without any is at `elsewhere`:
///     top_p=0.95@input;top_p=0.9 & threshold=0.01@gate,intermediate
/// Of two rules at a site it says so.
inline site_rules read_site_rules(std::string_view text, site elsewhere = site::intermediate) {
    site_rules result;
    const auto next = [](std::string_view& rest, char end) {
        const std::string_view part = rest.substr(0, rest.find(end));
        rest.remove_prefix((rest.size() < part.size() + 1) ? rest.size() : part.size() + 1);
        return part;
    };
    const auto wrong = [&](std::string_view what, std::string_view way_out) {
        result.error = "tamis rules '" + std::string{text.substr(0, 60)} + "': ";
        result.error.append(what).append("; ").append(way_out);
    };
    std::string_view all = text;
    while (!all.empty() && result.error.empty()) {
        std::string_view sites = next(all, ';');
        const std::string_view rule = next(sites, '@');
        if (rule.empty()) {
            wrong("a rule is missing", "write top_p=0.9@input,intermediate, for example");
        }
        if (sites.empty()) {
            sites = name_of(elsewhere);
        }
        while (!sites.empty() && result.error.empty()) {
            const std::string_view name = next(sites, ',');
            std::size_t at = 0;
            while (at != result.at.size() && name != name_of(static_cast<site>(at))) {
                ++at;
            }
            if (at == result.at.size()) {
                wrong("there is no site '" + std::string{name.substr(0, 40)} + "'",
                      "there are input, gate, up and intermediate");
            } else if (!result.at[at].empty()) {
                wrong("two rules at " + std::string{name},
                      "leave one out, or join them by & or | where these are known");
            } else {
                result.at[at] = rule;
            }
        }
    }
    return result;
}

TAMIS_END
