#pragma once

#include <tamis/search/plain_cuts.hpp>
#include <tamis/search/tail_search.hpp>

TAMIS_BEGIN

// The cuts that ask for a sum, exact as plain_cuts.hpp says them but without the sort: a search in floats with an
// error bound; where that cannot decide, sums in double; where these cannot, in exact integers.

/// Bytes of workspace that the cuts of this header take for n scores: at most 16 n + 2 KiB.
constexpr std::size_t top_p_cut_bytes(std::size_t n) {
    return 2 * workspace_bytes_of<double>(detail::bracket_room(n)); // also enough for plain_cut_bytes
}

namespace detail {

/// Above this, sums of a block of floats might overflow; below the second, flushed denormals might matter.
template <class Real>
constexpr bool is_mid_range(key_of<Real> largest) {
    const auto at = [](double x) { return key(static_cast<Real>(x)); };
    return std::is_same_v<Real, float> ? largest < at(0x1p116) && largest > at(0x1p-96)
                                       : largest < key(static_cast<Real>(0x1p900)) && largest > at(0x1p-900);
}

/// The bound for a tail's budget when a pass in Real found `total` over n scores.
template <class Real>
tail_budget_bound rounded_bound(double budget, double total, std::size_t n) {
    return {budget, total * mass::relative_error<Real>(n) + static_cast<double>(n) * 0x1p-126};
}

/// A threshold whose tail is surely within the bound: n scores below budget / n.
template <class Real>
key_of<Real> sure_low(tail_budget_bound bound, std::size_t n, key_of<Real> largest) {
    const double mean = 0.99 * (bound.budget - bound.error) / static_cast<double>(n);
    return mean > 0 ? std::min(std::max(key(static_cast<Real>(mean)), key_of<Real>{1}), largest)
                    : key_of<Real>{1};
}

/// The largest score whose tail is within the bound, as a cut; false when sums in double cannot tell.
template <class Real, class Precise>
bool mass_cut(std::span<const Real> s, key_of<Real> largest, tail_budget_bound bound, std::span<Real> memory,
              Precise&& precise_budget, narrowed<Real>& now, cut<Real>& answer) {
    now = narrow<mass, Real>(s, {sure_low<Real>(bound, s.size(), largest), largest + 1}, bound, memory);
    key_of<Real> found = now.in.low;
    bool known = now.in.low + 1 == now.in.high;
    if (!known) {
        sort_by_key(now.scores);
        known = settle<mass, Real>(now.scores, now.tail, bound, found) && found != 0;
    }
    if constexpr (std::is_same_v<Real, float>) {
        if (!known) {
            while (!now.scores.empty() && key(now.scores.front()) < now.in.low) {
                now.scores = now.scores.subspan(1);
            }
            const precise_mass sums = weigh_precisely(s, now.in.low);
            const auto n = static_cast<double>(s.size());
            const tail_budget_bound precise{precise_budget(sums.total),
                                            sums.total * n * 0x1p-51 + n * 0x1p-126};
            known = settle<mass, Real>(now.scores, sums.below, precise, found) && found != 0;
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

/// The cut of top-p. Expected O(n).
template <class Real>
cut<Real> top_p_cut(scores<Real> scored, double p, workspace w) {
    const auto s = scored.signed_scores();
    const auto all = detail::measure<detail::mass, Real>(s);
    if (all.largest <= 0) {
        return cut<Real>::everything();
    }
    if (all.largest == detail::infinity_key<Real> || magnitude_bits(p) == 0) {
        return cut<Real>::at_bits(static_cast<bits_of<Real>>(all.largest));
    }
    if (magnitude_bits(p) == magnitude_bits(1.0)) {
        return cut<Real>::everything();
    }
    if (!detail::is_mid_range<Real>(all.largest)) {
        return plain_top_p_cut(scored, p, w);
    }
    const auto bound = detail::rounded_bound<Real>(all.weight * (1 - p), all.weight, s.size());
    const auto memory = w.take<Real>(2 * detail::bracket_room(s.size()));
    detail::narrowed<Real> now{};
    cut<Real> answer = cut<Real>::everything();
    const auto budget_of = [p](double total) { return total * (1 - p); };
    return detail::mass_cut<Real>(s, all.largest, bound, memory, budget_of, now, answer)
               ? answer
               : detail::exact_top_p_cut<Real>(s, p, now);
}

/// The cut of tail_budget. Expected O(n).
template <class Real>
cut<Real> tail_budget_cut(scores<Real> scored, double budget, workspace w) {
    const auto s = scored.signed_scores();
    const auto all = detail::measure<detail::mass, Real>(s, detail::infinity_key<Real>); // finite scores
    const auto bound = detail::rounded_bound<Real>(budget, all.weight, s.size());
    if (all.largest <= 0) {
        return cut<Real>::at_bits(infinity_bits<Real>);
    }
    if (detail::is_mid_range<Real>(all.largest)) {
        if (bound.surely_within(all.weight)) {
            return cut<Real>::at_bits(infinity_bits<Real>);
        }
        if (bound.surely_above(all.weight)) {
            workspace narrowing = w;
            const auto memory = narrowing.take<Real>(2 * detail::bracket_room(s.size()));
            detail::narrowed<Real> now{};
            cut<Real> answer = cut<Real>::everything();
            if (detail::mass_cut<Real>(
                    s, all.largest, bound, memory, [budget](double) { return budget; }, now, answer)) {
                return answer;
            }
        }
    }
    return plain_tail_budget_cut(scored, budget, w);
}

TAMIS_END
