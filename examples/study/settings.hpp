#pragma once

#include "error.hpp"
#include "lists.hpp"
#include "model/activation.hpp"
#include "remarks.hpp"
#include "suggest.hpp"

#include <tamis/any_selector.hpp>
#include <tamis/ffn/site.hpp>
#include <tamis/study/critical.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

namespace study = tamis::study;

// What the command line names: activations, sites, rules and their values.

inline constexpr std::array activation_names{"silu", "gelu", "relu", "gelu_tanh"};
inline const char* name(activation a) { return activation_names[static_cast<std::size_t>(a)]; }

/// Where masks go. all_inputs: at the input, and at the intermediate of what that leaves.
struct site_choice {
    const char* name;
    std::vector<tamis::site> sites;
};
inline const std::vector<site_choice>& site_choices() {
    using tamis::site;
    static const std::vector<site_choice> all{{"input", {site::input}},
                                              {"gate", {site::gate}},
                                              {"up", {site::up}},
                                              {"intermediate", {site::intermediate}},
                                              {"all_inputs", {site::input, site::intermediate}}};
    return all;
}

/// A rule with one parameter. A new one is a row in measure/rules.cpp.
struct rule_family {
    const char* name;
    const char* meaning; ///< of the parameter
    double most;         ///< the least is 0 everywhere
    bool falls;          ///< a smaller value drops more: the dense end has the largest one
    const char* default_values;
    tamis::any_selector (*make)(double value);
};
const std::vector<rule_family>& rule_families();

/// A rule's parameter, and how the user wrote it (so tables repeat it as it was typed).
struct rule_value {
    double number;
    std::string text;
};

/// The index of what is called `text`; otherwise an error that lists the names there are.
template <class Named, class NameOf>
std::size_t find_name(const Named& known, NameOf name_of, const std::string& text, const char* option,
                      const char* what) {
    std::string list;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (text == name_of(known[i])) {
            return i;
        }
        list.append(i == 0 ? "" : ", ").append(name_of(known[i]));
        names.emplace_back(name_of(known[i]));
    }
    throw error(option, ": unknown ", what, " \"", text, "\"", did_you_mean(text, names), " (there are ",
                list, ")");
}
inline activation parse_activation(const std::string& text) {
    return static_cast<activation>(find_name(
        activation_names, [](const char* n) { return n; }, text, "--activation", "activation"));
}
inline const rule_family& parse_rule(const std::string& text) {
    const auto& all = rule_families();
    return all[find_name(
        all, [](const rule_family& f) { return f.name; }, text, "--rule", "rule")];
}
/// A list without what it holds again, which is noted: same(a, b) says what is the same, spelling(a) how it is written.
template <class T, class Same, class Spelling>
std::vector<T> each_once(const std::vector<T>& list, const char* option, remarks& notes, Same&& same,
                         Spelling&& spelling) {
    std::vector<T> once;
    for (const T& one : list) {
        const auto first =
            std::find_if(once.begin(), once.end(), [&](const T& other) { return same(one, other); });
        if (first == once.end()) {
            once.push_back(one);
        } else {
            notes.add(option, ": ", spelling(*first), " is given more than once and used once");
        }
    }
    return once;
}
inline std::vector<double> each_once(const std::vector<double>& list, const char* option, remarks& notes) {
    return each_once(list, option, notes, std::equal_to{}, [](double number) { return line(number); });
}
/// Each site once; notes on those given twice, if there is someone to note them.
inline std::vector<site_choice> parse_sites(const std::string& list, remarks* notes = nullptr) {
    std::vector<site_choice> sites;
    for (const auto& text : split_list(list)) {
        const auto& all = site_choices();
        sites.push_back(all[find_name(
            all, [](const site_choice& s) { return s.name; }, text, "--sites", "site")]);
    }
    remarks ignored;
    return each_once(
        sites, "--sites", notes != nullptr ? *notes : ignored,
        [](const site_choice& a, const site_choice& b) { return a.name == std::string_view{b.name}; },
        [](const site_choice& s) { return s.name; });
}

/// A plain decimal number: no nan, inf, hex or blanks.
inline double parse_number(const std::string& text, const char* option) {
    char* end = nullptr;
    errno = 0;
    const double number = std::strtod(text.c_str(), &end);
    const bool plain = text.find_first_not_of("0123456789.eE+-") == std::string::npos;
    if (!plain || text.empty() || end != text.c_str() + text.size()) {
        throw error(option, ": \"", text, "\" is no number");
    }
    if (errno == ERANGE && number == 0) {
        throw error(option, ": ", text, " is too small for a number, and not 0");
    }
    return number;
}
inline std::size_t parse_count(const std::string& text, const char* option, std::size_t most) {
    const bool digits =
        !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
    const std::size_t count = digits ? std::stoul(text) : 0;
    if (count < 1 || count > most) {
        throw error(option, " \"", text, "\": a whole number from 1 to ", most, " is needed");
    }
    return count;
}
/// One number within [least, most]; a list is no number.
inline double parse_within(const std::string& text, const char* option, double least, double most) {
    const double number = parse_number(text, option);
    if (!(number >= least && number <= most)) {
        throw error(option, ": ", text, " is not within ", least, " .. ", most);
    }
    return number;
}
/// One number that is finite and above 0, as a float too.
inline float parse_positive(const std::string& text, const char* option) {
    using limits = std::numeric_limits<float>;
    const double number = parse_number(text, option);
    if (!(number >= static_cast<double>(limits::min()) && number <= static_cast<double>(limits::max()))) {
        throw error(option, ": ", text, " is not a finite number above 0 (within ", limits::min(), " .. ",
                    limits::max(), ")");
    }
    return static_cast<float>(number);
}
/// Numbers within [least, most], in the order given.
inline std::vector<double> parse_numbers(const std::string& list, const char* option, double least,
                                         double most) {
    std::vector<double> numbers;
    for (const auto& text : split_list(list)) {
        numbers.push_back(parse_within(text, option, least, most));
    }
    return numbers;
}

/// The sweep, sorted from the dense end; values given twice count once. "paper" stands for the 26 values of p that
/// "Universal Properties of Activation Sparsity" sweeps.
inline std::vector<rule_value> parse_values(const std::string& list, const rule_family& rule,
                                            const char* option = "--values", remarks* notes = nullptr) {
    std::vector<rule_value> values;
    for (const auto& text :
         list == "paper" && rule.most == 1 ? std::vector<std::string>{} : split_list(list)) {
        const double number = parse_number(text, option);
        if (number < 0 || number > rule.most) {
            throw error(option, ": ", text, " is outside the domain of ", rule.name, ", ", rule.meaning, ": ",
                        rule.most == 1 ? "0 .. 1" : "0 or more");
        }
        values.push_back({number, text});
    }
    if (values.empty()) {
        for (const double p : tamis::study::paper_values) {
            values.push_back({p, line(p)});
        }
    }
    std::stable_sort(values.begin(), values.end(), [&](const rule_value& a, const rule_value& b) {
        return rule.falls ? a.number > b.number : a.number < b.number;
    });
    const auto same = [](const rule_value& a, const rule_value& b) { return a.number == b.number; };
    remarks ignored;
    return each_once(values, option, notes != nullptr ? *notes : ignored, same,
                     [](const rule_value& v) { return v.text; });
}

} // namespace app
