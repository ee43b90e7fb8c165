#pragma once

#include <tamis/study/laws/least_squares.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// The activation ratio against width over depth [S, section 4]: a line up to a bottleneck, a level from there on.
struct bottleneck_fit : fitted<3> {
    static constexpr std::array<const char*, 3> names{"intercept", "slope", "bottleneck"};

    /// Of the line below the bottleneck.
    double intercept() const { return values[0]; }
    /// Of the line below the bottleneck.
    double slope() const { return values[1]; }
    /// The width over depth at which the line ends.
    double bottleneck() const { return values[2]; }
    /// The fitted curve at x.
    double operator()(double x) const { return values[0] + values[1] * (std::min)(x, values[2]); }
    /// The ratio beyond the bottleneck, and its standard error.
    double level() const { return (*this)(bottleneck()); }
    /// The standard error of the level.
    double level_error = 0;

    /// Whether the points have a bottleneck: all three parameters can be told from them.
    bool has_bottleneck() const { return is_regular() && determines(1) && determines(2); }
};

namespace law_part {

/// The best intercept and slope of intercept + slope * min(x, t), and the squared residuals.
struct broken_line {
    line below;
    double at = 0, squares = 0;
};
inline broken_line with_break_at(std::span<const law_point> points, double t) {
    const auto x = [t](const law_point& p) { return (std::min)(p.x, t); };
    broken_line b{line_through(
                      points, x, [](const law_point& p) { return p.y; },
                      [](const law_point&) { return 1.0; }),
                  t, 0};
    for (const law_point& p : points) {
        const double residual = b.below.intercept + b.below.slope * x(p) - p.y;
        b.squares += residual * residual;
    }
    return b;
}

/// Where the line of the first `count` points meets the mean of the others: the best break, if it lies between them.
inline double meeting(std::span<const law_point> sorted, std::size_t count) {
    const line below = line_through(
        sorted.first(count), [](const law_point& p) { return p.x; }, [](const law_point& p) { return p.y; },
        [](const law_point&) { return 1.0; });
    double mean = 0;
    for (const law_point& p : sorted.subspan(count)) {
        mean += p.y / static_cast<double>(sorted.size() - count);
    }
    // Nowhere where the line is level; the comparison with the points' places refuses what is far off.
    return std::abs(below.slope) > 0 ? (mean - below.intercept) / below.slope : 0.0;
}

} // namespace law_part

/// Fits y = intercept + slope * min(x, bottleneck) to points in any order: the least squares of all breaks, found exactly.
/// Between two neighbouring places the squares are least where the line of the points below meets the mean of those above,
/// or else at one of the two, so n - 1 candidates of each kind are all. Where the line has no end among the points, or
/// nothing varies, the errors are infinite. Refuses fewer than four points, an x that is not above zero and finite, a y
/// that is no share. Time: n^2. Allocates.
inline bottleneck_fit fit_bottleneck(std::span<const law_point> points) {
    law_part::check_points(points, 4);
    std::vector<law_point> sorted(points.begin(), points.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const law_point& a, const law_point& b) { return a.x != b.x ? a.x < b.x : a.y < b.y; });
    double rounding = 0; // what no break can be said to gain: a line that ends nowhere stays one
    for (const law_point& p : sorted) {
        rounding += 1e-28 * p.y * p.y;
    }
    law_part::broken_line best = law_part::with_break_at(sorted, sorted.back().x);
    const auto consider = [&](double t) {
        const law_part::broken_line b = law_part::with_break_at(sorted, t);
        best = b.squares + rounding < best.squares ? b : best;
    };
    for (std::size_t count = 1; count < sorted.size(); ++count) {
        consider(sorted[count - 1].x);
        const double t = law_part::meeting(sorted, count);
        if (t > sorted[count - 1].x && t < sorted[count].x) {
            consider(t);
        }
    }

    bottleneck_fit fit;
    fit.values = {best.below.intercept, best.below.slope, best.at};
    const auto rows = static_cast<Eigen::Index>(sorted.size());
    Eigen::MatrixXd jacobian(rows, 3);
    Eigen::VectorXd residuals(rows);
    for (Eigen::Index i = 0; i < rows; ++i) {
        const law_point& p = sorted[static_cast<std::size_t>(i)];
        jacobian.row(i) << 1.0, (std::min)(p.x, best.at), p.x > best.at ? best.below.slope : 0.0;
        residuals[i] = fit(p.x) - p.y;
    }
    law_part::judge(fit, jacobian, residuals, sorted, {1.0, 1.0, 1.0});
    // Where the break lies between points the level is the mean of those above it.
    const auto above =
        std::count_if(sorted.begin(), sorted.end(), [&](const law_point& p) { return p.x > best.at; });
    fit.level_error =
        fit.is_regular()
            ? std::sqrt(residuals.squaredNorm() / static_cast<double>(rows - 3) / static_cast<double>(above))
            : detail::infinite_double;
    return fit;
}

} // namespace study

TAMIS_END
