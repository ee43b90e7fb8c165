#pragma once

#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/shard/digits.hpp>

TAMIS_BEGIN

// What each rule cuts where the scores are shared out among ranks: cut_over(rule, own scores, ranks, workspace), the same cut
// on every rank, and the one that the rule makes of all scores in one place. A rule of one's own joins in by a cut_over and an
// over_bytes beside it, in its own namespace.

/// top-p: 4 reductions for floats, 8 for doubles.
template <class Real, communicator Comm>
cut<Real> cut_over(const top_p& rule, scores<Real> s, const Comm& comm, workspace w) {
    const double p = rule.p();
    detail::digit_search<Real, detail::mass_of_digit, Comm> search{
        s, {s.size(), detail::hash_of(1, magnitude_bits(p))}, comm, w};
    if (search.has_infinity()) {
        return cut<Real>::at_bits(infinity_bits<Real>);
    }
    if (!search.has_any() || magnitude_bits(p) == magnitude_bits(1.0)) {
        return cut<Real>::everything();
    }
    const exact_sum<Real> wanted = search.all(false).fraction_rounded_up(p);
    return cut<Real>::at_bits(search.from_above([&](const exact_sum<Real>& sum) { return sum >= wanted; }));
}

/// The largest tail within a budget: as many.
template <class Real, communicator Comm>
cut<Real> cut_over(const tail_budget& rule, scores<Real> s, const Comm& comm, workspace w) {
    detail::digit_search<Real, detail::mass_of_digit, Comm> search{
        s, {s.size(), detail::hash_of(2, magnitude_bits(rule.budget()))}, comm, w};
    const auto most = exact_sum<Real>::rounded_down(rule.budget());
    return cut<Real>::at_bits(
        search.from_below([&](const exact_sum<Real>& tail) { return !(most >= tail); }));
}

/// top-k: as many. A fraction is one of all entries.
template <class Real, communicator Comm>
cut<Real> cut_over(const top_k& rule, scores<Real> s, const Comm& comm, workspace w) {
    // what tells two rules apart: the k of few and of many entries
    const std::uint64_t terms = detail::hash_of(3, rule.k_of(1)) ^ detail::hash_of(4, rule.k_of(1000003));
    detail::digit_search<Real, detail::number_of_digit, Comm> search{s, {s.size(), terms}, comm, w};
    const std::size_t k = rule.k_of(static_cast<std::size_t>(search.entries()));
    if (k == 0) {
        return cut<Real>::nothing();
    }
    if (k > search.all(true)) {
        return cut<Real>::everything();
    }
    return cut<Real>::at_bits(search.from_above([&](std::uint64_t count) { return count >= k; }));
}

/// max-p: one reduction of three words.
template <class Real, communicator Comm>
cut<Real> cut_over(const max_p& rule, scores<Real> s, const Comm& comm, workspace) {
    const std::uint64_t terms = detail::hash_of(5, magnitude_bits(rule.p()));
    std::array<std::uint64_t, 3> words{static_cast<std::uint64_t>(
                                           detail::largest_key<Real>(s.signed_scores())),
                                       terms, ~terms};
    comm.largest(words);
    detail::need_same_terms(words[1] == terms && words[2] == ~terms, comm);
    const auto largest = static_cast<bits_of<Real>>(words[0]);
    return largest == infinity_bits<Real> ? cut<Real>::at_bits(largest)
                                          : cut<Real>::at_product(rule.p(), detail::bits_as<Real>(largest));
}

/// Thresholds, and so CETT's calibrated form, need no other rank: no reduction.
template <class Real, communicator Comm>
cut<Real> cut_over(const threshold& rule, scores<Real> s, const Comm&, workspace) {
    return rule.cut_of(s);
}
template <class Real, communicator Comm>
cut<Real> cut_over(const nonzero& rule, scores<Real> s, const Comm&, workspace) {
    return rule.cut_of(s);
}

/// Bytes of workspace that cut_over takes for n scores of this rank.
template <class Rule>
constexpr std::size_t over_bytes(const Rule&, std::size_t n) {
    return (std::max)(detail::digit_search<double, detail::mass_of_digit, alone>::bytes(n),
                      detail::digit_search<float, detail::mass_of_digit, alone>::bytes(n));
}

TAMIS_END
