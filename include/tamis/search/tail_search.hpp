#pragma once

#include <tamis/search/passes.hpp>

#include <cmath>
#include <cstring>

TAMIS_BEGIN

// One search for all rules that ask for a sum or a rank. The tail of a score t is what the scores below it weigh;
// the wanted cut is the largest score whose tail is within a budget (top-p: what may be dropped of the total;
// top-k: how many may be). No sort: a sample guesses a bracket of keys, one pass over all scores sums below it and
// compacts what lies in it, and the bracket is narrowed until few scores or one value are left.
// Sums are rounded, so every step takes an error bound, and moves an end of the bracket only when that is certain.

namespace detail {

/// low <= key < high.
template <class Real>
struct bracket {
    key_of<Real> low, high;
    friend constexpr bool operator==(const bracket&, const bracket&) = default;
};

/// A tail's budget, and by how much tail and budget together may be wrong.
struct tail_budget_bound {
    double budget, error;

    bool surely_within(double tail) const { return tail <= budget - error; }
    bool surely_above(double tail) const { return tail > budget + error; }
};

/// A bracket that holds the cut for certain, the scores in it, and the tail of its low end.
template <class Real>
struct narrowed {
    bracket<Real> in;
    std::span<Real> scores;
    double tail;
};

/// Thresholds that divide a bracket into equal steps of keys.
template <class Real>
void set_rungs(bracket<Real> b, key_of<Real> (&rungs)[lane_count<Real>]) {
    constexpr auto steps = static_cast<key_of<Real>>(lane_count<Real> + 1);
    const key_of<Real> step = (b.high - b.low) / steps;
    const key_of<Real> rest = (b.high - b.low) % steps;
    for (std::size_t k = 0; k < lane_count<Real>; ++k) {
        const auto j = static_cast<key_of<Real>>(k + 1);
        rungs[k] = b.low + step * j + std::min(rest, j);
    }
}

/// A bracket that probably holds the cut, from 256 of the scores: 16 runs of 16, evenly spread. The tail of a sample
/// varies by about the square root of (its largest weight times itself); three of those are left on either side.
template <class Weight, class Real>
bracket<Real> guess(std::span<const Real> s, bracket<Real> known, double budget) {
    constexpr std::size_t run = 16;
    constexpr std::size_t runs = 16;
    Real sample[run * runs];
    for (std::size_t i = 0; i < runs; ++i) {
        std::memcpy(sample + i * run, &s[i * ((s.size() - run) / (runs - 1))], run * sizeof(Real));
    }
    const double wanted = budget * static_cast<double>(run * runs) / static_cast<double>(s.size());
    bracket<Real> b = known;
    for (int round = 0; round < 3; ++round) {
        key_of<Real> rungs[lane_count<Real>];
        double below[lane_count<Real>];
        set_rungs<Real>(b, rungs);
        weigh_below<Weight, Real>(sample, rungs, below);
        bracket<Real> next = b;
        for (std::size_t k = 0; k < lane_count<Real>; ++k) {
            const double margin = 3 * std::sqrt(Weight::of(std::bit_cast<Real>(rungs[k])) * wanted);
            if (below[k] <= wanted - margin) {
                next.low = rungs[k];
            } else if (below[k] >= wanted + margin) {
                next.high = std::min(next.high, rungs[k]);
            }
        }
        const bool settled = next.high - next.low > (b.high - b.low) / 2; // as narrow as the sample can tell
        if (next.low >= next.high) {
            break;
        }
        b = next;
        if (settled) {
            break;
        }
    }
    return b;
}

/// The part of a bracket where the cut lies if its scores are spread evenly, and some more on either side.
template <class Real>
bracket<Real> along_a_line(bracket<Real> b, std::size_t count, double share) {
    const double margin = 1.5 / std::sqrt(static_cast<double>(count));
    const auto width = static_cast<double>(b.high - b.low);
    const auto at = [&](double x) {
        return b.low + static_cast<key_of<Real>>(width * std::min(std::max(x, 0.0), 1.0));
    };
    return {at(share - margin), std::min(b.high, at(share + margin) + 1)};
}

/// Moves the end of `known` that the tail of a threshold in it tells about, if it does for certain.
template <class Real>
void learn(bracket<Real>& known, key_of<Real> threshold, double tail, tail_budget_bound bound) {
    if (bound.surely_within(tail)) {
        known.low = std::max(known.low, threshold);
    } else if (bound.surely_above(tail)) {
        known.high = std::min(known.high, threshold);
    }
}

/// Room for the scores of a bracket: all of them, and a vector that compress may write.
constexpr std::size_t bracket_room(std::size_t n) { return n + 64; }

/// Narrows `known`, which has to hold the cut, down to few scores or one value, or as far as the bound can tell.
/// `memory` is two times bracket_room(n). Expected O(n), about two passes; at the worst one more for each factor of
/// lane_count + 1 in the range of the keys.
template <class Weight, class Real>
narrowed<Real> narrow(std::span<const Real> s, bracket<Real> known, tail_budget_bound bound,
                      std::span<Real> memory) {
    constexpr std::size_t few = 24;
    const std::span<Real> first = memory.first(memory.size() / 2);
    const std::span<Real> second = memory.subspan(memory.size() / 2);
    narrowed<Real> now{known, {}, 0};
    extent<Real> inside{};
    const auto keep = [&](std::span<Real> scores, double tail) {
        now.scores = scores;
        now.tail = tail;
        if (!scores.empty()) { // the ends move up to scores that are there
            known = {std::max(known.low, inside.least),
                     std::min<key_of<Real>>(known.high, inside.largest + 1)};
        }
    };
    const auto is_done = [&] { return now.scores.size() <= few || known.low + 1 >= known.high; };

    bracket<Real> tried = s.size() >= 512 ? guess<Weight, Real>(s, known, bound.budget) : known;
    for (bool holds = false; !holds;) {
        const auto parted = part<Weight, Real>(s, tried.low, tried.high, first.data());
        inside = measure<Weight, Real>(std::span<const Real>{first.first(parted.count)});
        learn<Real>(known, tried.low, parted.below, bound);
        learn<Real>(known, tried.high, parted.below + inside.weight, bound);
        holds = tried == known;
        if (holds) {
            keep(first.first(parted.count), parted.below);
        }
        tried = known;
    }
    if (now.scores.size() > 64 && !is_done()) {
        tried = along_a_line<Real>(known, now.scores.size(), (bound.budget - now.tail) / inside.weight);
        const auto parted = part<Weight, Real>(now.scores, tried.low, tried.high, second.data());
        const auto part_inside = measure<Weight, Real>(std::span<const Real>{second.first(parted.count)});
        const double tail = now.tail + parted.below;
        learn<Real>(known, tried.low, tail, bound);
        learn<Real>(known, tried.high, tail + part_inside.weight, bound);
        if (tried == known) {
            inside = part_inside;
            keep(second.first(parted.count), tail);
        }
    }
    while (!is_done()) {
        key_of<Real> rungs[lane_count<Real>];
        double below[lane_count<Real>];
        set_rungs<Real>(known, rungs);
        weigh_below<Weight, Real>(now.scores, rungs, below);
        const bracket<Real> before = known;
        for (std::size_t k = 0; k < lane_count<Real>; ++k) {
            learn<Real>(known, rungs[k], now.tail + below[k], bound);
        }
        if (known == before) {
            break; // the bound cannot tell more
        }
        const auto parted = part<Weight, Real>(now.scores, known.low, known.high, now.scores.data());
        inside = measure<Weight, Real>(std::span<const Real>{now.scores.first(parted.count)});
        keep(now.scores.first(parted.count), now.tail + parted.below);
    }
    now.in = known;
    return now;
}

/// Of scores in ascending order, the largest whose tail is within the budget, from the tail of the first on; false
/// when the bound cannot tell. With a first tail above the budget: 0.
template <class Weight, class Real>
bool settle(std::span<const Real> ascending, double tail, tail_budget_bound bound, key_of<Real>& answer) {
    answer = 0;
    for (std::size_t i = 0; i < ascending.size();) {
        if (!bound.surely_within(tail)) {
            return bound.surely_above(tail);
        }
        answer = key(ascending[i]);
        for (; i < ascending.size() && key(ascending[i]) == answer; ++i) {
            tail += Weight::of(ascending[i]);
        }
    }
    return true;
}

template <class Real>
void sort_by_key(std::span<Real> scores) {
    std::sort(scores.begin(), scores.end(), [](Real a, Real b) { return key(a) < key(b); });
}

} // namespace detail

TAMIS_END
