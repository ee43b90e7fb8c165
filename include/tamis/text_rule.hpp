#pragma once

#include <tamis/detail/rule_parser.hpp>
#include <tamis/mask/set_operations.hpp>
#include <tamis/rule/channel_thresholds.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/grouped.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/score/group.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/weighted.hpp>

#include <memory>
#include <optional>

TAMIS_BEGIN

namespace detail {

/// The parts of a rule, and what they have for each entry. Stays where it is: scores borrow from it.
struct rule_tree {
    std::vector<rule_node> nodes;
    std::size_t root = 0;
    std::vector<float> numbers;
    std::optional<weighted> by_weight{};
    std::optional<tamis::channel_thresholds> by_channel{};
};

/// A part that is a rule, as the rules around it take one.
class rule_part {
  public:
    rule_part(const rule_tree& all, std::size_t at) : all_{&all}, at_{at} {}

    template <class Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return as_it_is([&](const auto& r) { return tamis::cut_of(r, s, w); });
    }
    std::size_t workspace_bytes(std::size_t n) const {
        return as_it_is([&](const auto& r) { return std::size_t{rule_workspace_bytes(r, n)}; });
    }

  private:
    template <class F>
    auto as_it_is(F&& f) const -> decltype(f(std::declval<const top_p&>())) {
        const rule_node& n = all_->nodes[at_];
        const rule_part first{*all_, n.first};
        const auto whole = static_cast<std::size_t>(n.number);
        switch (n.word) {
            case rule_word::top_p: return f(top_p{n.number});
            case rule_word::top_k: return f(top_k{whole});
            case rule_word::top_k_fraction: return f(top_k::fraction(n.number));
            case rule_word::top_k_dropping: return f(top_k::dropping(n.number));
            case rule_word::max_p: return f(max_p{n.number});
            case rule_word::threshold: return f(threshold{n.number});
            case rule_word::threshold_above: return f(threshold::above(n.number));
            case rule_word::tail_budget: return f(tail_budget{n.number});
            case rule_word::guarded: return f(tamis::guarded<rule_part>{n.number, first});
            case rule_word::at_least: return f(tamis::at_least<rule_part>{whole, first});
            case rule_word::at_most: return f(tamis::at_most<rule_part>{whole, first});
            case rule_word::both:
                return f(both_rules<rule_part, rule_part>{first, rule_part{*all_, n.second}});
            case rule_word::either:
                return f(either_rule<rule_part, rule_part>{first, rule_part{*all_, n.second}});
            default: return f(nonzero{});
        }
    }

    const rule_tree* all_;
    std::size_t at_;
};

} // namespace detail

struct rule_reading;

/// A rule or selector that was written as text: the same masks as the one that the text names, over values of any type. See
/// read_rule. Copies share what they hold, which is never changed; selecting allocates nothing.
class text_rule : public selects<text_rule> {
  public:
    template <class View>
    void select(View values, mask_span out, workspace w) const {
        select_part(tree_->root, values, out, w);
    }
    std::size_t selection_bytes(std::size_t n) const { return bytes_of_part(tree_->root, n); }

  private:
    friend rule_reading read_rule(std::string_view text, std::span<const float> numbers);
    explicit text_rule(std::shared_ptr<const detail::rule_tree> tree) : tree_{std::move(tree)} {}

    template <class Call>
    void with_groups(const detail::rule_node& n, Call&& call) const {
        using detail::rule_part;
        const auto size = static_cast<std::size_t>(n.number);
        const rule_part rule{*tree_, n.first};
        if (n.word == detail::rule_word::group_sum) {
            call(grouped<group_sum, rule_part>{size, group_sum{}, rule});
        } else if (n.word == detail::rule_word::group_largest) {
            call(grouped<group_largest, rule_part>{size, group_largest{}, rule});
        } else {
            call(grouped<group_norm, rule_part>{size, group_norm{}, rule});
        }
    }

    template <class View>
    void select_part(std::size_t at, View values, mask_span out, workspace w) const {
        using detail::rule_word;
        const detail::rule_node& n = tree_->nodes[at];
        const detail::rule_part first{*tree_, n.first};
        if (n.is_rule) {
            return detail::select_scored(magnitude{}, detail::rule_part{*tree_, at}, values, out, w);
        }
        switch (n.word) {
            case rule_word::power: return detail::select_scored(power{n.number}, first, values, out, w);
            case rule_word::weighted: return detail::select_scored(*tree_->by_weight, first, values, out, w);
            case rule_word::centred: return detail::select_scored(centred{n.number}, first, values, out, w);
            case rule_word::channel_thresholds: return tree_->by_channel->select(values, out, w);
            case rule_word::both:
            case rule_word::either: {
                const mask_span other{w.take<std::uint64_t>(mask_words(out.size())), out.size()};
                select_part(n.first, values, out, w);
                select_part(n.second, values, other, w);
                return n.word == rule_word::both ? intersect(out, other, out) : unite(out, other, out);
            }
            default: return with_groups(n, [&](const auto& groups) { groups.select(values, out, w); });
        }
    }
    std::size_t bytes_of_part(std::size_t at, std::size_t n) const {
        const detail::rule_node& part = tree_->nodes[at];
        using detail::rule_word;
        if (part.is_rule) {
            return tamis::selection_bytes(detail::rule_part{*tree_, at}, n);
        }
        switch (part.word) {
            case rule_word::power:
            case rule_word::weighted:
            case rule_word::centred: return tamis::selection_bytes(detail::rule_part{*tree_, part.first}, n);
            case rule_word::channel_thresholds: return 0;
            case rule_word::both:
            case rule_word::either:
                return workspace_bytes_of<std::uint64_t>(mask_words(n)) +
                       (std::max)(bytes_of_part(part.first, n), bytes_of_part(part.second, n));
            default: {
                std::size_t bytes = 0;
                with_groups(part, [&](const auto& groups) { bytes = groups.selection_bytes(n); });
                return bytes;
            }
        }
    }

    std::shared_ptr<const detail::rule_tree> tree_;
};

/// What was read, or why it was not.
struct rule_reading {
    /// The rule, if it is one.
    std::optional<text_rule> value;
    /// Else the text, what is wrong with it and the way out.
    std::string error;
    /// Whether the text wants a number for each entry: weights, norms, thresholds.
    bool wants_numbers = false;
    /// Whether they are thresholds, for one of its parts at least: norms do not serve then.
    bool wants_thresholds = false;

    /// Whether there is one.
    explicit operator bool() const { return value.has_value(); }
};

/// Reads a rule: what a setting, a file or another language says.
///
///     top_p=0.9                   top_k=64, top_k_fraction=.25, top_k_dropping=.75, max_p=.1, threshold=.02, threshold_above=.02,
///                                 nonzero, tail_budget=1.5
///     power(2):top_p=0.9          a score first: power(q), weighted, centred(mode); or groups: grouped_sum(64),
///                                 grouped_largest(64), grouped_norm(64)
///     guarded(64):top_p=0.9       and then what surrounds a rule: guarded(factor), at_least(k), at_most(k)
///     top_p=0.9 & threshold=.01   both; | either; & binds closer, parentheses group
///     cett=.01                    weighted:threshold=.01
///     channel_thresholds          a threshold for each entry
///     top_p_energy=.9, guarded_top_p=.9     power(2):top_p=.9, guarded(64):top_p=.9
///
/// `numbers` are those of weighted, cett (the norms of the neurons) and channel_thresholds, one an entry, and are copied. Never
/// throws: what is wrong is said. Allocates.
inline rule_reading read_rule(std::string_view text, std::span<const float> numbers = {}) {
    detail::rule_parser parser{text};
    const bool by_channel = parser.has(detail::rule_word::channel_thresholds);
    const bool by_number = by_channel || parser.has(detail::rule_word::weighted);
    rule_reading result{std::nullopt, parser.error(), by_number, by_channel};
    if (!result.error.empty()) {
        return result;
    }
    const auto wrong = [&](const char* what) {
        result.error = "tamis rule '" + std::string{text.substr(0, 60)} + "': " + what;
        return result;
    };
    if (result.wants_numbers && numbers.empty()) {
        return wrong("it needs a number for each entry (norms, weights, thresholds), got none");
    }
    const auto tree = std::make_shared<detail::rule_tree>();
    tree->nodes = parser.take();
    tree->root = parser.root();
    if (result.wants_numbers) {
        tree->numbers.assign(numbers.begin(), numbers.end());
        for (float& number : tree->numbers) {
            if (!detail::is_between(widen(number), 0.0, detail::largest_double)) {
                return wrong("the numbers for each entry must be finite and >= 0");
            }
        }
        tree->by_weight.emplace(tree->numbers);
        tree->by_channel.emplace(tree->numbers);
    }
    result.value = text_rule{tree};
    return result;
}

TAMIS_END
