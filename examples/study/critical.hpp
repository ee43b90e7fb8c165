#pragma once

#include "sweep.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace study {

// Critical sparsity: the highest sparsity that keeps 99 % of the dense model's performance. Linear between
// neighbouring points of the sweep, at the first crossing coming from the dense end.

/// A point of a sweep under one criterion.
struct sweep_point {
    std::string value;   ///< the rule's value, or "dense"
    double sparsity = 0; ///< of the mask
    double skipped = 0;  ///< of the weight bytes
    double quality = 1;  ///< what the criterion looks at, next to the dense model's
};

/// What is kept, and how much of it: quality falls from 1 to `least`, or rises to `most`.
struct criterion {
    std::string name;    ///< "PPL-1%"
    std::string quality; ///< "PPL ratio"
    double limit;
    bool rises; ///< worse is more (a ratio of perplexities), not less (accuracy)

    /// NaN keeps nothing.
    bool keeps(double q) const { return rises ? q <= limit : q >= limit; }
};

struct critical_point {
    bool reached = false; ///< whether the sweep leaves the limit at all
    double sparsity = 0, skipped = 0;
    sweep_point kept, lost; ///< the neighbours; `lost` only when reached
};

/// The first crossing of points that start at the dense end (the dense model itself is put in front).
inline critical_point find_critical(const criterion& c, const std::vector<sweep_point>& points) {
    critical_point result{false, 0, 0, {"dense", 0, 0, 1}, {}};
    for (const sweep_point& p : points) {
        if (!c.keeps(p.quality)) {
            result.reached = true;
            result.lost = p;
            break;
        }
        result.kept = p;
    }
    result.sparsity = result.kept.sparsity;
    result.skipped = result.kept.skipped;
    if (result.reached) {
        const double share = (c.limit - result.kept.quality) / (result.lost.quality - result.kept.quality);
        if (share >= 0 && share <= 1) { // not for a quality that became infinite or NaN
            result.sparsity += share * (result.lost.sparsity - result.kept.sparsity);
            result.skipped += share * (result.lost.skipped - result.kept.skipped);
        }
    }
    return result;
}

/// A criterion with the points of one site under it.
struct curve {
    std::string site;
    criterion what;
    std::vector<sweep_point> points;

    critical_point critical() const { return find_critical(what, points); }
};

inline double perplexity_ratio(const measurement& row, const measurement& dense) {
    return std::exp(row.text.nll() - dense.text.nll());
}
inline double top1_ratio(const measurement& row, const measurement& dense) {
    return row.text.top1() / dense.text.top1();
}
inline double accuracy_ratio(const measurement& row, const measurement& dense, std::size_t task) {
    return row.tasks[task].accuracy() / dense.tasks[task].accuracy();
}

/// All curves of a sweep (its first row is the dense one), site by site: PPL, top-1, each task, and the
/// unweighted mean over the tasks of sparsity and of accuracy relative to dense.
inline std::vector<curve> curves_of(const std::vector<measurement>& rows) {
    const measurement& dense = rows.front();
    std::vector<curve> curves;
    const auto add = [&](const std::string& site, criterion what, auto&& point_of) {
        curve c{site, std::move(what), {}};
        for (const auto& row : rows) {
            if (row.site() == site) {
                c.points.push_back(point_of(row));
            }
        }
        curves.push_back(std::move(c));
    };
    const auto of_text = [](const measurement& row, double quality) {
        return sweep_point{row.value(), row.counts.mask_sparsity(), row.counts.bytes_skipped(), quality};
    };
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const std::string site = rows[i].site();
        if (site == rows[i - 1].site()) {
            continue;
        }
        add(site, {"PPL-1%", "PPL ratio", 1.01, true},
            [&](const measurement& row) { return of_text(row, perplexity_ratio(row, dense)); });
        add(site, {"top-1 99%", "top-1 ratio", 0.99, false},
            [&](const measurement& row) { return of_text(row, top1_ratio(row, dense)); });
        const std::size_t tasks = dense.tasks.size();
        for (std::size_t t = 0; t < tasks; ++t) {
            add(site, {"task " + dense.tasks[t].name + " 99%", "accuracy ratio", 0.99, false},
                [&](const measurement& row) {
                    const ffn_counts& counts = row.tasks[t].counts;
                    return sweep_point{row.value(), counts.mask_sparsity(), counts.bytes_skipped(),
                                       accuracy_ratio(row, dense, t)};
                });
        }
        if (tasks > 1) {
            add(site, {"tasks averaged 99%", "accuracy ratio", 0.99, false}, [&](const measurement& row) {
                sweep_point mean{row.value(), 0, 0, 0};
                const double share = 1 / static_cast<double>(tasks);
                for (std::size_t t = 0; t < tasks; ++t) {
                    mean.sparsity += share * row.tasks[t].counts.mask_sparsity();
                    mean.skipped += share * row.tasks[t].counts.bytes_skipped();
                    mean.quality += share * accuracy_ratio(row, dense, t);
                }
                return mean;
            });
        }
    }
    return curves;
}

} // namespace study
