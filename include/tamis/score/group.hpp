#pragma once

#include <tamis/detail/lanes.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/search/exact_sum.hpp>

#include <cmath>
#include <concepts>
#include <span>

TAMIS_BEGIN

/// The score of a group of values, for grouped: `score(group)` is a double >= 0, for a span of floats and for one of doubles
/// (whose signs mean nothing). A NaN in the group makes it NaN, and so active; a group of zeros is 0, and never active. So
/// that masks are the same everywhere, it does not depend on the order of additions.
/// Models: group_sum, group_largest, group_norm.
template <class S>
concept group_score = requires(const S& s, std::span<const float> floats, std::span<const double> doubles) {
    { s(floats) } -> std::same_as<double>;
    { s(doubles) } -> std::same_as<double>;
};

namespace detail {

/// The keys of a group's largest and least magnitude, zeros apart.
template <class Real>
struct key_range {
    key_of<Real> largest = 0, least = padding_key<Real>;

    explicit key_range(std::span<const Real> group) {
        constexpr std::size_t lanes = lane_count<Real>;
        const key_lanes<Real> top(padding_key<Real>);
        key_lanes<Real> most(key_of<Real>{0});
        key_lanes<Real> below_top = most; // how far the least is
        std::size_t i = 0;
        for (; i + lanes <= group.size(); i += lanes) {
            const key_lanes<Real> keys = load_keys<Real>(group.data() + i);
            most = (xsimd::max)(most, keys);
            below_top =
                (xsimd::max)(below_top, only<Real>(keys > key_lanes<Real>(key_of<Real>{0}), top - keys));
        }
        largest = largest_lane<Real>(most);
        least = padding_key<Real> - largest_lane<Real>(below_top);
        for (; i < group.size(); ++i) {
            const key_of<Real> k = key(group[i]);
            largest = larger(largest, k);
            least = k == 0 ? least : smaller(least, k);
        }
    }

    bool is_finite() const { return largest < infinity_key<Real>; }
    /// Infinity or NaN, as the largest is.
    double not_finite() const { return widen(detail::bits_as<Real>(largest)); }
};

/// The sum of floats by vectors of doubles, where it is exact and so the same in any order: all are whole multiples of the last
/// bit of the least, and so is a sum below 2^53 of them. False where it is not.
inline bool sum_exactly(std::span<const float> group, const key_range<float>& range, double& sum) {
    const int binades = static_cast<int>((range.largest >> 23) - (range.least >> 23));
    if (range.least < 0x00800000 || binades + 24 + bit_length(std::uint64_t{group.size()}) > 53) {
        return false;
    }
    two_doubles sums;
    std::size_t i = 0;
    for (; i + lane_count<float> <= group.size(); i += lane_count<float>) {
        sums.add(load_keys<float>(group.data() + i));
    }
    sum = sums.total();
    for (; i < group.size(); ++i) {
        sum += widen(detail::bits_as<float>(magnitude_bits(group[i])));
    }
    return true;
}

/// How far below the largest of a group exponents may lie to be summed in few words, so many values at most: nearly always.
inline constexpr int near_exponents = 30;
inline constexpr std::size_t few_values = 1024;

/// The integer and the place of a float among those that are near the largest; -1 for one that is not.
struct near_float {
    std::uint32_t integer;
    int place;

    constexpr near_float(std::uint32_t bits, int lowest) {
        const auto field = static_cast<int>(bits >> 23);
        integer = (bits & 0x7fffff) | (field == 0 ? 0u : 0x800000u);
        place = larger(field, 1) - lowest;
    }
    /// Whether it is far below and not zero.
    constexpr bool is_far() const { return place < 0 && integer != 0; }
    constexpr int shift() const { return larger(place, 0); }
    constexpr std::uint64_t value() const { return place < 0 ? 0u : integer; }
};

} // namespace detail

/// The sum of the magnitudes, rounded once.
struct group_sum {
    template <class Real>
    double operator()(std::span<const Real> group) const {
        group = detail::unseen(group);
        const detail::key_range<Real> range{group};
        if (!range.is_finite()) {
            return range.not_finite();
        }
        if constexpr (std::is_same_v<Real, float>) {
            double at_once = 0;
            if (detail::sum_exactly(group, range, at_once)) {
                return at_once;
            }
            const int lowest =
                detail::larger(static_cast<int>(range.largest >> 23) - detail::near_exponents, 1);
            std::uint64_t sum = 0;
            bool all_near = group.size() <= detail::few_values;
            for (const float value : group) {
                const detail::near_float v{magnitude_bits(value), lowest};
                all_near = all_near && !v.is_far();
                sum += v.value() << v.shift();
            }
            if (all_near) {
                return detail::nearest_double(sum, lowest - 150, false);
            }
        }
        exact_sum<Real> sum;
        for (const Real value : group) {
            sum.add(magnitude_bits(value));
        }
        return sum.nearest();
    }
};

/// The largest magnitude.
struct group_largest {
    template <class Real>
    double operator()(std::span<const Real> group) const {
        return widen(detail::bits_as<Real>(detail::key_range<Real>{detail::unseen(group)}.largest));
    }
};

/// The Euclidean norm: the root of the sum of squares, which is rounded once (of doubles each square is, too). Doubles that
/// are 2^500 times smaller than the group's largest count as zero.
struct group_norm {
    template <class Real>
    double operator()(std::span<const Real> group) const {
        group = detail::unseen(group);
        const detail::key_range<Real> range{group};
        if (!range.is_finite()) {
            return range.not_finite();
        }
        if constexpr (std::is_same_v<Real, float>) {
            const int lowest =
                detail::larger(static_cast<int>(range.largest >> 23) - detail::near_exponents, 1);
            detail::uint128 sum = std::uint64_t{0};
            bool all_near = group.size() <= detail::few_values;
            for (const float value : group) {
                const detail::near_float v{magnitude_bits(value), lowest};
                all_near = all_near && !v.is_far();
                sum += static_cast<detail::uint128>(v.value() * v.value()) << 2 * v.shift();
            }
            if (all_near) {
                return root(sum, 2 * (lowest - 150));
            }
            return root(group, 0);
        } else {
            return root(group, static_cast<int>(range.largest >> 52) - 1023);
        }
    }

  private:
    static double root(detail::uint128 sum, int exponent) {
        const int drop = detail::larger(detail::bit_length(sum) - 64, 0);
        const auto first = static_cast<std::uint64_t>(sum >> drop);
        const bool more = !(static_cast<detail::uint128>(first) << drop == sum);
        return std::sqrt(detail::nearest_double(first, exponent + drop, more));
    }
    /// Of values times 2^-scale, whose squares are doubles.
    template <class Real>
    static double root(std::span<const Real> group, int scale) {
        exact_sum<double> sum;
        for (const Real value : group) {
            const detail::parts v = detail::split<double>(magnitude_bits(widen(value)));
            const int exponent = v.exponent - scale;
            const double scaled = exponent < -552 ? 0.0 : detail::nearest_double(v.integer, exponent, false);
            sum.add(magnitude_bits(scaled * scaled));
        }
        const detail::parts result = detail::split<double>(magnitude_bits(std::sqrt(sum.nearest())));
        return detail::nearest_double(result.integer, result.exponent + scale, false);
    }
};

TAMIS_END
