#pragma once

#include <tamis/study/calibrate/bisect.hpp>

#include <cmath>
#include <utility>

TAMIS_BEGIN

namespace study {

/// What is asked for.
struct cett_ppl_options {
    double percent = 1;        ///< p of CETT-PPL-p%
    double tolerance = 0.0002; ///< of the ratio
    /// How many evaluations at most.
    std::size_t most_steps = 20;
};

/// One row of the search's table.
struct cett_ppl_step {
    double target; ///< CETT
    double loss;   ///< mean nats
    double ratio;  ///< perplexity over the dense model's
    /// Whether the ratio is.
    bool within;
};

/// What was found.
struct cett_ppl_result {
    double target;                  ///< CETT; NaN when undefined
    std::vector<double> thresholds; ///< of each layer; none when undefined
    double ratio;                   ///< reached: at most 1 + percent / 100 when within
    /// See bisection. Not within: even CETT 0 costs more, so the model or its dense loss is not what was meant.
    bool within, converged, monotone;
    /// All that was tried, in order.
    std::vector<cett_ppl_step> steps;
    /// A loss was NaN (of the last step): see bisection.
    bool undefined = false;
};

/// CETT-PPL-p% [S]: the largest CETT target in [0, 1] whose perplexity ratio exp(loss_sparse - loss_dense) is at most
/// 1 + p/100, by bisection. `thresholds(target)` gives each layer's threshold as a std::vector<double> (cett_thresholds of
/// curves: no pass over the tokens), `loss(thresholds)` the mean nats of the model that is masked with these: the work.
/// When the loss does not rise with the target, the result is below one of the crossings and `monotone` is false. A loss that is
/// NaN ends the search: there is no result then.
/// Refuses a dense loss that is not finite, and a percent outside [0, 1e6].
template <class Thresholds, class Loss>
cett_ppl_result cett_ppl(double dense_loss, Thresholds&& thresholds, Loss&& loss, cett_ppl_options o = {}) {
    if (magnitude_bits(dense_loss) >= infinity_bits<double>) {
        fail_value("tamis::study::cett_ppl: the dense loss must be finite, got %.12g", dense_loss);
    }
    if (!detail::is_between(o.percent, 0.0, 1e6)) {
        fail_value("tamis::study::cett_ppl: percent must be in [0, 1e6], got %.12g", o.percent);
    }
    cett_ppl_result result{};
    const auto ratio = [&](double target) {
        const double nats = loss(std::as_const(result.thresholds = thresholds(target)));
        result.steps.push_back({target, nats, std::exp(nats - dense_loss), false});
        return result.steps.back().ratio;
    };
    const bisection found = bisect(0.0, 1.0, ratio, 1.0 + o.percent / 100.0, o.tolerance, o.most_steps);
    for (std::size_t i = 0; i < found.steps.size(); ++i) {
        result.steps[i].within = found.steps[i].within;
    }
    result.target = found.at;
    result.undefined = found.undefined;
    result.thresholds =
        found.undefined ? std::vector<double>{} : thresholds(found.at); // the last look may have been beyond
    result.ratio = found.value;
    result.within = found.within;
    result.converged = found.converged;
    result.monotone = found.monotone;
    return result;
}

} // namespace study

TAMIS_END
