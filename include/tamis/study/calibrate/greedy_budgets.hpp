#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/error.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <span>
#include <vector>

TAMIS_BEGIN

namespace study {

/// TEAL's greedy budgets of one block [T, algorithm 1]: from all zeros, raise again and again the sparsity of the matrix
/// whose step costs the least `error(sparsities)` (a number >= 0; NaN counts as the most; ties go to the first), until the
/// share of the block's weights that is not read, sum_i size_i s_i / sum_i size_i, is `target`. A step raises this share by
/// `step`, so matrix i by step * sum / size_i: small matrices take large steps. The last step is as short as it has to be,
/// and a matrix stops at 1. Where every step's error is NaN, there are no budgets: all are NaN. error is called about (target / step) * matrices times, with a std::span<const double>.
/// Sizes are weights or bytes. Refuses sizes that are not finite and above zero, a target outside [0, 1] and a step
/// outside [2^-20, 1].
template <class Error>
std::vector<double> greedy_budgets(std::span<const double> sizes, double target, double step, Error&& error) {
    if (!detail::is_between(target, 0.0, 1.0)) {
        fail_value("tamis::study::greedy_budgets: the target must be in [0, 1], got %.12g", target);
    }
    if (!detail::is_between(step, 0x1p-20, 1.0)) {
        fail_value("tamis::study::greedy_budgets: the step must be in [2^-20, 1], got %.12g", step);
    }
    double all = 0;
    for (const double size : sizes) {
        if (!detail::is_between(size, 0x1p-500, 0x1p500)) {
            fail_value("tamis::study::greedy_budgets: sizes must be finite and above 0, got %.12g", size);
        }
        all += size;
    }

    std::vector<double> sparsities(sizes.size(), 0.0);
    const auto share = [&] {
        double dropped = 0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            dropped += sizes[i] * sparsities[i];
        }
        return dropped / all;
    };
    // A remainder that is rounding alone takes no step.
    for (double left = target; !sizes.empty() && left > 0x1p-40; left = target - share()) {
        const double rise = (std::min)(left, step);
        const std::size_t none = sizes.size();
        std::size_t best = none;
        std::uint64_t least = 0;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const double before = sparsities[i];
            if (before >= 1.0) {
                continue;
            }
            sparsities[i] = (std::min)(1.0, before + rise * all / sizes[i]);
            const std::uint64_t cost = magnitude_bits(double{error(std::span<const double>{sparsities})});
            sparsities[i] = before;
            if (best == none || cost < least) {
                best = i;
                least = cost;
            }
        }
        if (best == none) {
            break;
        }
        if (least > infinity_bits<double>) {
            sparsities.assign(sizes.size(), not_a_number);
            break;
        }
        sparsities[best] = (std::min)(1.0, sparsities[best] + rise * all / sizes[best]);
    }
    return sparsities;
}

} // namespace study

TAMIS_END
