#pragma once

#include <tamis/cut.hpp>
#include <tamis/detail/read_double.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

TAMIS_BEGIN

// Rules as text: what text_rule.hpp gives a meaning to, as a tree. Never throws; what is wrong becomes a sentence.

namespace detail {

enum class rule_word : std::uint8_t {
    top_p,
    top_k,
    top_k_fraction,
    top_k_dropping,
    max_p,
    threshold,
    threshold_above,
    nonzero,
    tail_budget, // rules
    guarded,
    at_least,
    at_most,
    both,
    either, // made of rules (the last two of selectors, too)
    power,
    weighted,
    centred,
    group_sum,
    group_largest,
    group_norm,
    channel_thresholds, // with a score of their own
};

/// What a number may be.
enum class rule_number : std::uint8_t { none, share, positive, whole, factor, exponent, finite };

struct rule_name {
    std::string_view name;
    rule_word word;
    rule_number number;
};
inline constexpr rule_name rule_names[]{{"top_p", rule_word::top_p, rule_number::share},
                                        {"top_k", rule_word::top_k, rule_number::whole},
                                        {"top_k_fraction", rule_word::top_k_fraction, rule_number::share},
                                        {"top_k_dropping", rule_word::top_k_dropping, rule_number::share},
                                        {"max_p", rule_word::max_p, rule_number::share},
                                        {"threshold", rule_word::threshold, rule_number::positive},
                                        {"threshold_above", rule_word::threshold_above,
                                         rule_number::positive},
                                        {"nonzero", rule_word::nonzero, rule_number::none},
                                        {"tail_budget", rule_word::tail_budget, rule_number::positive},
                                        {"channel_thresholds", rule_word::channel_thresholds,
                                         rule_number::none}};
/// In front of a rule and a colon, with a number in parentheses.
inline constexpr rule_name rule_prefixes[]{{"guarded", rule_word::guarded, rule_number::factor},
                                           {"at_least", rule_word::at_least, rule_number::whole},
                                           {"at_most", rule_word::at_most, rule_number::whole},
                                           {"power", rule_word::power, rule_number::exponent},
                                           {"weighted", rule_word::weighted, rule_number::none},
                                           {"centred", rule_word::centred, rule_number::finite},
                                           {"grouped_sum", rule_word::group_sum, rule_number::whole},
                                           {"grouped_largest", rule_word::group_largest, rule_number::whole},
                                           {"grouped_norm", rule_word::group_norm, rule_number::whole}};
/// Short for a rule with something in front.
struct rule_alias {
    std::string_view name, prefix, rule;
};
inline constexpr rule_alias rule_aliases[]{{"cett", "weighted", "threshold"},
                                           {"top_p_energy", "power(2)", "top_p"},
                                           {"guarded_top_p", "guarded(64)", "top_p"}};

struct rule_node {
    rule_word word;
    bool is_rule; ///< has a cut of the scores that it is given; else it has scores of its own
    double number = 0;
    std::size_t first = 0, second = 0; ///< what it is made of
};

/// What is wrong with a number; null if nothing is.
inline const char* problem_of(rule_number kind, double n) {
    const bool number = magnitude_bits(n) < infinity_bits<double>; // by the bits: -ffast-math knows no NaN
    const auto whole = [](double v) { return static_cast<double>(static_cast<std::uint64_t>(v)) == v; };
    switch (kind) {
        case rule_number::none: return nullptr;
        case rule_number::share: return number && n >= 0 && n <= 1 ? nullptr : "in [0, 1]";
        case rule_number::positive: return number && n >= 0 ? nullptr : "finite and >= 0";
        case rule_number::factor: return number && n > 1 ? nullptr : "finite and > 1";
        case rule_number::finite: return number ? nullptr : "finite";
        case rule_number::exponent:
            return number && n >= 1 && n <= 7 && whole(n * 16) ? nullptr : "a multiple of 1/16 in [1, 7]";
        case rule_number::whole: break;
    }
    return number && n >= 0 && n <= 0x1p53 && whole(n) ? nullptr : "a whole number, at most 2^53";
}

/// Reads one rule. The last node is the root.
class rule_parser {
  public:
    explicit rule_parser(std::string_view text) : all_{text}, rest_{text} {
        root_ = either(0);
        skip_spaces();
        if (error_.empty() && !rest_.empty()) {
            wrong("'" + std::string{rest_.substr(0, 40)} + "' is left over; rules are joined by & and |");
        }
    }

    /// Empty if it could be read.
    const std::string& error() const { return error_; }
    std::vector<rule_node> take() { return std::move(nodes_); }
    std::size_t root() const { return root_; }
    /// Whether some part is such.
    bool has(rule_word word) const {
        return std::any_of(nodes_.begin(), nodes_.end(),
                           [word](const rule_node& n) { return n.word == word; });
    }

  private:
    static constexpr std::size_t deepest = 24, most_nodes = 256;

    std::size_t either(std::size_t depth) { return joined(depth, '|', rule_word::either); }
    std::size_t joined(std::size_t depth, char sign, rule_word word) {
        const auto one = [&] {
            return word == rule_word::either ? joined(depth, '&', rule_word::both) : part(depth);
        };
        std::size_t result = one();
        while (error_.empty() && take(sign)) {
            const std::size_t other = one();
            if (error_.empty()) {
                result = add({word, nodes_[result].is_rule && nodes_[other].is_rule, 0, result, other});
            }
        }
        return result;
    }

    std::size_t part(std::size_t depth) {
        if (depth > deepest) {
            return wrong("it is nested too deeply");
        }
        if (take('(')) {
            const std::size_t inside = either(depth + 1);
            return error_.empty() && !take(')') ? wrong("a ) is missing") : inside;
        }
        const std::string_view name = word("abcdefghijklmnopqrstuvwxyz_0123456789");
        for (const rule_alias& a : rule_aliases) {
            if (name == a.name) {
                const std::string_view behind = a.prefix.find('(') == a.prefix.npos
                                                    ? std::string_view{}
                                                    : a.prefix.substr(a.prefix.find('(') + 1);
                const std::string_view bare = a.prefix.substr(0, a.prefix.find('('));
                const std::string_view inner = behind.substr(0, behind.find(')'));
                const std::size_t rule = plain(*find(rule_names, a.rule));
                return error_.empty() ? around(*find(rule_prefixes, bare), inner, rule) : 0;
            }
        }
        if (const rule_name* prefix = find(rule_prefixes, name); prefix != nullptr) {
            std::string_view number;
            if (take('(')) {
                number = word(numerals);
                if (!take(')')) {
                    return wrong("a ) is missing behind " + std::string{name} + "(" + std::string{number});
                }
            }
            if (!take(':')) {
                return wrong(std::string{name} +
                             " stands in front of a rule and a colon: " + std::string{name} +
                             (prefix->number == rule_number::none ? ":top_p=0.9" : "(64):top_p=0.9"));
            }
            const std::size_t rule = part(depth + 1);
            return error_.empty() ? around(*prefix, number, rule) : 0;
        }
        if (const rule_name* found = find(rule_names, name); found != nullptr) {
            return plain(*found);
        }
        std::string known;
        for (const rule_name& n : rule_names) {
            known.append(known.empty() ? "" : ", ").append(n.name);
        }
        for (const rule_alias& a : rule_aliases) {
            known.append(", ").append(a.name);
        }
        return wrong(name.empty()
                         ? "a rule is expected, as in top_p=0.9, where there is '" +
                               std::string{rest_.substr(0, 40)} + "'"
                         : "there is no rule '" + std::string{name.substr(0, 40)} + "'; there are " + known);
    }

    std::size_t plain(const rule_name& n) {
        double number = 0;
        if (n.number != rule_number::none) {
            if (!take('=')) {
                return wrong(std::string{n.name} + " needs a number: " + std::string{n.name} + "=0.9");
            }
            if (!read(n, word(numerals), number)) {
                return 0;
            }
        }
        return add({n.word, n.word != rule_word::channel_thresholds, number});
    }
    std::size_t around(const rule_name& n, std::string_view text, std::size_t rule) {
        double number = 0;
        if (n.number != rule_number::none ? !read(n, text, number) : !text.empty()) {
            return error_.empty() ? wrong(std::string{n.name} + " takes no number") : 0;
        }
        if (n.word >= rule_word::group_sum && number == 0) {
            return wrong("the size of a group must be at least 1, got 0");
        }
        if (!nodes_[rule].is_rule) {
            return wrong(std::string{n.name} +
                         " stands in front of a rule, not of a score: write the score first, as in "
                         "power(2):guarded(64):top_p=0.9");
        }
        return add({n.word, n.word < rule_word::power, number, rule});
    }
    bool read(const rule_name& n, std::string_view text, double& number) {
        const bool is_number = read_double(text, number);
        const char* const domain = is_number ? problem_of(n.number, number) : "a number";
        if (domain != nullptr) {
            wrong("the number of " + std::string{n.name} + " must be " + domain + ", got '" +
                  std::string{text.substr(0, 40)} + "'");
        }
        return domain == nullptr;
    }

    template <std::size_t N>
    static const rule_name* find(const rule_name (&list)[N], std::string_view name) {
        for (const rule_name& n : list) {
            if (n.name == name) {
                return &n;
            }
        }
        return nullptr;
    }
    std::size_t add(const rule_node& n) {
        if (nodes_.size() == most_nodes) {
            return wrong("it has more than 256 parts");
        }
        nodes_.push_back(n);
        return nodes_.size() - 1;
    }
    void skip_spaces() { rest_.remove_prefix((std::min)(rest_.size(), rest_.find_first_not_of(' '))); }
    bool take(char c) {
        skip_spaces();
        const bool is_there = !rest_.empty() && rest_.front() == c;
        rest_.remove_prefix(is_there ? 1 : 0);
        return is_there;
    }
    static constexpr std::string_view numerals = "0123456789.+-eExXpPinfaNIFAabcdefABCDEF";
    std::string_view word(std::string_view characters) {
        skip_spaces();
        const std::string_view result = rest_.substr(0, rest_.find_first_not_of(characters));
        rest_.remove_prefix(result.size());
        return result;
    }
    std::size_t wrong(const std::string& what) {
        if (error_.empty()) {
            error_ = "tamis rule '" + std::string{all_.substr(0, 60)} + "': " + what;
        }
        return 0;
    }

    std::string_view all_, rest_;
    std::vector<rule_node> nodes_;
    std::size_t root_ = 0;
    std::string error_;
};

} // namespace detail

TAMIS_END
