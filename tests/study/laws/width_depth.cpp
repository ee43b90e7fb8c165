#include <tamis/study/laws/width_depth.hpp>

#include "study/laws/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace tamis::study;

namespace {

double rising(double x) { return 0.03 + 0.0005 * std::min(x, 114.0); }

std::vector<law_point> widths(double noise, std::uint64_t seed) {
    engine random{seed};
    std::vector<law_point> points;
    for (const double x : {12.0, 20.0, 31.0, 43.0, 60.0, 77.0, 96.0, 110.0, 140.0, 180.0, 256.0, 400.0}) {
        points.push_back({x, rising(x) + noise * bell(random)});
    }
    return points;
}

/// The plain way: breaks tried one by one.
double least_squares_by_trying(std::span<const law_point> points) {
    double least = std::numeric_limits<double>::max();
    for (double t = 12; t <= 400; t += 0.01) {
        double n = 0, mx = 0, my = 0;
        for (const law_point& p : points) {
            n += 1, mx += std::min(p.x, t), my += p.y;
        }
        double xx = 0, xy = 0, yy = 0;
        for (const law_point& p : points) {
            const double x = std::min(p.x, t) - mx / n, y = p.y - my / n;
            xx += x * x, xy += x * y, yy += y * y;
        }
        least = std::min(least, xx > 0 ? yy - xy * xy / xx : yy);
    }
    return least;
}

} // namespace

TEST_CASE("exact points give line and bottleneck back") {
    const auto fit = fit_bottleneck(widths(0, 0));
    CHECK(fit.intercept() == doctest::Approx(0.03));
    CHECK(fit.slope() == doctest::Approx(0.0005));
    CHECK(fit.bottleneck() == doctest::Approx(114.0));
    CHECK(fit.level() == doctest::Approx(0.087));
    CHECK(fit.rms < 1e-12);
    CHECK(fit.r_squared == doctest::Approx(1.0));
    CHECK(fit.has_bottleneck());
    CHECK(fit(50.0) == doctest::Approx(rising(50.0)));
    CHECK(fit(500.0) == doctest::Approx(0.087));
}

TEST_CASE("noisy points: no break is better, and the truth is within the errors") {
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        CAPTURE(seed);
        const auto points = widths(0.001, seed);
        const auto fit = fit_bottleneck(points);
        const double squares = fit.rms * fit.rms * 12;
        const double tried = least_squares_by_trying(points);
        CHECK(squares <= tried * (1 + 1e-9));
        CHECK(squares >= tried * (1 - 1e-3));
        CHECK(fit.has_bottleneck());
        CHECK(std::abs(fit.bottleneck() - 114) < 3.5 * fit.errors[2]);
        CHECK(std::abs(fit.slope() - 0.0005) < 3.5 * fit.errors[1]);
        CHECK(std::abs(fit.level() - 0.087) < 3.5 * fit.level_error);
        CHECK(fit.errors[2] < 15);
    }
}

TEST_CASE("a falling line has a bottleneck too, and the order does not matter") {
    std::vector<law_point> points;
    for (const double x : {5.0, 1.0, 2.0, 4.0, 3.0, 6.0, 7.0}) {
        points.push_back({x, 0.9 - 0.1 * std::min(x, 4.5)});
    }
    const auto fit = fit_bottleneck(points);
    CHECK(fit.slope() == doctest::Approx(-0.1));
    CHECK(fit.bottleneck() == doctest::Approx(4.5));
    std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.x > b.x; });
    CHECK(fit_bottleneck(points).values == fit.values);
}

TEST_CASE("a break at a point, and several points at one place") {
    const std::vector<law_point> points{{1, 0.1}, {1, 0.1}, {2, 0.2}, {3, 0.3}, {3, 0.3}, {4, 0.3}, {5, 0.3}};
    const auto fit = fit_bottleneck(points);
    CHECK(fit.bottleneck() == doctest::Approx(3.0));
    CHECK(fit.rms < 1e-12);
}

TEST_CASE("without a bottleneck among the points the fit says so") {
    std::vector<law_point> line, constant, place;
    for (int i = 1; i <= 9; ++i) {
        line.push_back({1.0 * i, 0.05 * i});
        constant.push_back({1.0 * i, 0.3});
        place.push_back({4.0, 0.05 * i});
    }
    for (const auto& points : {line, constant, place}) {
        const auto fit = fit_bottleneck(points);
        CHECK(!fit.has_bottleneck());
        CHECK(!fit.is_regular());
        CHECK(tamis::magnitude_bits(fit.errors[2]) == tamis::infinity_bits<double>);
        CHECK(tamis::magnitude_bits(fit.level_error) == tamis::infinity_bits<double>);
    }
    CHECK(fit_bottleneck(line).slope() == doctest::Approx(0.05));
    CHECK(fit_bottleneck(constant).r_squared == 0);
}
