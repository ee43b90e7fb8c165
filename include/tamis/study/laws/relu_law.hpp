#pragma once

#include <tamis/study/laws/law.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// A(D) = exp(-c D^alpha + b) + A0, D in billions of tokens [S, section 4]: with ReLU the activation ratio falls towards
/// A0 > 0. alpha and c are above zero.
struct relu_law {
    static constexpr std::array<const char*, 4> names{"alpha", "b", "c", "A0"};
    static constexpr std::array<bool, 4> positive{true, false, true, false};
    static constexpr std::size_t limit = 3;

    double value(double tokens, const std::array<double, 4>& p) const {
        return std::exp(p[1] - p[2] * std::pow(tokens, p[0])) + p[3];
    }
    std::array<double, 4> gradient(double tokens, const std::array<double, 4>& p) const {
        const double power = std::pow(tokens, p[0]);
        const double above = std::exp(p[1] - p[2] * power);
        return {-above * p[2] * power * std::log(tokens), above, -above * power, 1.0};
    }

    /// For several alpha and A0, the b and c of the line log(A - A0) = b - c D^alpha. Points whose distance to A0 is mostly
    /// noise count less: the weight is that distance squared.
    std::vector<std::array<double, 4>> starts(std::span<const law_point> points) const {
        double least = 1, most = 0, longest = 0;
        for (const law_point& p : points) {
            least = (std::min)(least, p.y), most = (std::max)(most, p.y), longest = (std::max)(longest, p.x);
        }
        const double room = (std::max)(most - least, 1e-6 * most + 1e-12);
        std::vector<std::array<double, 4>> all;
        for (const double alpha : {0.1, 0.3, 0.6, 1.0, 1.5, 2.5}) {
            for (const double below : {0.01, 0.1, 0.5, 2.0}) {
                const double a0 = least - below * room;
                const auto power = [&](const law_point& p) { return std::pow(p.x, alpha); };
                const auto height = [&](const law_point& p) { return std::log(p.y - a0); };
                const auto weight = [&](const law_point& p) { return (p.y - a0) * (p.y - a0); };
                const law_part::line l = law_part::line_through(points, power, height, weight);
                // Where the data rise, the law can not: begin nearly flat.
                const double flat = 1e-3 / std::pow(longest, alpha);
                all.push_back({alpha, l.intercept, (std::max)(-l.slope, flat), a0});
            }
        }
        return all;
    }
};

} // namespace study

TAMIS_END
