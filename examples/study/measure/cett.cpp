#include "measure/cett.hpp"

#include "error.hpp"

#include <tamis/study/calibrate/cett_refinement.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace app {
namespace {

/// A meter that looks at one layer alone.
template <class Meter>
struct of_layer {
    std::size_t layer;
    Meter meter;

    void operator()(std::size_t where, const tamis::sighting& s) {
        if (where == layer) {
            meter(s);
        }
    }
    void merge(const of_layer& other) { meter.merge(other.meter); }
};

} // namespace

std::vector<std::vector<float>> neuron_norms_of(const checkpoint& model) {
    std::vector<std::vector<float>> norms;
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        norms.emplace_back(model.config.hidden_dim);
        tamis::neuron_norms(down_of(model, l), norms.back());
    }
    return norms;
}

cett_curves cett_curves_of(const subject& s, const std::vector<std::vector<float>>& norms,
                           const std::vector<story>& stories, std::size_t threads,
                           const progress_report& report) {
    std::vector<study::cett_curve<down_matrix>> fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.emplace_back(down_of(s.model, l), norms[l]);
    }
    return observe(s, stories, dense(s.layers()), cett_curves{std::move(fresh)}, threads, report);
}

std::vector<std::vector<double>> exact_cett_thresholds(const subject& s, const cett_curves& curves,
                                                       const std::vector<double>& targets,
                                                       const std::vector<story>& stories, std::size_t threads,
                                                       const progress_report& report) {
    using pass = study::cett_refinement<down_matrix>;
    std::vector<pass> fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.emplace_back(curves[l], targets);
    }
    const auto done =
        observe(s, stories, dense(s.layers()), study::per_layer<pass>{std::move(fresh)}, threads, report);
    std::vector<std::vector<double>> thresholds(targets.size());
    for (std::size_t t = 0; t < targets.size(); ++t) {
        for (std::size_t l = 0; l < s.layers(); ++l) {
            thresholds[t].push_back(static_cast<double>(done[l].threshold(t)));
        }
    }
    return thresholds;
}

std::vector<double> cett_thresholds_in_order(const subject& s, const std::vector<std::vector<float>>& norms,
                                             double target, const std::vector<story>& stories,
                                             std::size_t threads, const progress_report& report) {
    using curve = study::cett_curve<down_matrix>;
    using pass = study::cett_refinement<down_matrix>;
    condition so_far = dense(s.layers());
    std::vector<double> thresholds;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        const auto first = observe(s, stories, so_far,
                                   of_layer<curve>{l, curve{down_of(s.model, l), norms[l]}}, threads, report);
        const auto second =
            observe(s, stories, so_far, of_layer<pass>{l, pass{first.meter, std::array{target}}}, threads,
                    report);
        thresholds.push_back(static_cast<double>(second.meter.threshold(0)));
        so_far.plan.set(l, tamis::site::intermediate, tamis::cett(norms[l], thresholds.back()));
    }
    return thresholds;
}

condition cett_condition(const std::vector<std::vector<float>>& norms, const std::vector<double>& thresholds,
                         double target) {
    condition c{"intermediate", "cett", line(target), target, study::plan{norms.size()}, {}};
    for (std::size_t l = 0; l < norms.size(); ++l) {
        c.plan.set(l, tamis::site::intermediate, tamis::cett(norms[l], thresholds[l]));
    }
    return c;
}

study::cett_ppl_result cett_ppl_of(const subject& s, const std::vector<std::vector<float>>& norms,
                                   const cett_curves& curves, double dense_nll,
                                   const study::cett_ppl_options& o, std::size_t threads,
                                   const progress_report& report, std::string* why) {
    if (!study::is_finite(dense_nll)) {
        throw error(s.name, ": the dense model's loss is not finite: there is no perplexity ratio to it");
    }
    const auto loss = [&](const std::vector<double>& thresholds) {
        const auto row =
            measure(s, {cett_condition(norms, thresholds, 0)}, threads, report, {}, false).front();
        if (why != nullptr && row.text.lost() != 0) {
            *why = "with CETT's masks " + why_none(row, s.layers());
        }
        return row.text.nll();
    };
    constexpr std::size_t coarse_steps = 9, targets_between = 511;
    auto found =
        study::cett_ppl(dense_nll, [&](double target) { return study::cett_thresholds(curves, target); },
                        loss, {o.percent, o.tolerance, std::min(o.most_steps, coarse_steps)});
    if (found.converged || found.undefined || !found.within || o.most_steps <= coarse_steps) {
        return found;
    }

    double beyond = 1;
    for (const auto& step : found.steps) {
        beyond = step.target > found.target ? std::min(beyond, step.target) : beyond;
    }
    std::vector<double> targets;
    for (std::size_t i = 1; i <= targets_between; ++i) {
        targets.push_back(found.target +
                          (beyond - found.target) * static_cast<double>(i) / (targets_between + 1));
    }
    const auto exact = exact_cett_thresholds(s, curves, targets, s.stories, threads, report);
    for (std::size_t low = 0, high = targets_between; low < high && !found.converged;) {
        const std::size_t middle = low + (high - low) / 2;
        const double nats = loss(exact[middle]), ratio = std::exp(nats - dense_nll);
        const bool within = !tamis::is_nan(nats) && ratio <= 1 + o.percent / 100;
        found.steps.push_back({targets[middle], nats, ratio, within});
        if (tamis::is_nan(nats)) { // on which side the limit is crossed is not known
            found.undefined = true;
            found.within = found.converged = false;
            found.target = found.ratio = study::not_a_number;
            found.thresholds.clear();
            break;
        }
        if (within) {
            found.target = targets[middle];
            found.thresholds = exact[middle];
            found.ratio = ratio;
            found.converged = 1 + o.percent / 100 - ratio <= o.tolerance;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    auto sorted = found.steps;
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.target < b.target; });
    found.monotone = std::is_sorted(sorted.begin(), sorted.end(),
                                    [](const auto& a, const auto& b) { return a.loss < b.loss; });
    return found;
}

cett_meters incurred_cett(const subject& s, const condition& c, tamis::site where,
                          const std::vector<story>& stories, std::size_t threads,
                          const progress_report& report, not_finite* lost) {
    std::vector<study::cett_meter<down_matrix>> fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.emplace_back(down_of(s.model, l), where);
    }
    return observe(s, stories, c, cett_meters{std::move(fresh)}, threads, report, lost);
}

} // namespace app
