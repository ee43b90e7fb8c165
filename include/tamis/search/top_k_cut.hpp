#pragma once

#include <tamis/search/top_p_cut.hpp>

TAMIS_BEGIN

/// Bytes of workspace that top_k_cut takes for n scores.
constexpr std::size_t top_k_cut_bytes(std::size_t n) { return workspace_bytes_of<std::uint64_t>(n); }

/// The cut of top-k: the k-th largest of the scores that are no NaN. O(n) on average.
template <class Real>
cut<Real> top_k_cut(scores<Real> s, std::size_t k, workspace w) {
    if (k == 0) {
        return cut<Real>::nothing();
    }
    const auto ranked = detail::summands(s, w);
    if (k >= ranked.size()) {
        return cut<Real>::everything();
    }
    const auto kth = ranked.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(ranked.begin(), kth, ranked.end(), std::greater<>{});
    return cut<Real>::at_bits(*kth);
}

/// The cut that keeps at most k: the least one with no more than k active entries (NaN apart). Ties that do not
/// all fit are dropped together. O(n) on average.
template <class Real>
cut<Real> at_most_cut(scores<Real> s, std::size_t k, workspace w) {
    const auto ranked = detail::summands(s, w);
    if (k >= ranked.size()) {
        return cut<Real>::everything();
    }
    const auto next = ranked.begin() + static_cast<std::ptrdiff_t>(k); // the largest that must not be active
    std::nth_element(ranked.begin(), next, ranked.end(), std::greater<>{});
    return cut<Real>::at_bits(*next + 1);
}

TAMIS_END
