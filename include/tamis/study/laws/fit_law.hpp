#pragma once

#include <tamis/study/laws/least_squares.hpp>

#include <unsupported/Eigen/NonLinearOptimization>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// What a fit is worth: `failed` when it describes the points hardly better than their mean does (R^2 below a half): it is no law of
/// them then, whatever its parameters are. `undetermined` when it describes them, but other parameters would as well: the steps
/// never ended, a parameter that has to be above zero, or A0, is not known to better than its own size, or A0 is no share in
/// [0, 1].
enum class law_verdict { failed, undetermined, determined };
constexpr const char* name_of(law_verdict v) {
    return v == law_verdict::failed         ? "failed"
           : v == law_verdict::undetermined ? "undetermined"
                                            : "determined";
}

/// A law's parameters as the points have them.
template <law L>
struct law_fit : fitted<parameters_of<L>> {
    /// The law.
    [[no_unique_address]] L curve{};
    /// Steps of Levenberg-Marquardt from the start that led to the least residual, and how many starts there were.
    std::size_t iterations = 0, starts = 0;
    /// Whether the steps ended by themselves.
    bool converged = false;

    /// A0, the activation ratio for data without end, and its standard error.
    double limit() const { return this->values[L::limit]; }
    /// The standard error of the limit.
    double limit_error() const { return this->errors[L::limit]; }
    /// The fitted curve at x.
    double operator()(double x) const { return curve.value(x, this->values); }

    /// Whether the points determine the limit: J^T J is regular and A0 is known to better than its own size.
    bool determines_limit() const { return this->is_regular() && this->determines(L::limit); }
    /// Whether they determine all parameters in this sense. A parameter that may be zero (b) can be known well and fail
    /// here; the errors say more.
    bool determines_all() const {
        bool all = this->is_regular();
        for (std::size_t i = 0; i < parameters_of<L>; ++i) {
            all = all && this->determines(i);
        }
        return all;
    }
    /// What the errors say of the fit.
    law_verdict verdict() const {
        if (!(this->r_squared >= 0.5)) {
            return law_verdict::failed;
        }
        bool known = converged && determines_limit() && detail::is_between(limit(), 0.0, 1.0);
        for (std::size_t i = 0; i < parameters_of<L>; ++i) {
            known = known && (L::positive[i] ? this->determines(i) : law_part::is_finite(this->errors[i]));
        }
        return known ? law_verdict::determined : law_verdict::undetermined;
    }
};

namespace law_part {

/// The residuals of a law over points, as Eigen's minimiser wants them. It moves freely: a parameter that stays above
/// zero is the exponential of what is moved. What overflows on the way is a step too far: large, and finite, because
/// comparisons with NaN mean nothing with -ffast-math.
template <law L>
class law_residuals {
  public:
    using Scalar = double; ///< Eigen's names
    static constexpr double too_far = 1e60;

    law_residuals(const L& curve, std::span<const law_point> points) : curve_{&curve}, points_{points} {}

    static Eigen::VectorXd free_of(const parameters<L>& p) {
        Eigen::VectorXd q(static_cast<Eigen::Index>(p.size()));
        for (std::size_t i = 0; i < p.size(); ++i) {
            q[static_cast<Eigen::Index>(i)] = L::positive[i] ? std::log(p[i]) : p[i];
        }
        return q;
    }
    static parameters<L> bound_of(const Eigen::VectorXd& q) {
        parameters<L> p;
        for (std::size_t i = 0; i < p.size(); ++i) {
            const double value = q[static_cast<Eigen::Index>(i)];
            p[i] = L::positive[i] ? std::exp((std::min)((std::max)(value, -690.0), 690.0)) : value;
        }
        return p;
    }

    int values() const { return static_cast<int>(points_.size()); }
    int operator()(const Eigen::VectorXd& q, Eigen::VectorXd& residuals) const {
        const parameters<L> p = bound_of(q);
        for (std::size_t i = 0; i < points_.size(); ++i) {
            residuals[static_cast<Eigen::Index>(i)] = bounded(curve_->value(points_[i].x, p)) - points_[i].y;
        }
        return 0;
    }
    int df(const Eigen::VectorXd& q, Eigen::MatrixXd& jacobian) const {
        const parameters<L> p = bound_of(q);
        for (std::size_t i = 0; i < points_.size(); ++i) {
            const parameters<L> by_parameter = gradient(points_[i].x, p);
            for (std::size_t j = 0; j < p.size(); ++j) {
                jacobian(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
                    bounded(L::positive[j] ? p[j] * by_parameter[j] : by_parameter[j]);
            }
        }
        return 0;
    }

  private:
    static double bounded(double value) {
        return magnitude_bits(value) < magnitude_bits(too_far) ? value : too_far;
    }
    parameters<L> gradient(double x, const parameters<L>& p) const {
        if constexpr (requires { curve_->gradient(x, p); }) {
            return curve_->gradient(x, p);
        } else {
            parameters<L> by_parameter;
            for (std::size_t i = 0; i < p.size();
                 ++i) { // central differences: a third of the digits is the best step
                const double size = L::positive[i] ? p[i] : (std::max)(std::abs(p[i]), 1e-3);
                parameters<L> below = p, above = p;
                below[i] -= 6e-6 * size, above[i] += 6e-6 * size;
                by_parameter[i] = (curve_->value(x, above) - curve_->value(x, below)) / (above[i] - below[i]);
            }
            return by_parameter;
        }
    }

    const L* curve_;
    std::span<const law_point> points_;
};

} // namespace law_part

/// Fits a law to points (in any order) by Levenberg-Marquardt, unweighted, from each of the law's starts; the least
/// residual counts, the first of equals. The same points give the same result. Refuses fewer points than parameters + 1,
/// an x that is not above zero and finite, a y that is no share. Allocates.
template <law L>
law_fit<L> fit_law(std::span<const law_point> points, const L& curve = L{}) {
    law_part::check_points(points, parameters_of<L> + 1);
    law_part::law_residuals<L> residuals{curve, points};
    const std::vector<parameters<L>> starts = curve.starts(points);
    if (starts.empty()) {
        fail("tamis::study::fit_law: the law's starts(points) are none; at least one is needed");
    }
    law_fit<L> best;
    best.curve = curve;
    best.starts = starts.size();
    Eigen::VectorXd found, left;
    double least = (std::numeric_limits<double>::max)();
    for (const parameters<L>& start : starts) {
        Eigen::LevenbergMarquardt<law_part::law_residuals<L>> search{residuals};
        search.parameters.ftol = search.parameters.xtol = 1e-14;
        search.parameters.maxfev = 2000;
        Eigen::VectorXd q = residuals.free_of(start);
        const auto status = search.minimize(q);
        if (search.fnorm < least) {
            least = search.fnorm;
            found = q;
            left = search.fvec;
            best.iterations = static_cast<std::size_t>(search.njev);
            best.converged = status != Eigen::LevenbergMarquardtSpace::TooManyFunctionEvaluation;
        }
    }
    best.values = residuals.bound_of(found);
    parameters<L> scale;
    for (std::size_t i = 0; i < scale.size(); ++i) {
        scale[i] = L::positive[i] ? best.values[i] : 1.0;
    }
    Eigen::MatrixXd jacobian(static_cast<Eigen::Index>(points.size()),
                             static_cast<Eigen::Index>(parameters_of<L>));
    residuals.df(found, jacobian);
    law_part::judge(best, jacobian, left, points, scale);
    return best;
}

} // namespace study

TAMIS_END
