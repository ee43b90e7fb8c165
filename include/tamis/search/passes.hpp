#pragma once

#include <tamis/detail/lanes.hpp>

#include <algorithm>

TAMIS_BEGIN

// The SIMD passes over scores that searches are made of. Sums are of weights: an entry weighs its score (mass, for
// top-p) or one (number, for top-k). NaN weighs nothing and lies in no bracket.

namespace detail {

struct mass {
    template <class Real>
    static real_lanes<Real> of(const key_lanes<Real>& keys) {
        return reals_of<Real>(keys);
    }
    template <class Real>
    static double of(Real score) {
        return widen(std::bit_cast<Real>(magnitude_bits(score)));
    }
    /// The relative error of a pass's sum: in float, lanes sum 16 terms, 4 accumulators and 16 lanes are added, all
    /// else in double. Denormals may be flushed: add 2^-126 an entry.
    template <class Real>
    static double relative_error(std::size_t n) {
        return std::is_same_v<Real, float> ? 0x1p-19 : 0x1p-51 * static_cast<double>(n + 32);
    }
};

struct number {
    template <class Real>
    static real_lanes<Real> of(const key_lanes<Real>&) {
        return real_lanes<Real>(Real{1});
    }
    template <class Real>
    static double of(Real) {
        return 1;
    }
};

/// Four accumulators for lanes, emptied into a double before a float lane has summed more than 16 terms.
template <class Real>
class lane_sums {
  public:
    lane_sums() { clear(); }
    void add(std::size_t k, const lane_choice<Real>& chosen, const real_lanes<Real>& weights) {
        lanes_[k] = add_where<Real>(lanes_[k], chosen, weights);
    }
    void add(std::size_t k, const real_lanes<Real>& weights) { lanes_[k] = lanes_[k] + weights; }
    void flush() {
        total_ += sum_of_lanes<Real>(together());
        clear();
    }
    double total() const { return total_; }
    real_lanes<Real> together() const { return (lanes_[0] + lanes_[1]) + (lanes_[2] + lanes_[3]); }
    void clear() {
        for (auto& lanes : lanes_) {
            lanes = real_lanes<Real>(Real{0});
        }
    }

  private:
    real_lanes<Real> lanes_[4];
    double total_ = 0;
};

/// Calls f(keys, k) for all vectors, k = 0 .. 3 in turn, and flush() after at most 16 rounds of four. The last
/// vector is filled up with padding.
template <class Real, class F, class Flush>
void for_all_keys(std::span<const Real> s, F&& f, Flush&& flush) {
    constexpr std::size_t lanes = lane_count<Real>;
    std::size_t i = 0;
    while (i + 4 * lanes <= s.size()) {
        const std::size_t end = std::min(i + 64 * lanes, s.size() - s.size() % (4 * lanes));
        for (; i < end; i += 4 * lanes) {
            for (std::size_t k = 0; k < 4; ++k) {
                f(load_keys<Real>(&s[i + k * lanes]), k);
            }
        }
        flush();
    }
    for (std::size_t k = 0; i < s.size(); i += lanes, ++k) {
        f(i + lanes <= s.size() ? load_keys<Real>(&s[i]) : load_keys<Real>(&s[i], s.size() - i), k);
    }
    flush();
}

/// What all scores with keys below `limit` weigh together, and the least and largest of their keys (padding and
/// 0 when there are none).
template <class Real>
struct extent {
    double weight;
    key_of<Real> least, largest;
};
template <class Weight, class Real>
extent<Real> measure(std::span<const Real> s, key_of<Real> limit = infinity_key<Real> + 1) {
    lane_sums<Real> sums;
    const key_lanes<Real> limits(limit);
    key_lanes<Real> least[4];
    key_lanes<Real> largest[4];
    for (std::size_t k = 0; k < 4; ++k) {
        least[k] = key_lanes<Real>(padding_key<Real>);
        largest[k] = key_lanes<Real>(0);
    }
    for_all_keys<Real>(
        s,
        [&](const key_lanes<Real>& keys, std::size_t k) {
            const auto counts = keys < limits;
            sums.add(k, counts, Weight::template of<Real>(keys));
            least[k] = xsimd::min(least[k], keys);
            largest[k] = xsimd::max(largest[k], only<Real>(counts, keys));
        },
        [&] { sums.flush(); });
    key_of<Real> lanes[lane_count<Real>];
    xsimd::min(xsimd::min(least[0], least[1]), xsimd::min(least[2], least[3])).store_unaligned(lanes);
    const key_of<Real> low = *std::min_element(std::begin(lanes), std::end(lanes));
    xsimd::max(xsimd::max(largest[0], largest[1]), xsimd::max(largest[2], largest[3])).store_unaligned(lanes);
    return {sums.total(), low, *std::max_element(std::begin(lanes), std::end(lanes))};
}

/// Writes the scores with low <= key < high to `out`, without their signs, and tells what those below weigh. `out`
/// has room for all and a vector more; it may be where s begins.
template <class Real>
struct parting {
    double below;
    std::size_t count;
};
template <class Weight, class Real>
parting<Real> part(std::span<const Real> s, key_of<Real> low, key_of<Real> high, Real* out) {
    lane_sums<Real> sums;
    const key_lanes<Real> lows(low);
    const key_lanes<Real> highs(high);
    std::size_t count = 0;
    for_all_keys<Real>(
        s,
        [&](const key_lanes<Real>& keys, std::size_t k) {
            sums.add(k, keys < lows, Weight::template of<Real>(keys));
            count += compress<Real>(out + count, keys, within<Real>(keys, lows, highs));
        },
        [&] { sums.flush(); });
    return {sums.total(), count};
}

/// What all scores below `low`, and all together, weigh; summed in double: wrong by at most n * 2^-52 of the total and
/// 2^-126 an entry. For finite scores.
struct precise_mass {
    double below, total;
};
inline precise_mass weigh_precisely(std::span<const float> s, key_of<float> low) {
    const real_lanes<double> zero(0.0);
    real_lanes<double> below[2] = {zero, zero};
    real_lanes<double> total[2] = {zero, zero};
    const key_lanes<float> lows(low);
    const key_lanes<float> limits(infinity_key<float>);
    for_all_keys<float>(
        s,
        [&](const key_lanes<float>& keys, std::size_t) {
            add_widened(below, only<float>(keys < lows, keys));
            add_widened(total, only<float>(keys < limits, keys));
        },
        [] {});
    return {sum_of_lanes<double>(below[0] + below[1]), sum_of_lanes<double>(total[0] + total[1])};
}

/// A ladder of thresholds, one a lane: what the scores below each weigh, in one pass over few scores.
template <class Weight, class Real>
void weigh_below(std::span<const Real> s, const key_of<Real> (&rungs)[lane_count<Real>],
                 double (&below)[lane_count<Real>]) {
    const auto thresholds = key_lanes<Real>::load_unaligned(rungs);
    lane_sums<Real> sums;
    std::fill(std::begin(below), std::end(below), 0.0);
    for (std::size_t i = 0; i < s.size();) {
        const std::size_t end = std::min(i + 64, s.size());
        for (; i < end; ++i) {
            const key_lanes<Real> keys(key(s[i]));
            sums.add(i % 4, keys < thresholds, Weight::template of<Real>(keys));
        }
        Real lanes[lane_count<Real>];
        sums.together().store_unaligned(lanes);
        sums.clear();
        for (std::size_t k = 0; k < lane_count<Real>; ++k) {
            below[k] += static_cast<double>(lanes[k]);
        }
    }
}

} // namespace detail

TAMIS_END
