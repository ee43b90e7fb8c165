#pragma once

#include <tamis/cut.hpp>
#include <tamis/score/score.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

// A rule turns scores into a cut. One of your own is a class with
//
//     template <class Real> tamis::cut<Real> cut_of(tamis::scores<Real> s) const;
//
// or, when it needs scratch memory, cut_of(s, tamis::workspace) beside
//
//     static std::size_t workspace_bytes(std::size_t n);   // the most that cut_of takes for n scores
//
// It may be move-only and need not be a template if it serves one real. Derive from tamis::selects<Mine> to
// call it on values like the library's own, `mask m = mine(values);`, and to join two of your own by & and |.

namespace detail {

template <class R, class Real>
concept plain_rule_for = requires(const R& r, scores<Real> s) {
    { r.cut_of(s) } -> std::same_as<cut<Real>>;
};
template <class R, class Real>
concept working_rule_for = requires(const R& r, scores<Real> s, workspace w, std::size_t n) {
    { r.cut_of(s, w) } -> std::same_as<cut<Real>>;
    { r.workspace_bytes(n) } -> std::convertible_to<std::size_t>;
};

} // namespace detail

template <class R, class Real>
concept rule_for = detail::plain_rule_for<R, Real> || detail::working_rule_for<R, Real>;

/// Models: top_p, top_k, max_p, threshold, nonzero, tail_budget, both_rules (r & s), either_rule (r | s), at_least, at_most,
/// guarded.
template <class R>
concept rule = rule_for<R, float> || rule_for<R, double>;

/// The cut of a rule for scores, with or without a workspace as the rule wants it.
template <class R, class Real>
    requires rule_for<R, Real>
cut<Real> cut_of(const R& rule, scores<Real> s, workspace w) {
    if constexpr (detail::working_rule_for<R, Real>) {
        return rule.cut_of(s, w);
    } else {
        return rule.cut_of(s);
    }
}

/// Bytes of workspace that cut_of needs for n scores.
template <rule R>
constexpr std::size_t rule_workspace_bytes(const R& rule, std::size_t n) {
    if constexpr (requires { rule.workspace_bytes(n); }) {
        return rule.workspace_bytes(n);
    } else {
        return 0;
    }
}

namespace detail {

/// Why a class that has a cut_of is no rule: one assertion a near miss, each with the way out. True when R is a
/// rule or does not try to be one.
template <class R>
constexpr bool explain_rule() {
    constexpr bool tries = requires(R& r, scores<float> s) { r.cut_of(s); } ||
                           requires(R& r, scores<float> s, workspace w) { r.cut_of(s, w); } ||
                           requires(R& r, scores<double> s) { r.cut_of(s); } ||
                           requires(R& r, scores<double> s, workspace w) { r.cut_of(s, w); };
    if constexpr (tries && !rule<R>) {
        constexpr bool is_const = requires(const R& r, scores<float> s) { r.cut_of(s); } ||
                                  requires(const R& r, scores<float> s, workspace w) { r.cut_of(s, w); } ||
                                  requires(const R& r, scores<double> s) { r.cut_of(s); } ||
                                  requires(const R& r, scores<double> s, workspace w) { r.cut_of(s, w); };
        static_assert(
            is_const,
            "tamis: a rule's cut_of must be a const member function (one rule serves many threads)");
        constexpr bool wants_workspace = requires(const R& r, scores<float> s, workspace w) {
            r.cut_of(s, w);
        } || requires(const R& r, scores<double> s, workspace w) { r.cut_of(s, w); };
        constexpr bool says_bytes = requires(const R& r, std::size_t n) {
            { r.workspace_bytes(n) } -> std::convertible_to<std::size_t>;
        };
        static_assert(!is_const || !wants_workspace || says_bytes,
                      "tamis: a rule whose cut_of takes a workspace must say how much it needs: add "
                      "`std::size_t workspace_bytes(std::size_t n) const`");
        static_assert(
            !is_const || (wants_workspace && !says_bytes),
            "tamis: a rule's cut_of must return tamis::cut<Real> for the Real of the scores it is given "
            "(make one with tamis::cut<Real>::at(threshold))");
        return false;
    } else {
        return true;
    }
}

} // namespace detail

TAMIS_END
