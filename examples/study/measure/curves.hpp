#pragma once

#include "measure/measure.hpp"

#include <tamis/study/bootstrap.hpp>
#include <tamis/study/critical.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace app {

/// The points of one site and rule under one criterion.
struct curve {
    std::string site, rule;
    std::string name;    ///< "PPL-1%"
    std::string quality; ///< "PPL ratio"
    study::criterion keep;
    std::vector<study::sweep_point> points;
    std::vector<std::string> reasons{}; ///< beside the points: why one is no number, empty where it is one
    bool lost = false;                  ///< whether a row of the sweep lost predictions or values
    enum subject_matter { perplexity, top1, task, all_tasks };
    subject_matter of = perplexity;
    std::size_t number = 0; ///< of the task
    /// Whether the sample is fine enough for the criterion: one answer more or less, or one token, must not be more than what the
    /// limit lets go. What it can not decide is no figure.
    bool decided = true;
    std::vector<std::size_t> rows{};                         ///< beside the points: which rows they are
    study::interval sparsity_interval{}, skipped_interval{}; ///< of the critical point; NaN: not known

    study::critical_point critical() const { return study::find_critical(keep, points); }
    /// Why there is no critical sparsity; empty when there is one.
    std::string why_undefined() const {
        const study::critical_point at = critical();
        if (!at.undefined) {
            return {};
        }
        std::size_t i = 0;
        while (i < points.size() && points[i].value != at.lost.value) {
            ++i;
        }
        return line("the point at ", at.lost.value, " has no figure",
                    i < reasons.size() && !reasons[i].empty() ? " (" + reasons[i] + ")" : std::string{});
    }
};

/// Why a ratio to the dense model's figure is none, from what row and dense row say of themselves.
inline std::string why_no_ratio(const std::string& row, const std::string& dense) {
    return !row.empty() || dense.empty() ? row : "the dense model: " + dense;
}
inline std::string why_no_ratio(const measurement& row, const measurement& dense, std::size_t layers) {
    return why_no_ratio(why_none(row, layers), why_none(dense, layers));
}

inline double perplexity_ratio(const measurement& row, const measurement& dense) {
    return std::exp(row.text.nll() - dense.text.nll());
}
inline double top1_ratio(const measurement& row, const measurement& dense) {
    return row.text.top1() / dense.text.top1();
}
inline double accuracy_ratio(const measurement& row, const measurement& dense, std::size_t task) {
    return row.tasks[task].score.accuracy() / dense.tasks[task].score.accuracy();
}

/// All curves of a sweep (its first row is the dense one), site by site: PPL, top-1, each task, and the unweighted mean
/// over the tasks of sparsity and of accuracy relative to dense.
inline std::vector<curve> curves_of(const subject& s, const std::vector<condition>& conditions,
                                    const std::vector<measurement>& rows) {
    const measurement& dense = rows.front();
    std::vector<curve> curves;
    bool lost = false;
    for (const measurement& row : rows) {
        lost = lost || !why_none(row, s.layers()).empty();
        for (const auto& t : row.tasks) {
            lost = lost || !why_none(t, s.layers()).empty();
        }
    }
    const auto points_of = [&](const condition& like, auto&& point_of) {
        std::vector<study::sweep_point> points;
        for (std::size_t i = 1; i < rows.size(); ++i) {
            if (conditions[i].site == like.site && conditions[i].rule == like.rule) {
                points.push_back(point_of(conditions[i], rows[i]));
            }
        }
        return points;
    };
    const auto reasons_of = [&](const condition& like, auto&& reason_of) {
        std::vector<std::string> reasons;
        for (std::size_t i = 1; i < rows.size(); ++i) {
            if (conditions[i].site == like.site && conditions[i].rule == like.rule) {
                reasons.push_back(reason_of(rows[i]));
            }
        }
        return reasons;
    };
    const auto rows_of = [&](const condition& like) {
        std::vector<std::size_t> found;
        for (std::size_t i = 1; i < rows.size(); ++i) {
            if (conditions[i].site == like.site && conditions[i].rule == like.rule) {
                found.push_back(i);
            }
        }
        return found;
    };
    const auto fine_enough = [](double right) { return right * 0.01 >= 1 - 1e-9; };
    const auto of_text = [](const condition& c, const measurement& row, double quality) {
        return study::sweep_point{c.number, row.masks.mask_sparsity(), row.masks.bytes_skipped(), quality};
    };
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const condition& c = conditions[i];
        if (c.site == conditions[i - 1].site && c.rule == conditions[i - 1].rule) {
            continue;
        }
        const auto text_reasons =
            reasons_of(c, [&](const measurement& row) { return why_no_ratio(row, dense, s.layers()); });
        auto top1_reasons = text_reasons;
        if (dense.text.top1() == 0) {
            top1_reasons.assign(text_reasons.size(),
                                "the dense model predicts no token: there is no ratio to it");
        }
        curves.push_back({c.site, c.rule, "PPL-1%", "PPL ratio", study::perplexity_within(1),
                          points_of(c,
                                    [&](const condition& at, const measurement& row) {
                                        return of_text(at, row, perplexity_ratio(row, dense));
                                    }),
                          text_reasons, false, curve::perplexity, 0, true, rows_of(c)});
        curves.push_back(
            {c.site, c.rule, "top-1 99%", "top-1 ratio", study::keeps_share(0.99),
             points_of(c, [&](const condition& at,
                              const measurement& row) { return of_text(at, row, top1_ratio(row, dense)); }),
             top1_reasons, false, curve::top1, 0, fine_enough(static_cast<double>(dense.text.hits)),
             rows_of(c)});
        std::vector<std::vector<study::sweep_point>> tasks;
        bool mean_decided = true;
        std::vector<std::string> any_task(text_reasons.size());
        for (std::size_t t = 0; t < s.tasks.size(); ++t) {
            mean_decided = mean_decided && fine_enough(static_cast<double>(dense.tasks[t].score.right) *
                                                       static_cast<double>(s.tasks.size()));
            tasks.push_back(points_of(c, [&](const condition& at, const measurement& row) {
                const tally& masks = row.tasks[t].masks;
                return study::sweep_point{at.number, masks.mask_sparsity(), masks.bytes_skipped(),
                                          accuracy_ratio(row, dense, t)};
            }));
            curves.push_back(
                {c.site, c.rule, "task " + s.tasks[t].name + " 99%", "accuracy ratio",
                 study::keeps_share(0.99), tasks.back(),
                 reasons_of(c,
                            [&](const measurement& row) {
                                return dense.tasks[t].score.accuracy() == 0
                                           ? "the dense model answers no question: there is no ratio to it"
                                           : why_no_ratio(why_none(row.tasks[t], s.layers()),
                                                          why_none(dense.tasks[t], s.layers()));
                            }),
                 false, curve::task, t, fine_enough(static_cast<double>(dense.tasks[t].score.right)),
                 rows_of(c)});
            for (std::size_t at = 0; at < any_task.size(); ++at) {
                if (const auto& reason = curves.back().reasons[at]; any_task[at].empty() && !reason.empty()) {
                    any_task[at] = s.tasks[t].name + ": " + reason;
                }
            }
        }
        if (tasks.size() > 1) {
            curves.push_back({c.site, c.rule, "tasks averaged 99%", "accuracy ratio",
                              study::keeps_share(0.99), study::average_of(tasks), any_task, false,
                              curve::all_tasks, 0, mean_decided, rows_of(c)});
        }
    }
    for (curve& c : curves) {
        c.lost = lost;
    }
    return curves;
}

} // namespace app
