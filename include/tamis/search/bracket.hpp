#pragma once

#include <tamis/detail/lanes.hpp>

TAMIS_BEGIN

// What a search knows: between which keys the cut is, and which tails their ends have. The tail of a score is what the
// scores below it weigh. Sums are rounded, so every step takes an error bound, and moves an end only for certain.

namespace detail {

/// A tail's budget, and by how much tail and budget together may be wrong.
struct tail_budget_bound {
    double budget, error;

    bool surely_within(double tail) const { return tail <= budget - error; }
    bool surely_above(double tail) const { return tail > budget + error; }
};

/// low <= key < high.
template <class Real>
struct bracket {
    key_of<Real> low, high;

    key_of<Real> width() const { return high - low; }
    bool within(const bracket& other) const { return low >= other.low && high <= other.high; }
    friend constexpr bool operator==(const bracket&, const bracket&) = default;
};

/// A bracket that holds the cut for certain, and the tails of its ends.
template <class Real>
struct enclosure {
    bracket<Real> in;
    double low_tail, high_tail;

    /// Moves the end that the tail of a threshold tells about, if it does for certain.
    void learn(key_of<Real> threshold, double tail, tail_budget_bound bound) {
        if (bound.surely_within(tail) && threshold >= in.low) {
            in.low = threshold;
            low_tail = tail;
        } else if (bound.surely_above(tail) && threshold <= in.high) {
            in.high = threshold;
            high_tail = tail;
        }
    }
};

} // namespace detail

TAMIS_END
