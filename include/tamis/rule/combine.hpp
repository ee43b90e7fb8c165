#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/top_k_cut.hpp>
#include <tamis/whole_number.hpp>

#include <utility>

TAMIS_BEGIN

// Rules made of rules. All work on the same scores, so the result is again one cut.

/// Active under both: `a & b`.
template <rule A, rule B>
class both_rules : public selects<both_rules<A, B>> {
  public:
    /// What both keep.
    constexpr both_rules(A a, B b) : a_{std::move(a)}, b_{std::move(b)} {}

    template <class Real>
        requires rule_for<A, Real> && rule_for<B, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return tamis::cut_of(a_, s, w) & tamis::cut_of(b_, s, w);
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const {
        return (std::max)(rule_workspace_bytes(a_, n), rule_workspace_bytes(b_, n));
    }

  private:
    A a_;
    B b_;
};

/// Active under either: `a | b`.
template <rule A, rule B>
class either_rule : public selects<either_rule<A, B>> {
  public:
    /// What either keeps.
    constexpr either_rule(A a, B b) : a_{std::move(a)}, b_{std::move(b)} {}

    template <class Real>
        requires rule_for<A, Real> && rule_for<B, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return tamis::cut_of(a_, s, w) | tamis::cut_of(b_, s, w);
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const {
        return (std::max)(rule_workspace_bytes(a_, n), rule_workspace_bytes(b_, n));
    }

  private:
    A a_;
    B b_;
};

template <rule A, rule B>
constexpr both_rules<A, B> operator&(A a, B b) {
    return {std::move(a), std::move(b)};
}
template <rule A, rule B>
constexpr either_rule<A, B> operator|(A a, B b) {
    return {std::move(a), std::move(b)};
}

/// The rule, but with the k largest scores (and ties of the k-th) active at the least. For a share of the
/// entries: `rule | top_k::fraction(0.1)`.
template <rule R>
class at_least : public selects<at_least<R>> {
  public:
    /// Refuses a negative k.
    constexpr at_least(whole_number k, R rule)
        : k_{k.or_fail("tamis::at_least: k")}, rule_{std::move(rule)} {}

    template <class Real>
        requires rule_for<R, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return tamis::cut_of(rule_, s, w) | top_k_cut(s, k_, w);
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const {
        return (std::max)(rule_workspace_bytes(rule_, n), top_k_cut_bytes(n));
    }

  private:
    std::size_t k_;
    R rule_;
};

/// The rule, but with never more than k active (NaN apart): ties that do not all fit are dropped together.
/// For a share of the entries: `rule & top_k::fraction(0.9)`, which keeps ties.
template <rule R>
class at_most : public selects<at_most<R>> {
  public:
    /// Refuses a negative k.
    constexpr at_most(whole_number k, R rule) : k_{k.or_fail("tamis::at_most: k")}, rule_{std::move(rule)} {}

    template <class Real>
        requires rule_for<R, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return tamis::cut_of(rule_, s, w) & at_most_cut(s, k_, w);
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const {
        return (std::max)(rule_workspace_bytes(rule_, n), top_k_cut_bytes(n));
    }

  private:
    std::size_t k_;
    R rule_;
};

TAMIS_END
