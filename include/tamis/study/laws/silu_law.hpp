#pragma once

#include <tamis/study/laws/law.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// A(D) = -c / D^alpha + A0, D in billions of tokens [S, section 4]: with SiLU the activation ratio rises towards A0. alpha
/// and c are above zero.
struct silu_law {
    static constexpr std::array<const char*, 3> names{"alpha", "c", "A0"};
    static constexpr std::array<bool, 3> positive{true, true, false};
    static constexpr std::size_t limit = 2;

    double value(double tokens, const std::array<double, 3>& p) const {
        return p[2] - p[1] * std::pow(tokens, -p[0]);
    }
    std::array<double, 3> gradient(double tokens, const std::array<double, 3>& p) const {
        const double power = std::pow(tokens, -p[0]);
        return {p[1] * power * std::log(tokens), -power, 1.0};
    }

    /// For several alpha the best c and A0: the law is a line in D^-alpha.
    std::vector<std::array<double, 3>> starts(std::span<const law_point> points) const {
        double shortest = points.front().x;
        for (const law_point& p : points) {
            shortest = (std::min)(shortest, p.x);
        }
        std::vector<std::array<double, 3>> all;
        for (const double alpha : {0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5, 4.0}) {
            const auto power = [&](const law_point& p) { return std::pow(p.x, -alpha); };
            const auto ratio = [](const law_point& p) { return p.y; };
            const auto one = [](const law_point&) { return 1.0; };
            const law_part::line l = law_part::line_through(points, power, ratio, one);
            // Where the data fall, the law can not: begin nearly flat.
            const double flat = 1e-6 * std::pow(shortest, alpha);
            all.push_back({alpha, (std::max)(-l.slope, flat), l.intercept});
        }
        return all;
    }
};

} // namespace study

TAMIS_END
