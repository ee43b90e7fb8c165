#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/study/laws/law.hpp>

#include <Eigen/Core>
#include <Eigen/SVD>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// What a fit by least squares says of a curve's N parameters.
template <std::size_t N>
struct fitted {
    /// The parameters.
    std::array<double, N> values{};
    /// Standard errors: the roots of the diagonal of s^2 (J^T J)^-1 with J the derivatives at the solution and s^2 the
    /// squared residuals over points - N. Of a parameter above zero, errors / values is the standard error of its
    /// logarithm, which is the better scale where it is not small. All infinite where the points do not tell the parameters apart.
    std::array<double, N> errors{};
    /// The root of the mean squared residual.
    double rms = 0;
    /// 1 - squared residuals / squared deviations from the mean; 0 where the points do not vary, since there is nothing to
    /// explain then.
    double r_squared = 0;
    /// Of J with columns of length one: 1 when each parameter moves the curve in a way of its own, infinite when one
    /// moves it not at all, or as others do together.
    double condition = 0;
    /// How many points it was fitted to.
    std::size_t points = 0;

    /// Whether parameter i is known to better than its own size.
    bool determines(std::size_t i) const { return magnitude_bits(errors[i]) < magnitude_bits(values[i]); }
    /// Whether J^T J could be inverted: if not, the values are one of many that fit as well.
    bool is_regular() const { return law_part::is_finite(condition); }
};

namespace law_part {

/// Beyond it J^T J can not be told from a singular matrix: its condition, the square, has used up a double's digits.
inline constexpr double largest_condition = 1e7;

/// Fills in errors, condition, rms and R^2. A row of `jacobian` has a point's derivatives by the parameters as they are
/// estimated (the logarithm of those that are positive); `scale` is the factor from there to the errors.
template <std::size_t N>
void judge(fitted<N>& fit, const Eigen::MatrixXd& jacobian, const Eigen::VectorXd& residuals,
           std::span<const law_point> points, const std::array<double, N>& scale) {
    const auto n = static_cast<Eigen::Index>(N);
    const auto count = static_cast<double>(points.size());
    double mean = 0, variation = 0;
    for (const law_point& p : points) {
        mean += p.y / count;
    }
    for (const law_point& p : points) {
        variation += (p.y - mean) * (p.y - mean);
    }
    const double squares = residuals.squaredNorm();
    fit.points = points.size();
    fit.rms = std::sqrt(squares / count);
    // What rounding makes of equal numbers is no variation.
    fit.r_squared = variation > 1e-28 * count * mean * mean ? 1 - squares / variation : 0.0;
    fit.errors.fill(detail::infinite_double);
    fit.condition = detail::infinite_double;

    // A parameter whose doubling would not move the curve by what a double can tell is not in the points at all.
    const Eigen::VectorXd length = jacobian.colwise().norm();
    // Ratios are shares of one, so 1e-12 of one is nothing either.
    const double nothing = 1e-12 * (std::max)(std::sqrt(count) * std::abs(mean), 1.0);
    if (!(length.minCoeff() > nothing) || points.size() <= N) {
        return;
    }
    const Eigen::MatrixXd unit = jacobian * length.cwiseInverse().asDiagonal();
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(unit, Eigen::ComputeThinU | Eigen::ComputeThinV);
    const Eigen::VectorXd& s = svd.singularValues();
    if (!(s[0] < largest_condition * s[n - 1])) {
        return;
    }
    fit.condition = s[0] / s[n - 1];
    const Eigen::MatrixXd root = svd.matrixV() * s.cwiseInverse().asDiagonal(); // root root^T = (J^T J)^-1
    const double deviation = std::sqrt(squares / (count - static_cast<double>(N)));
    for (Eigen::Index i = 0; i < n; ++i) {
        const auto place = static_cast<std::size_t>(i);
        fit.errors[place] = deviation * root.row(i).norm() / length[i] * scale[place];
    }
}

} // namespace law_part

} // namespace study

TAMIS_END
