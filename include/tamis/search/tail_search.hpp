#pragma once

#include <tamis/detail/sort.hpp>
#include <tamis/search/guess.hpp>

TAMIS_BEGIN

// One search for all rules that ask for a sum or a rank. The tail of a score t is what the scores below it weigh;
// the wanted cut is the largest score whose tail is within a budget (top-p: what may be dropped of the total;
// top-k: how many may be). No sort: a sample guesses a bracket of keys; one pass over all scores sums below it and
// keeps what lies in it; tails of thresholds in it narrow it, until few scores or one value are left; these are
// taken for thresholds themselves, all at once.

namespace detail {

/// So many scores are taken for thresholds all at once.
template <class Real>
inline constexpr std::size_t few = 4 * lane_count<Real>;

/// Where a search has come to: the cut is in the bracket, whose scores are among `scores`; what lies below all of these
/// weighs `below`.
template <class Real>
struct narrowed : enclosure<Real> {
    std::span<Real> scores; // padded
    double below;

    padded_fours<Real> fours() const { return padded_fours<Real>{scores}; }

    /// Forgets the scores outside of the bracket and moves its ends up to scores that are there.
    template <class Weight>
    void keep_bracket() {
        scores = scores.first(part<Weight>(fours(), this->in.low, this->in.high, scores.data()).count);
        below = this->low_tail;
        tighten(measure<Weight>(fours()));
    }
    void tighten(const extent<Real>& inside) {
        if (!scores.empty()) {
            this->in = {larger(this->in.low, inside.least), smaller(this->in.high, inside.largest + 1)};
        }
    }
};

/// Two thresholds around where the cut is if the bracket's scores are spread evenly; or its thirds.
template <class Weight, class Real>
bracket<Real> probes(const enclosure<Real>& now, double budget, double count, bool by_thirds) {
    const auto width = static_cast<double>(now.in.width());
    const double inside = now.high_tail - now.low_tail;
    double from = 1.0 / 3;
    double to = 2.0 / 3;
    if (!by_thirds && inside > 0) {
        const double least = Weight::of(detail::bits_as<Real>(now.in.low));
        const double most = smaller(Weight::of(detail::bits_as<Real>(now.in.high)), 4 * least);
        const double even = (budget - now.low_tail) / inside;
        const double growth = most > least ? 1.9 * (most - least) / (most + 3 * least) : 0.0; // of weights
        const double share = even + even * (1 - even) * growth;
        const double margin = 1.5 / std::sqrt(count);
        from = share - margin;
        to = share + margin;
    }
    const auto at = [&](double x) {
        const auto step = static_cast<key_of<Real>>(width * smaller(larger(x, 0.0), 1.0));
        return now.in.low + smaller(larger(step, key_of<Real>{1}), now.in.width() - 1);
    };
    return {at(from), at(to)};
}

/// Narrows `known`, whose tails are those of its ends, down to few scores or one value, or as far as the bound can
/// tell. `memory` is bracket_room(n). Expected O(n), about two passes; at the worst one more for each factor of three
/// in the range of the keys.
template <class Weight, class Real>
narrowed<Real> narrow(std::span<const Real> s, enclosure<Real> known, tail_budget_bound bound,
                      std::span<Real> memory) {
    narrowed<Real> now{known, {}, 0};
    bracket<Real> tried = s.size() >= 512 ? guess<Weight, Real>(s, known.in, bound.budget, memory) : known.in;
    for (bool holds = false; !holds; tried = now.in) {
        const auto parted = part<Weight>(in_fours<Real>{s}, tried.low, tried.high, memory.data());
        now.scores = memory.first(parted.count);
        const extent<Real> inside = measure<Weight>(now.fours());
        now.learn(tried.low, parted.below, bound);
        now.learn(tried.high, parted.below + inside.weight, bound);
        holds = now.in.within(tried);
        if (holds) {
            now.below = parted.below;
            now.tighten(inside);
        }
    }
    bool by_thirds = false;
    for (int stalled = 0; now.scores.size() > few<Real> && now.in.width() > 1 && stalled < 2;) {
        const auto size = static_cast<double>(now.scores.size());
        const double least = Weight::of(detail::bits_as<Real>(now.in.low));
        const double inside = now.high_tail - now.low_tail;
        const double count =
            inside < size * least ? inside / least : size; // no more scores are in the bracket
        if (count <= static_cast<double>(few<Real>) || count * 8 <= size) {
            now.template keep_bracket<Weight>();
            stalled = static_cast<double>(now.scores.size()) * 2 > size ? stalled + 1 : 0;
        } else {
            const bracket<Real> before = now.in;
            const bracket<Real> at = probes<Weight, Real>(now, bound.budget, count, by_thirds);
            const two_weights tails = weigh_below<Weight>(now.fours(), at.low, at.high);
            now.learn(at.low, now.below + tails.first, bound);
            now.learn(at.high, now.below + tails.second, bound);
            by_thirds = now.in.width() > before.width() / 4;
            stalled = now.in == before ? stalled + 1 : 0;
        }
    }
    return now;
}

/// The largest score whose tail is within the budget, among few or one; false when there are more, or when the bound
/// cannot tell.
template <class Weight, class Real>
bool settle(const narrowed<Real>& now, tail_budget_bound bound, key_of<Real>& answer) {
    answer = now.in.low;
    if (now.in.width() == 1 || now.scores.size() > few<Real>) {
        return now.in.width() == 1;
    }
    // What may lie below among the scores, to within a last bit and the rounding of so few terms.
    const auto limit = [&](double tail, double slack) {
        return key(static_cast<Real>(larger(tail - now.below, 0.0) * slack));
    };
    constexpr double rounding = 0x1p-24 * static_cast<double>(few<Real>);
    const key_lanes<Real> within(limit(bound.budget - bound.error, 1 - rounding) - 1);
    const key_lanes<Real> above(limit(bound.budget + bound.error, 1 + rounding) + 1);
    const key_lanes<Real> padding(padding_key<Real>);
    const four_keys<Real> keys = now.fours()[0];
    const auto tails = weigh_below_each<Weight, Real>(now.scores, keys);
    key_lanes<Real> best(-1);
    auto undecided = best >= padding;
    const auto decide = [&](const key_lanes<Real>& k, const real_lanes<Real>& tail) {
        const auto bits = bits_of_lanes<Real>(tail);
        undecided = undecided | ((bits > within) & (bits <= above) & (k < padding));
        best = (xsimd::max)(best, only<Real>(bits <= within, k));
    };
    decide(keys.a, tails.a);
    decide(keys.b, tails.b);
    decide(keys.c, tails.c);
    decide(keys.d, tails.d);
    if (lane_bits<Real>(undecided) != 0) {
        return false;
    }
    answer = largest_lane<Real>(best);
    return answer >= now.in.low;
}

/// The same among any number of scores in ascending order, from the tail of the first on. With a first tail above the
/// budget: 0.
template <class Weight, class Real>
bool settle_in_order(std::span<const Real> ascending, double tail, tail_budget_bound bound,
                     key_of<Real>& answer) {
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
    sort(scores, [](Real a, Real b) { return key(a) < key(b); });
}

} // namespace detail

TAMIS_END
