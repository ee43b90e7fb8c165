#pragma once

#include <tamis/search/plain_cuts.hpp>
#include <tamis/search/tail_search.hpp>

TAMIS_BEGIN

// The cuts that ask for a sum, exact as plain_cuts.hpp says them but without the sort: a search in floats with an
// error bound; where that cannot decide, sums in double; where these cannot, in exact integers.

/// Bytes of workspace that the cuts of this header take for n scores: at most 8 n + 1 KiB.
constexpr std::size_t top_p_cut_bytes(std::size_t n) {
    return workspace_bytes_of<double>(detail::bracket_room(n)); // also enough for plain_cut_bytes
}

namespace detail {

/// Whether the scores with this sum are all finite, too small to overflow a lane's sum or a square of it, and too large
/// for flushed denormals to matter.
template <class Real>
bool is_mid_range(double total, std::size_t n) {
    constexpr double most = std::is_same_v<Real, float> ? 0x1p116 : 0x1p400;
    constexpr double least = std::is_same_v<Real, float> ? 0x1p-96 : 0x1p-400;
    return magnitude_bits(total) < magnitude_bits(most) &&
           magnitude_bits(total) > magnitude_bits(least * static_cast<double>(n));
}

/// The bound for a tail's budget that is itself a share of sums of n scores; the sums wrong by `relative` of themselves.
inline tail_budget_bound rounded_bound(double budget, double relative, std::size_t n) {
    return {budget, 2 * budget * relative + static_cast<double>(n) * 0x1p-126};
}

/// Where the cut of a budget is for certain: n scores below budget / n are within it, and none is above the total.
template <class Real>
enclosure<Real> sure_enclosure(tail_budget_bound bound, double total, std::size_t n) {
    const double mean = 0.99 * (bound.budget - bound.error) / static_cast<double>(n);
    const auto low = mean > 0 ? larger(key(static_cast<Real>(mean)), key_of<Real>{1}) : key_of<Real>{1};
    return {{low, key(static_cast<Real>(1.01 * total))}, 0, total};
}

/// The largest score whose tail is within the bound, as a cut; false when sums in double cannot tell.
template <class Weight, class Real, class Precise>
bool mass_cut(std::span<const Real> s, double total, tail_budget_bound bound, std::span<Real> memory,
              Precise&& precise_budget, narrowed<Real>& now, cut<Real>& answer) {
    now = narrow<Weight, Real>(s, sure_enclosure<Real>(bound, total, s.size()), bound, memory);
    key_of<Real> found = 0;
    bool known = settle<Weight, Real>(now, bound, found);
    if (!known) {
        sort_by_key(now.scores);
        while (!now.scores.empty() && key(now.scores.front()) < now.in.low) {
            now.scores = now.scores.subspan(1);
        }
        known = settle_in_order<mass, Real>(now.scores, now.low_tail, bound, found) && found != 0;
    }
    if constexpr (std::is_same_v<Real, float>) {
        if (!known) {
            const two_weights sums = weigh_precisely(s, now.in.low);
            const auto precise =
                rounded_bound(precise_budget(sums.second), 0x1p-52 * static_cast<double>(s.size()), s.size());
            known = settle_in_order<mass, Real>(now.scores, sums.first, precise, found) && found != 0;
        }
    }
    answer = cut<Real>::at_bits(static_cast<bits_of<Real>>(found));
    return known;
}

/// top-p's cut among the scores of a bracket that holds it, in exact integers.
template <class Real>
cut<Real> exact_top_p_cut(std::span<const Real> s, double p, const narrowed<Real>& now) {
    exact_sum<Real> total;
    exact_sum<Real> above;
    for (const Real score : s) {
        if (key(score) <= infinity_key<Real>) {
            total.add(magnitude_bits(score));
            if (key(score) >= now.in.high) {
                above.add(magnitude_bits(score));
            }
        }
    }
    const exact_sum<Real> wanted = total.fraction_rounded_up(p);
    for (std::size_t i = now.scores.size(); i-- > 0;) {
        if (key(now.scores[i]) < now.in.high) {
            above.add(magnitude_bits(now.scores[i]));
            if (above >= wanted) {
                return cut<Real>::at_bits(magnitude_bits(now.scores[i]));
            }
        }
    }
    return cut<Real>::at_bits(static_cast<bits_of<Real>>(now.in.low));
}

} // namespace detail

namespace detail {

/// top-p's cut, with sums of Weight.
template <class Weight, class Real>
cut<Real> top_p_cut_by(scores<Real> scored, double p, workspace w) {
    const auto s = scored.signed_scores();
    double total = weigh_all<Weight, Real>(s);
    const bool inside = magnitude_bits(p) != 0 && magnitude_bits(p) != magnitude_bits(1.0);
    if (!inside || !is_mid_range<Real>(total, s.size())) {
        const auto all = measure<mass>(in_fours<Real>{s});
        if (all.largest == infinity_key<Real> || (magnitude_bits(p) == 0 && all.largest > 0)) {
            return cut<Real>::at_bits(static_cast<bits_of<Real>>(all.largest));
        }
        if (all.largest <= 0 || !inside) {
            return cut<Real>::everything();
        }
        total = all.weight; // without NaN
        if (!is_mid_range<Real>(total, s.size())) {
            return plain_top_p_cut(scored, p, w);
        }
    }
    const auto budget_of = [p](double sum) { return sum * (1 - p); };
    const auto bound =
        rounded_bound(budget_of(total), Weight::template relative_error<Real>(s.size()), s.size());
    const auto memory = w.take<Real>(bracket_room(s.size()));
    narrowed<Real> now{};
    cut<Real> answer = cut<Real>::everything();
    return mass_cut<Weight, Real>(s, total, bound, memory, budget_of, now, answer)
               ? answer
               : exact_top_p_cut<Real>(s, p, now);
}

} // namespace detail

/// The cut of top-p. Expected O(n).
template <class Real>
cut<Real> top_p_cut(scores<Real> scored, double p, workspace w) {
    return scored.size() < detail::many ? detail::top_p_cut_by<detail::mass>(scored, p, w)
                                        : detail::top_p_cut_by<detail::precise_mass>(scored, p, w);
}

/// The cut of tail_budget. Expected O(n).
template <class Real>
cut<Real> tail_budget_cut(scores<Real> scored, double budget, workspace w) {
    const auto s = scored.signed_scores();
    double total = detail::weigh_all(s);
    if (!detail::is_mid_range<Real>(total, s.size())) { // of the finite scores
        total = detail::measure<detail::mass>(detail::in_fours<Real>{s}, detail::infinity_key<Real>).weight;
    }
    if (detail::is_mid_range<Real>(total, s.size())) {
        const auto bound =
            detail::rounded_bound(budget, detail::mass::relative_error<Real>(s.size()), s.size());
        if (bound.surely_within(total)) {
            return cut<Real>::at_bits(infinity_bits<Real>);
        }
        if (bound.surely_above(total)) {
            workspace narrowing = w;
            const auto memory = narrowing.take<Real>(detail::bracket_room(s.size()));
            detail::narrowed<Real> now{};
            cut<Real> answer = cut<Real>::everything();
            if (detail::mass_cut<detail::mass, Real>(
                    s, total, bound, memory, [budget](double) { return budget; }, now, answer)) {
                return answer;
            }
        }
    }
    return plain_tail_budget_cut(scored, budget, w);
}

TAMIS_END
