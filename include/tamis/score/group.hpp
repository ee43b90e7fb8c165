#pragma once

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

template <class Real>
constexpr bits_of<Real> largest_magnitude(std::span<const Real> group) {
    bits_of<Real> largest = 0;
    for (const Real value : group) {
        largest = larger(largest, magnitude_bits(value));
    }
    return largest;
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
        const bits_of<Real> largest = detail::largest_magnitude(group);
        if (largest >= infinity_bits<Real>) {
            return widen(detail::bits_as<Real>(largest));
        }
        if constexpr (std::is_same_v<Real, float>) {
            const int lowest = detail::larger(static_cast<int>(largest >> 23) - detail::near_exponents, 1);
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
        return widen(detail::bits_as<Real>(detail::largest_magnitude(group)));
    }
};

/// The Euclidean norm: the root of the sum of squares, which is rounded once (of doubles each square is, too). Doubles that
/// are 2^500 times smaller than the group's largest count as zero.
struct group_norm {
    template <class Real>
    double operator()(std::span<const Real> group) const {
        const bits_of<Real> largest = detail::largest_magnitude(group);
        if (largest >= infinity_bits<Real>) {
            return widen(detail::bits_as<Real>(largest));
        }
        if constexpr (std::is_same_v<Real, float>) {
            const int lowest = detail::larger(static_cast<int>(largest >> 23) - detail::near_exponents, 1);
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
            return root(group, static_cast<int>(largest >> 52) - 1023);
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
