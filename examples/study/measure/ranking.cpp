#include "measure/ranking.hpp"

#include <algorithm>
#include <cmath>

namespace app {

double excess_at(std::vector<study::sweep_point> points, double sparsity, bool beyond) {
    if (std::any_of(points.begin(), points.end(), [](const auto& p) {
            return !study::is_finite(p.sparsity) || !study::is_finite(p.quality);
        })) {
        return study::not_a_number; // it may lie anywhere: nothing is read off across it
    }
    std::stable_sort(points.begin(), points.end(),
                     [](const auto& a, const auto& b) { return a.sparsity < b.sparsity; });
    points.insert(points.begin(), study::sweep_point{0, 0, 0, 0});
    for (std::size_t i = 1; i < points.size(); ++i) {
        const auto &a = points[i - 1], &b = points[i];
        const bool last = beyond && i + 1 == points.size();
        if (a.sparsity <= sparsity && (sparsity <= b.sparsity || last)) {
            return b.sparsity == a.sparsity ? a.quality
                                            : a.quality + (b.quality - a.quality) * (sparsity - a.sparsity) /
                                                              (b.sparsity - a.sparsity);
        }
    }
    return study::not_a_number;
}

std::vector<ranked> ranking_at(const std::vector<method_rows>& methods, const std::vector<measurement>& rows,
                               const drawn_study& drawn, double sparsity) {
    return ranking_of_points(
        methods,
        [&](std::size_t row) {
            return study::sweep_point{0, rows[row].masks.mask_sparsity(), 0,
                                      rows[row].text.nll() - rows.front().text.nll()};
        },
        drawn, sparsity);
}

std::vector<ranked> ranking_of_points(const std::vector<method_rows>& methods,
                                      const std::function<study::sweep_point(std::size_t)>& point_of,
                                      const drawn_study& drawn, double sparsity) {
    std::vector<ranked> all;
    for (std::size_t m = 0; m < methods.size(); ++m) {
        std::vector<study::sweep_point> points;
        for (std::size_t i = 0; i < methods[m].count; ++i) {
            points.push_back(point_of(methods[m].first + i));
        }
        const double excess = methods[m].lost ? study::not_a_number : excess_at(points, sparsity);
        all.push_back({m, std::exp(excess), {}, study::not_a_number, {}, false});
    }
    std::stable_sort(all.begin(), all.end(), [](const ranked& a, const ranked& b) {
        return !tamis::is_nan(a.ratio) && (tamis::is_nan(b.ratio) || a.ratio < b.ratio);
    });
    std::vector<double> best;
    for (ranked& r : all) {
        if (tamis::is_nan(r.ratio)) {
            break;
        }
        std::vector<double> ratios, above;
        for (std::size_t draw = 0; draw < drawn.text.draws(); ++draw) {
            std::vector<study::sweep_point> points;
            for (std::size_t i = 0; i < methods[r.method].count; ++i) {
                const auto& row = drawn.text.at(draw, methods[r.method].first + i);
                points.push_back({0, row.sparsity, 0, row.loss - drawn.text.at(draw, 0).loss});
            }
            ratios.push_back(std::exp(excess_at(std::move(points), sparsity, true)));
        }
        if (&r == &all.front()) {
            best = ratios;
        }
        for (std::size_t draw = 0; draw < ratios.size(); ++draw) {
            above.push_back(ratios[draw] - best[draw]);
        }
        r.interval = study::interval_of(ratios, drawn.how.level);
        r.above_best = r.ratio - all.front().ratio;
        r.above_best_interval = study::interval_of(above, drawn.how.level);
        r.told_apart =
            r.above_best_interval.is_known() && &r != &all.front() && !r.above_best_interval.holds(0);
    }
    return all;
}

} // namespace app
