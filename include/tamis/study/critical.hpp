#pragma once

#include <tamis/error.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

TAMIS_BEGIN

namespace study {

// Critical sparsity [U]: the highest sparsity that keeps 99 % of the dense model's performance. tamis: linear between
// neighbouring points of the sweep, at the first crossing coming from the dense end; the two points are reported beside it.

/// The values of p that [U] sweeps, from the dense end.
inline constexpr std::array paper_values{1.0, .995, .99, .985, .98, .975, .97, .96, .95, .94, .93, .92, .91,
                                         .90, .85,  .80, .75,  .70, .65,  .60, .50, .40, .30, .20, .10, 0.0};

/// A point of a sweep under one criterion.
struct sweep_point {
    double value = 0;    ///< the rule's parameter
    double sparsity = 0; ///< of the mask
    double skipped = 0;  ///< of the weight bytes
    double quality = 1;  ///< what the criterion looks at, relative to the dense model
};

/// What is to be kept, and how much of it: quality falls from 1 to `limit`, or rises to it.
struct criterion {
    /// As far as quality may fall, or rise.
    double limit = 0.99;
    bool rises = false; ///< worse is more (a ratio of perplexities), not less (accuracy)

    /// NaN keeps nothing.
    bool keeps(double quality) const {
        return !is_nan(quality) && (rises ? quality <= limit : quality >= limit);
    }
    /// Whether a quality says on which side of the limit it is: no NaN does, nor an infinity on the good side, which is what a
    /// ratio to a dense model that gets nothing right comes to. On the other side an infinity is a PPL that overflowed.
    bool is_known(double quality) const {
        const bool above = (std::bit_cast<std::uint64_t>(quality) >> 63) == 0;
        return is_finite(quality) || (!is_nan(quality) && above == rises);
    }
};
/// PPL / dense PPL at most 1 + percent / 100.
constexpr criterion perplexity_within(double percent) { return {1 + percent / 100, true}; }
/// A metric / the dense model's at least `share`.
constexpr criterion keeps_share(double share) { return {share, false}; }

/// Where a sweep leaves its limit.
struct critical_point {
    bool reached =
        false; ///< whether the sweep leaves the limit at all; if not, the point is the sweep's last
    double sparsity = 0, skipped = 0; ///< NaN when undefined
    bool dense_only = false;          ///< no point of the sweep keeps the limit: `kept` is the dense model
    sweep_point kept, lost;           ///< the neighbours; `lost` only when reached or undefined
    /// On the way to the first crossing lies a point of which something is NaN: `lost`. Whether it keeps the limit is not known,
    /// so neither is what lies at or behind it; `kept` is the last point before.
    bool undefined = false;

    /// The sparsity as one figure among others (of texts, of draws): NaN when undefined, infinite when the sweep never leaves the
    /// limit, since the crossing then lies beyond all that was measured.
    double crossing() const {
        return undefined ? not_a_number : reached ? sparsity : std::bit_cast<double>(infinity_bits<double>);
    }
};

/// The first crossing of points that come from the dense end; the dense model itself (quality 1 at sparsity 0) is put in
/// front. A point that is not known ends the search, undefined: nothing is interpolated across it. Behind the crossing such
/// points do not matter. O(points).
inline critical_point find_critical(const criterion& c, const std::vector<sweep_point>& points) {
    critical_point result;
    result.dense_only = true;
    for (const sweep_point& p : points) {
        result.undefined = !c.is_known(p.quality) || !is_finite(p.sparsity) || !is_finite(p.skipped);
        if (result.undefined) {
            result.lost = p;
            result.sparsity = result.skipped = not_a_number;
            return result;
        }
        if (!c.keeps(p.quality)) {
            result.reached = true;
            result.lost = p;
            break;
        }
        result.kept = p;
        result.dense_only = false;
    }
    result.sparsity = result.kept.sparsity;
    result.skipped = result.kept.skipped;
    if (result.reached) {
        const double share = (c.limit - result.kept.quality) / (result.lost.quality - result.kept.quality);
        if (is_finite(result.lost.quality) && share >= 0 && share <= 1) { // infinite: the point before
            result.sparsity += share * (result.lost.sparsity - result.kept.sparsity);
            result.skipped += share * (result.lost.skipped - result.kept.skipped);
        }
    }
    return result;
}

/// The unweighted mean over tasks at each value, of sparsity and of quality [U]; NaN where one task's is. The tasks' points have the same values in
/// the same order; others are refused.
inline std::vector<sweep_point> average_of(const std::vector<std::vector<sweep_point>>& tasks) {
    std::vector<sweep_point> mean;
    if (tasks.empty()) {
        return mean;
    }
    for (const auto& task : tasks) {
        detail::need("tamis::study::average_of: every task needs the %zu points of the first, one has %zu",
                     tasks.front().size(), task.size());
    }
    const double share = 1 / static_cast<double>(tasks.size());
    for (std::size_t i = 0; i < tasks.front().size(); ++i) {
        sweep_point p{tasks.front()[i].value, 0, 0, 0};
        std::uint64_t lost_sparsity = 0, lost_skipped = 0, lost_quality = 0;
        for (const auto& task : tasks) {
            p.sparsity += share * task[i].sparsity;
            p.skipped += share * task[i].skipped;
            p.quality += share * task[i].quality;
            lost_sparsity += is_nan(task[i].sparsity) ? 1u : 0u;
            lost_skipped += is_nan(task[i].skipped) ? 1u : 0u;
            lost_quality += is_nan(task[i].quality) ? 1u : 0u;
        }
        p.sparsity = unless_lost(lost_sparsity, p.sparsity);
        p.skipped = unless_lost(lost_skipped, p.skipped);
        p.quality = unless_lost(lost_quality, p.quality);
        mean.push_back(p);
    }
    return mean;
}

/// How far the tasks' critical sparsities lie apart. It is large, and part of the result [U]. Where one is undefined, or never
/// leaves the limit (it lies somewhere beyond the sweep's last point), all but the numbers of tasks is NaN: a mean of the others
/// would be one over other tasks, and one with that last point a figure of the sweep.
struct spread {
    std::size_t tasks = 0, reached = 0; ///< how many there are, and how many leave the limit within the sweep
    double mean = 0, deviation = 0;     ///< the deviation is that of a sample (n - 1); 0 for one task
    /// Of all tasks.
    double least = 0, greatest = 0;
    std::size_t undefined = 0; ///< of the tasks
};
inline spread spread_of(const std::vector<critical_point>& tasks) {
    spread s{tasks.size(), 0, 0, 0, 0, 0, 0};
    if (tasks.empty()) {
        return s;
    }
    s.least = s.greatest = tasks.front().sparsity;
    for (const auto& t : tasks) {
        s.reached += t.reached ? 1 : 0;
        s.undefined += t.undefined || is_nan(t.sparsity) ? 1 : 0;
        s.mean += t.sparsity / static_cast<double>(tasks.size());
        s.least = (std::min)(s.least, t.sparsity);
        s.greatest = (std::max)(s.greatest, t.sparsity);
    }
    if (s.undefined != 0 || s.reached != s.tasks) {
        s.mean = s.deviation = s.least = s.greatest = not_a_number;
        return s;
    }
    double squares = 0;
    for (const auto& t : tasks) {
        squares += (t.sparsity - s.mean) * (t.sparsity - s.mean);
    }
    s.deviation = tasks.size() > 1 ? std::sqrt(squares / static_cast<double>(tasks.size() - 1)) : 0;
    return s;
}

} // namespace study

TAMIS_END
