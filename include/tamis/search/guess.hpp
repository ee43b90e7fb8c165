#pragma once

#include <tamis/search/bracket.hpp>
#include <tamis/search/passes.hpp>

#include <cmath>

TAMIS_BEGIN

// Where the cut probably is, from a sample of the scores.

namespace detail {

/// About n^(2/3) of the scores: runs of 16, evenly spread.
template <class Real>
padded_fours<Real> sample_of(std::span<const Real> s, std::span<Real> memory) {
    constexpr std::size_t run = 16;
    std::size_t runs = 8;
    while (runs * runs * runs < s.size() / 64 * (s.size() / 64)) {
        runs += 8;
    }
    const std::size_t step = (s.size() - run) / (runs - 1);
    for (std::size_t i = 0; i < runs; ++i) {
        std::memcpy(memory.data() + i * run, s.data() + i * step, run * sizeof(Real));
    }
    return padded_fours<Real>{memory.first(run * runs)}; // whole fours
}

/// A bracket that probably holds the cut: where it is in a sample, and so far to either side as tails of samples vary,
/// by the square root of (the threshold's weight times the tail) or less. `memory` is bracket_room(n).
template <class Weight, class Real>
bracket<Real> guess(std::span<const Real> s, bracket<Real> known, double budget, std::span<Real> memory) {
    constexpr auto resolution = key_of<Real>{1}
                                << (std::numeric_limits<Real>::digits - 7); // of relative 1/64
    const padded_fours<Real> sample = sample_of(s, memory);
    const extent<Real> all = measure<Weight>(sample, known.high);
    const double share =
        static_cast<double>(sample.count() * four_size<Real>) / static_cast<double>(s.size());
    const double wanted = budget * share;
    enclosure<Real> now{{larger(known.low, all.least), smaller(known.high, all.largest) + 1}, 0, all.weight};
    const auto weight_of_low = [&] { return Weight::of(detail::bits_as<Real>(now.in.low)); };
    const auto variance = [&] {
        return larger(weight_of_low() - budget / static_cast<double>(s.size()), 0.0) * wanted;
    };
    const auto is_curved = [&] {
        const double inside = now.high_tail - now.low_tail;
        return inside * inside > 40 * variance();
    };
    while (now.in.width() > resolution && is_curved()) {
        const key_of<Real> first = now.in.low + now.in.width() / 3;
        const key_of<Real> second = now.in.high - now.in.width() / 3;
        const two_weights tails = weigh_below<Weight>(sample, first, second);
        const bool below_first = wanted < tails.first; // selections, since branches could not be predicted
        const bool below_second = wanted < tails.second;
        const enclosure<Real> before = now;
        now.in.low = below_first ? before.in.low : below_second ? first : second;
        now.in.high = below_first ? first : below_second ? second : before.in.high;
        now.low_tail = below_first ? before.low_tail : below_second ? tails.first : tails.second;
        now.high_tail = below_first ? tails.first : below_second ? tails.second : before.high_tail;
    }
    const double spread = std::sqrt(variance());
    const double inside = larger(now.high_tail - now.low_tail, weight_of_low());
    const auto at = [&](double tail) { // on a line, and not far beyond its ends
        const double along = inside > 0 ? clamped((tail - now.low_tail) / inside, -4.0, 5.0) : 0.5;
        const double key = static_cast<double>(now.in.low) + static_cast<double>(now.in.width()) * along;
        return static_cast<key_of<Real>>(
            clamped(key, static_cast<double>(known.low), static_cast<double>(known.high)));
    };
    const double low = wanted - 3 * spread; // further than the high end: the curve of tails is hollow
    const double high = wanted + 2.25 * spread;
    const bracket<Real> spaced{low > 0 ? at(low) : known.low, high < all.weight ? at(high) : known.high};
    return is_curved() ? bracket<Real>{smaller(spaced.low, now.in.low), larger(spaced.high, now.in.high)}
                       : spaced; // ... or it is about many ties, and they may all be in
}

} // namespace detail

TAMIS_END
