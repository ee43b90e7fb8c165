#pragma once

#include "error.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace study {

enum class activation { silu, gelu, relu };
enum class site_choice {
    input,
    gate,
    up,
    intermediate,
    all_inputs
}; ///< all_inputs: input, then intermediate
enum class rule_choice { top_p, top_k, max_p, threshold };

inline constexpr std::array activation_names{"silu", "gelu", "relu"};
inline constexpr std::array site_names{"input", "gate", "up", "intermediate", "all_inputs"};
inline constexpr std::array rule_names{"top_p", "top_k", "max_p", "threshold"};

inline const char* name(activation a) { return activation_names[static_cast<std::size_t>(a)]; }
inline const char* name(site_choice s) { return site_names[static_cast<std::size_t>(s)]; }
inline const char* name(rule_choice r) { return rule_names[static_cast<std::size_t>(r)]; }

/// A rule's parameter, and how the user wrote it (so tables repeat it as it was typed).
struct rule_value {
    double number;
    std::string text;
};

/// What a parameter may be, and the sweep when the user names no values.
struct rule_domain {
    const char* meaning;
    double most; ///< the least is 0 everywhere
    bool falls;  ///< a smaller value drops more: the dense end has the largest one
    const char* default_values;
};

inline rule_domain domain(rule_choice rule) {
    switch (rule) {
        case rule_choice::top_p:
            return {"the kept share of the mass", 1, true, "1,0.98,0.95,0.9,0.8,0.65,0.5,0.3"};
        case rule_choice::top_k:
            return {"the kept share of the entries", 1, true, "1,0.9,0.8,0.7,0.6,0.5,0.4,0.3"};
        case rule_choice::max_p:
            return {"a share of the largest entry", 1, false, "0,0.01,0.02,0.05,0.1,0.2,0.3"};
        case rule_choice::threshold: break;
    }
    return {"the smallest magnitude kept", std::numeric_limits<double>::max(), false,
            "0,0.01,0.02,0.05,0.1,0.2,0.5"};
}

/// "a,b,c" in parts; an empty part stays one, to be refused by who reads it.
inline std::vector<std::string> split_list(std::string_view text, char separator = ',') {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

/// The enumerator called `text`; otherwise an error that lists the names there are.
template <class Enum, std::size_t N>
Enum parse_name(const std::array<const char*, N>& names, const std::string& text, const char* option,
                const char* what) {
    for (std::size_t i = 0; i < N; ++i) {
        if (text == names[i]) {
            return static_cast<Enum>(i);
        }
    }
    std::string known = names[0];
    for (std::size_t i = 1; i < N; ++i) {
        known.append(", ").append(names[i]);
    }
    throw error(option, ": unknown ", what, " \"", text, "\" (there are ", known, ")");
}

inline std::vector<site_choice> parse_sites(const std::string& list) {
    std::vector<site_choice> sites;
    for (const auto& text : split_list(list)) {
        const auto site = parse_name<site_choice>(site_names, text, "--sites", "site");
        if (std::find(sites.begin(), sites.end(), site) == sites.end()) {
            sites.push_back(site);
        }
    }
    return sites;
}

/// The sweep, sorted from the dense end; values given twice count once.
inline std::vector<rule_value> parse_values(const std::string& list, rule_choice rule) {
    const rule_domain range = domain(rule);
    std::vector<rule_value> values;
    for (const auto& text : split_list(list)) {
        char* end = nullptr;
        const double number = std::strtod(text.c_str(), &end);
        const bool plain =
            text.find_first_not_of("0123456789.eE+-") == std::string::npos; // no nan, inf, hex, blanks
        if (!plain || text.empty() || end != text.c_str() + text.size()) {
            throw error("--values: \"", text, "\" is no number");
        }
        if (number < 0 || number > range.most) {
            throw error("--values: ", text, " is outside the domain of ", name(rule), ", ", range.meaning,
                        ": ", range.most == 1 ? "0 .. 1" : "0 or more");
        }
        values.push_back({number, text});
    }
    std::stable_sort(values.begin(), values.end(), [&](const rule_value& a, const rule_value& b) {
        return range.falls ? a.number > b.number : a.number < b.number;
    });
    const auto same = [](const rule_value& a, const rule_value& b) { return a.number == b.number; };
    values.erase(std::unique(values.begin(), values.end(), same), values.end());
    return values;
}

} // namespace study
