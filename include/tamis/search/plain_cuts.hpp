#pragma once

#include <tamis/cut.hpp>
#include <tamis/detail/sort.hpp>
#include <tamis/score/score.hpp>
#include <tamis/search/exact_sum.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

// The cuts as the definitions say them, by sorting: what the fast searches are tested against, and fall back to for
// scores near the ends of the number range. O(n log n).

namespace detail {

/// The scores that take part in a sum or have a rank (no zeros, no NaN), in descending order.
template <class Real>
std::span<bits_of<Real>> descending(scores<Real> s, workspace& w) {
    const auto all = w.take<bits_of<Real>>(s.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
        all[count] = s.bits(i);
        count += all[count] != 0 && all[count] <= infinity_bits<Real> ? 1 : 0;
    }
    sort(all.first(count), [](bits_of<Real> a, bits_of<Real> b) { return a > b; });
    return all.first(count);
}

} // namespace detail

/// Bytes of workspace that a plain cut takes for n scores.
constexpr std::size_t plain_cut_bytes(std::size_t n) { return workspace_bytes_of<std::uint64_t>(n); }

/// top-p: the score at the first position, in descending order, where the sum reaches p * total.
template <class Real>
cut<Real> plain_top_p_cut(scores<Real> s, double p, workspace w) {
    const auto sorted = detail::descending(s, w);
    if (sorted.empty() ||
        (magnitude_bits(p) == magnitude_bits(1.0) && sorted.front() != infinity_bits<Real>)) {
        return cut<Real>::everything();
    }
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

/// The largest tail within a budget: the least score whose group of ties does not fit into it any more.
template <class Real>
cut<Real> plain_tail_budget_cut(scores<Real> s, double budget, workspace w) {
    const auto sorted = detail::descending(s, w);
    const exact_sum<Real> most = exact_sum<Real>::rounded_down(budget);
    exact_sum<Real> tail;
    for (std::size_t i = sorted.size(); i > 0;) {
        const bits_of<Real> score = sorted[i - 1];
        if (score == infinity_bits<Real>) {
            break;
        }
        for (; i > 0 && sorted[i - 1] == score; --i) {
            tail.add(score);
        }
        if (!(most >= tail)) {
            return cut<Real>::at_bits(score);
        }
    }
    return cut<Real>::at_bits(infinity_bits<Real>);
}

/// top-k: the k-th largest score.
template <class Real>
cut<Real> plain_top_k_cut(scores<Real> s, std::size_t k, workspace w) {
    const auto sorted = detail::descending(s, w);
    if (k == 0) {
        return cut<Real>::nothing();
    }
    return k <= sorted.size() ? cut<Real>::at_bits(sorted[k - 1]) : cut<Real>::everything();
}

TAMIS_END
