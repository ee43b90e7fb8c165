#include <tamis/study/laws/fit_law.hpp>

#include "study/laws/support.hpp"

#include <Eigen/LU>

#include <doctest/doctest.h>

using namespace tamis::study;

// A third form is one small class: nothing else has to know it.

namespace {

/// A(D) = c / (D + 1) + A0: linear in its parameters, so the fit has a closed form to compare with.
struct hyperbola {
    static constexpr std::array<const char*, 2> names{"c", "A0"};
    static constexpr std::array<bool, 2> positive{true, false};
    static constexpr std::size_t limit = 1;
    double value(double tokens, const std::array<double, 2>& p) const { return p[0] / (tokens + 1) + p[1]; }
    std::vector<std::array<double, 2>> starts(std::span<const law_point>) const { return {{1.0, 0.5}}; }
};

/// The SiLU law without derivatives of its own.
struct by_differences {
    static constexpr std::array<const char*, 3> names{"alpha", "c", "A0"};
    static constexpr std::array<bool, 3> positive{true, true, false};
    static constexpr std::size_t limit = 2;
    double value(double tokens, const std::array<double, 3>& p) const { return silu_law{}.value(tokens, p); }
    std::vector<std::array<double, 3>> starts(std::span<const law_point> points) const {
        return silu_law{}.starts(points);
    }
};

template <class L>
void check_gradient(const std::array<double, L::names.size()>& p) {
    for (const double tokens : {0.7, 3.0, 50.0, 400.0}) {
        const auto by = L{}.gradient(tokens, p);
        for (std::size_t i = 0; i < p.size(); ++i) {
            auto below = p, above = p;
            const double step = 1e-5 * std::abs(p[i]);
            below[i] -= step, above[i] += step;
            const double slope =
                (L{}.value(tokens, above) - L{}.value(tokens, below)) / (above[i] - below[i]);
            CHECK(by[i] == doctest::Approx(slope).epsilon(1e-6));
        }
    }
}

} // namespace

TEST_CASE("a law of one's own: values and standard errors are those of linear least squares") {
    engine random{3};
    std::vector<law_point> points;
    for (int i = 1; i <= 25; ++i) {
        points.push_back({1.0 * i, hyperbola{}.value(i, {0.5, 0.1}) + 0.002 * bell(random)});
    }
    // By hand: theta = (X^T X)^-1 X^T y, s^2 (X^T X)^-1.
    Eigen::MatrixXd x(25, 2);
    Eigen::VectorXd y(25);
    for (int i = 0; i < 25; ++i) {
        x.row(i) << 1 / (points[static_cast<std::size_t>(i)].x + 1), 1.0;
        y[i] = points[static_cast<std::size_t>(i)].y;
    }
    const Eigen::MatrixXd inverse = (x.transpose() * x).inverse();
    const Eigen::VectorXd theta = inverse * x.transpose() * y;
    const double squares = (x * theta - y).squaredNorm();

    const auto fit = fit_law<hyperbola>(points);
    for (int i = 0; i < 2; ++i) {
        const auto place = static_cast<std::size_t>(i);
        CHECK(fit.values[place] == doctest::Approx(theta[i]).epsilon(1e-8));
        CHECK(fit.errors[place] == doctest::Approx(std::sqrt(squares / 23 * inverse(i, i))).epsilon(1e-6));
    }
    CHECK(fit.limit() == fit.values[1]);
    CHECK(fit.limit_error() == fit.errors[1]);
    CHECK(fit.rms == doctest::Approx(std::sqrt(squares / 25)));
    CHECK(fit.r_squared == doctest::Approx(1 - squares / (y.array() - y.mean()).matrix().squaredNorm()));
    CHECK(fit.starts == 1);
}

TEST_CASE("a law without derivatives is fitted by differences, to the same result") {
    for (const silu_row& row : silu_rows) {
        const auto points = measured<silu_law>(row.p, 0.01, 5);
        const auto fit = fit_law<silu_law>(points);
        const auto same = fit_law<by_differences>(points);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(same.values[i] == doctest::Approx(fit.values[i]).epsilon(1e-5));
            CHECK(same.errors[i] == doctest::Approx(fit.errors[i]).epsilon(1e-4));
        }
    }
}

TEST_CASE("the laws' derivatives are those of their values") {
    for (const relu_row& row : relu_rows) {
        check_gradient<relu_law>(row.p);
    }
    for (const silu_row& row : silu_rows) {
        check_gradient<silu_law>(row.p);
    }
}
