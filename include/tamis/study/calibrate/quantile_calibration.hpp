#pragma once

#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/study/calibrate/magnitude_histogram.hpp>
#include <tamis/study/calibrate/site_meter.hpp>

TAMIS_BEGIN

namespace study {

// Thresholds at quantiles, per layer and site. TEAL takes t = icdf(0.5 + s/2) of a site's values, whose histogram it holds
// to be symmetric about zero: then P(|v| < t) = s, so t is the s-quantile of |v|, which is what is found here, symmetric or
// not. CATS takes the quantile of |sigma(gate)|: the same at site::gate.
//
//     per_layer first{layers, site_meter{site::gate, magnitude_histogram{}}};        // feed it
//     auto second = second_pass(first, std::vector(layers, 0.5));                    // feed it the same
//     c.rules = quantile_rules(second);

using histogram_meter = site_meter<magnitude_histogram>;
using quantile_meter = site_meter<magnitude_quantiles>;

/// The second pass, for each layer's share (greedy_budgets', or one for all). Refuses another number of shares.
inline per_layer<quantile_meter> second_pass(const per_layer<histogram_meter>& first,
                                             std::span<const double> sparsities) {
    detail::need("tamis::study::second_pass: %zu layers need a share each, got %zu", first.size(),
                 sparsities.size());
    std::vector<quantile_meter> second;
    for (std::size_t layer = 0; layer < first.size(); ++layer) {
        second.emplace_back(first[layer].where(),
                            magnitude_quantiles{first[layer].counter(), sparsities.subspan(layer, 1)});
    }
    return per_layer<quantile_meter>{std::move(second)};
}

/// Every layer's threshold, exact.
inline std::vector<calibrated_rule> quantile_rules(const per_layer<quantile_meter>& second) {
    std::vector<calibrated_rule> rules;
    for (std::size_t layer = 0; layer < second.size(); ++layer) {
        rules.push_back(
            {layer, second[layer].where(), "threshold", widen(second[layer].counter().quantile(0))});
    }
    return rules;
}

/// Every layer's threshold after the first pass alone: at most 2^-8 of it too low, so no more than the share is dropped.
inline std::vector<calibrated_rule> quantile_rules(const per_layer<histogram_meter>& first,
                                                   std::span<const double> sparsities) {
    detail::need("tamis::study::quantile_rules: %zu layers need a share each, got %zu", first.size(),
                 sparsities.size());
    std::vector<calibrated_rule> rules;
    for (std::size_t layer = 0; layer < first.size(); ++layer) {
        rules.push_back({layer, first[layer].where(), "threshold",
                         widen(first[layer].counter().quantile(sparsities[layer]).low)});
    }
    return rules;
}

} // namespace study

TAMIS_END
