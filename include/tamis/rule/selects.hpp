#pragma once

#include <tamis/select.hpp>

#include <utility>

TAMIS_BEGIN

/// Base of rules and selectors that makes them callable on values: `mask m = rule(values);`, or into the caller's
/// memory `rule(values, mask_span, workspace)`. Optional: tamis::select takes any rule or selector.
template <class Derived>
struct selects {
    /// A mask of its own: allocates.
    template <class V>
    mask operator()(V&& v) const {
        return tamis::select(static_cast<const Derived&>(*this), v);
    }
    /// Into a mask of yours; memory of selection_bytes.
    template <class V>
    void operator()(V&& v, mask_span out, workspace w) const {
        tamis::select(static_cast<const Derived&>(*this), v, out, w);
    }
};

/// A score with a rule: `scored{weighted{norms}, top_p{0.9}}`.
template <class Score, class Rule>
class scored : public selects<scored<Score, Rule>> {
    static_assert(
        score<Score>,
        "tamis: this is no score: a score has a const operator()(Real value, std::size_t place) for "
        "Real = float or double (a template serves both) and returns float or double");
    static_assert(detail::explain_rule<Rule>());
    static_assert(rule<Rule>,
                  "tamis: the second part of scored{score, rule} is no rule; see tamis/rule/rule.hpp");

  public:
    /// The rule, on this score.
    constexpr scored(Score score, Rule rule) : score_{std::move(score)}, rule_{std::move(rule)} {}

    template <class View>
    void select(View values, mask_span out, workspace w) const {
        detail::select_scored(score_, rule_, values, out, w);
    }
    constexpr std::size_t selection_bytes(std::size_t n) const { return tamis::selection_bytes(rule_, n); }

    /// The score.
    constexpr const Score& score_part() const { return score_; }
    /// The rule.
    constexpr const Rule& rule_part() const { return rule_; }

  private:
    Score score_;
    Rule rule_;
};

TAMIS_END
