#pragma once

#include <tamis/rule/cut.hpp>
#include <tamis/score/score.hpp>
#include <tamis/search/tail_search.hpp>
#include <tamis/workspace.hpp>

TAMIS_BEGIN

// The cuts that ask for a rank: the same search as for sums, with every score weighing one. Counts are exact, so
// nothing is left to decide.

/// Bytes of workspace that the cuts of this header take for n scores: at most 8 n + 1 KiB.
constexpr std::size_t top_k_cut_bytes(std::size_t n) {
    return workspace_bytes_of<double>(detail::bracket_room(n));
}

/// The cut of top-k: the k-th largest of the scores that are no NaN. Expected O(n).
template <class Real>
cut<Real> top_k_cut(scores<Real> scored, std::size_t k, workspace w) {
    const auto s = scored.signed_scores();
    if (k == 0) {
        return cut<Real>::nothing();
    }
    const detail::key_of<Real> end = detail::infinity_key<Real> + 1;
    std::size_t ranked = s.size();
    if (is_nan(detail::weigh_all<Real>(s))) { // a sum tells of NaN soonest
        ranked = static_cast<std::size_t>(
            detail::weigh_below<detail::number>(detail::in_fours<Real>{s}, end, end).first);
    }
    if (k > ranked) {
        return cut<Real>::everything();
    }
    const detail::tail_budget_bound bound{static_cast<double>(ranked - k) + 0.5, 0.25};
    const auto memory = w.take<Real>(detail::bracket_room(s.size()));
    const auto now =
        detail::narrow<detail::number, Real>(s, {{0, end}, 0, static_cast<double>(ranked)}, bound, memory);
    detail::key_of<Real> kth = 0;
    detail::settle<detail::number, Real>(now, bound, kth); // counts are exact, so it always can
    return cut<Real>::at_bits(static_cast<bits_of<Real>>(kth));
}

/// The cut that keeps at most k: the least one with no more than k active entries (NaN apart). Ties that do not
/// all fit are dropped together. Expected O(n).
template <class Real>
cut<Real> at_most_cut(scores<Real> scored, std::size_t k, workspace w) {
    if (k >= scored.size()) {
        return cut<Real>::everything();
    }
    const cut<Real> next = top_k_cut(scored, k + 1, w); // what must not be active
    return next == cut<Real>::everything() ? next : cut<Real>::at_bits(next.bits() + 1);
}

TAMIS_END
