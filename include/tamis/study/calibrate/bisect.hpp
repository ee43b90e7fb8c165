#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/error.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <limits>
#include <vector>

TAMIS_BEGIN

namespace study {

/// One look at f.
struct probe {
    /// Where, and what was found there.
    double at, value;
    bool within; ///< value <= limit
};

/// What a bisection came to.
struct bisection {
    /// The best x found and f there: the largest probed x that is below every probed x beyond the limit. NaN when undefined.
    double at, value;
    /// f(at) <= limit. False only when no probe was within, not even the low end.
    bool within;
    /// f(at) is within the tolerance of the limit.
    bool converged;
    /// The probes rise with x. If not, f may cross the limit more than once, and `at` is below one of the crossings.
    bool monotone;
    /// Every look, in its order; the last one is the NaN when undefined.
    std::vector<probe> steps;
    /// f was NaN where the search looked: on which side of it the crossing lies is not known, so there is no result.
    bool undefined = false;
};

/// The largest x in [low, high] with f(x) <= limit, for an f that rises, by halving, until limit - tolerance <= f(x) <=
/// limit or after most_steps looks. The ends are not looked at beforehand: low counts as within and high as beyond; low is
/// looked at in the end when nothing else was within (so f is called at most most_steps + 1 times). Infinity
/// is beyond; a NaN of f ends the search, undefined. Refuses bounds out of order or not finite, a negative tolerance, and no steps.
template <class F>
bisection bisect(double low, double high, F&& f, double limit, double tolerance, std::size_t most_steps) {
    const auto finite = [](double v) { return magnitude_bits(v) < infinity_bits<double>; };
    if (!finite(low) || !finite(high) || !(low < high)) {
        fail_value("tamis::study::bisect: low must be below high, both finite; low is %.12g", low);
    }
    if (!finite(limit)) {
        fail_value("tamis::study::bisect: the limit must be finite, got %.12g", limit);
    }
    if (!detail::is_between(tolerance, 0.0, (std::numeric_limits<double>::max)())) {
        fail_value("tamis::study::bisect: the tolerance must be >= 0, got %.12g", tolerance);
    }
    if (most_steps == 0) {
        fail("tamis::study::bisect: most_steps must be at least 1, got 0");
    }

    bisection result{low, 0, false, false, true, {}, false};
    const auto look = [&](double x) {
        const double value = f(x);
        result.undefined = is_nan(value);
        result.steps.push_back({x, value, !is_nan(value) && value <= limit});
        return result.steps.back();
    };
    const auto take = [&](const probe& p) {
        result.at = p.at;
        result.value = p.value;
        result.within = p.within;
        result.converged = p.within && limit - p.value <= tolerance;
    };
    while (result.steps.size() < most_steps && !result.converged && !result.undefined) {
        const double middle = low + (high - low) / 2;
        if (!(low < middle && middle < high)) { // neighbouring doubles
            break;
        }
        const probe p = look(middle);
        if (p.within) {
            low = middle;
            take(p);
        } else {
            high = middle;
        }
    }
    if (!result.within && !result.undefined) {
        take(look(low));
    }
    if (result.undefined) {
        result.at = result.value = not_a_number;
        result.within = result.converged = false;
    }

    std::vector<probe> sorted = result.steps;
    std::sort(sorted.begin(), sorted.end(), [](const probe& a, const probe& b) { return a.at < b.at; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        result.monotone =
            result.monotone && !is_nan(sorted[i].value) && sorted[i - 1].value <= sorted[i].value;
    }
    return result;
}

} // namespace study

TAMIS_END
