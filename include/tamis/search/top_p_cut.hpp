#pragma once

#include <tamis/rule/cut.hpp>
#include <tamis/score/score.hpp>
#include <tamis/search/exact_sum.hpp>
#include <tamis/workspace.hpp>

#include <algorithm>
#include <functional>

TAMIS_BEGIN

// How the cuts that depend on sums are found: by sorting, as the definition says it.

/// Bytes of workspace that the searches of this header take for n scores.
constexpr std::size_t top_p_cut_bytes(std::size_t n) { return workspace_bytes_of<std::uint64_t>(n); }

namespace detail {

/// The scores that take part in a sum (no zeros, no NaN), copied to the front of `out`; how many.
template <class Real>
std::span<bits_of<Real>> summands(scores<Real> s, workspace& w) {
    const auto all = w.take<bits_of<Real>>(s.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        all[count] = s.bits(i);
        count += all[count] != 0 && all[count] <= infinity_bits<Real> ? 1 : 0;
    }
    return all.first(count);
}

} // namespace detail

/// The cut of top-p: O(n log n).
template <class Real>
cut<Real> top_p_cut(scores<Real> s, double p, workspace w) {
    const auto sorted = detail::summands(s, w);
    if (sorted.empty()) {
        return cut<Real>::everything();
    }
    std::sort(sorted.begin(), sorted.end(), std::greater<>{});
    if (sorted.front() == infinity_bits<Real>) {
        return cut<Real>::at_bits(infinity_bits<Real>);
    }
    exact_sum<Real> total;
    for (const bits_of<Real> bits : sorted) {
        total.add(bits);
    }
    const exact_sum<Real> wanted = total.fraction_rounded_up(p);
    exact_sum<Real> sum;
    for (const bits_of<Real> bits : sorted) {
        sum.add(bits);
        if (sum >= wanted) {
            return cut<Real>::at_bits(bits);
        }
    }
    return cut<Real>::everything(); // not reached: the whole sum is at least p of itself
}

/// The cut of tail_budget: O(n log n).
template <class Real>
cut<Real> tail_budget_cut(scores<Real> s, double budget, workspace w) {
    const auto sorted = detail::summands(s, w);
    std::sort(sorted.begin(), sorted.end());
    const exact_sum<Real> most = exact_sum<Real>::rounded_down(budget);
    exact_sum<Real> tail;
    for (std::size_t i = 0; i < sorted.size();) {
        const bits_of<Real> score = sorted[i];
        if (score == infinity_bits<Real>) {
            return cut<Real>::at_bits(score);
        }
        for (; i < sorted.size() && sorted[i] == score; ++i) {
            tail.add(score);
        }
        if (!(most >= tail)) {
            return cut<Real>::at_bits(score);
        }
    }
    return cut<Real>::nothing();
}

TAMIS_END
