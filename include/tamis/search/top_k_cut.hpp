#pragma once

#include <tamis/cut.hpp>
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

namespace detail {

/// The score that `smaller` others are below of, as a key; `known` holds it. `memory` is bracket_room.
template <class Real>
key_of<Real> key_at_rank(std::span<const Real> s, std::size_t smaller, enclosure<Real> known,
                         std::span<Real> memory) {
    const tail_budget_bound bound{static_cast<double>(smaller) + 0.5, 0.25};
    const auto now = narrow<number, Real>(s, known, bound, memory);
    key_of<Real> found = 0;
    settle<number, Real>(now, bound, found); // counts are exact, so it always can
    return found;
}

} // namespace detail

/// The cut of top-k: the k-th largest of the scores that are no NaN. Expected O(n).
template <class Real>
cut<Real> top_k_cut(scores<Real> scored, std::size_t k, workspace w) {
    const auto s = scored.signed_scores();
    if (k == 0) {
        return cut<Real>::nothing();
    }
    const detail::key_of<Real> end = detail::infinity_key<Real> + 1;
    std::size_t ranked = s.size();
    if (is_nan(detail::weigh_all(s))) { // a sum tells of NaN soonest
        const auto below = detail::weigh_below<detail::number>(detail::in_fours<Real>{s}, end, end);
        ranked = static_cast<std::size_t>(below.first);
    }
    if (k > ranked) {
        return cut<Real>::everything();
    }
    const auto memory = w.take<Real>(detail::bracket_room(s.size()));
    const auto kth =
        detail::key_at_rank<Real>(s, ranked - k, {{0, end}, 0, static_cast<double>(ranked)}, memory);
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
