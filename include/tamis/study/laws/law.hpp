#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/error.hpp>

#include <array>
#include <cmath>
#include <span>
#include <vector>

TAMIS_BEGIN

namespace study {

// Laws of [S]: how the activation ratio falls or rises with the amount of training data, towards a limit.

/// A measured activation ratio y, a share in [0, 1], at x: billions of training tokens, or a width over a depth.
struct law_point {
    /// Data or shape, and the ratio.
    double x, y;
};

/// A law with N parameters is a class with
///     static constexpr std::array<const char*, N> names;     // of the parameters, in their order
///     static constexpr std::array<bool, N> positive;         // those that stay above zero
///     static constexpr std::size_t limit;                    // which of them is the value for x without end
///     double value(double x, const std::array<double, N>& p) const;
///     std::vector<std::array<double, N>> starts(std::span<const law_point>) const; // where a fit may begin
/// and, if it likes, `std::array<double, N> gradient(x, p) const`, the derivatives of value by p (otherwise differences
/// are taken). Starts are values in the parameters' domain and depend on the points alone.
/// Models: relu_law, silu_law.
template <class L>
concept law = requires(const L& f, double x, const std::array<double, L::names.size()>& p,
                       std::span<const law_point> points) {
    { f.value(x, p) } -> std::convertible_to<double>;
    { f.starts(points) } -> std::same_as<std::vector<std::array<double, L::names.size()>>>;
    { L::limit } -> std::convertible_to<std::size_t>;
    requires L::names.size() == L::positive.size() && L::limit < L::names.size();
};

template <law L>
inline constexpr std::size_t parameters_of = L::names.size();
template <law L>
using parameters = std::array<double, parameters_of<L>>;

namespace law_part {

constexpr bool is_finite(double value) { return magnitude_bits(value) < infinity_bits<double>; }

/// Refuses fewer points than `least`, an x that is not finite and above zero, and a y outside [0, 1].
inline void check_points(std::span<const law_point> points, std::size_t least) {
    if (points.size() < least) {
        fail_sizes("tamis::study: a fit needs at least %zu points (one more than its parameters), got %zu",
                   least, points.size());
    }
    for (const law_point& p : points) {
        if (!detail::is_between(p.x, 0x1p-1022, 0x1p1000)) {
            fail_value(
                "tamis::study: the x of a point (billions of tokens, width over depth) must be above "
                "zero and finite, got %.12g",
                p.x);
        }
        if (!detail::is_between(p.y, 0.0, 1.0)) {
            fail_value(
                "tamis::study: an activation ratio must be a share in [0, 1] (6.14 %% is 0.0614), got "
                "%.12g",
                p.y);
        }
    }
}

/// y = intercept + slope * x by least squares with weights; slope 0 where the x do not differ.
struct line {
    /// Of the line.
    double intercept = 0, slope = 0;
};
template <class X, class Y, class Weight>
line line_through(std::span<const law_point> points, X&& x, Y&& y, Weight&& weight) {
    double w = 0, wx = 0, wy = 0;
    for (const law_point& p : points) {
        w += weight(p), wx += weight(p) * x(p), wy += weight(p) * y(p);
    }
    const double mean_x = wx / w, mean_y = wy / w;
    double xx = 0, xy = 0;
    for (const law_point& p : points) {
        xx += weight(p) * (x(p) - mean_x) * (x(p) - mean_x);
        xy += weight(p) * (x(p) - mean_x) * (y(p) - mean_y);
    }
    const double slope = xx > 0 ? xy / xx : 0.0;
    return {mean_y - slope * mean_x, slope};
}

} // namespace law_part

} // namespace study

TAMIS_END
