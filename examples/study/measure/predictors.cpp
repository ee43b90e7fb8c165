#include "measure/predictors.hpp"

#include "measure/observe.hpp"
#include "measure/sigma.hpp"

#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/study/predictor/low_rank.hpp>
#include <tamis/study/predictor/predicted.hpp>
#include <tamis/study/predictor/sign_bits.hpp>

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace app {
namespace {

/// sigma of the model, for a predictor of the gate: value by value.
struct model_activation {
    activation which;

    float operator()(float z) const { return chosen_activation{which}(z); }
};

template <class Predictor>
prediction_row row_of(const subject& s, std::vector<Predictor> layers, std::string rule, double value,
                      const tamis::any_selector& truth, std::size_t threads, const progress_report& report) {
    const auto shared = std::make_shared<const std::vector<Predictor>>(std::move(layers));
    prediction_row row{{"gate", std::move(rule), line(value), value, study::plan{s.layers()}, {}}, {}, 0};
    row.masks.before = [shared](study::hook_ref, const onlooker& see, const condition::use_hook& use) {
        study::predicted predictions{std::span<const Predictor>{*shared}, see};
        use(predictions);
    };
    row.score = watch<study::prediction_score>(
        s,
        [&] {
            return study::prediction_watch{*shared, truth};
        },
        [](const auto& hook) { return hook.total(); }, threads, report);
    for (const Predictor& p : *shared) {
        row.weight_bytes += p.weight_bytes();
    }
    return row;
}

} // namespace

std::vector<prediction_row> low_rank_rows(const subject& s, std::size_t rank, const std::vector<double>& kept,
                                          std::size_t threads, const progress_report& report) {
    using predictor = study::low_rank<model_activation>;
    std::vector<predictor> factors; // decomposed once, for all shares
    for (std::size_t l = 0; l < s.layers(); ++l) {
        factors.emplace_back(gate_of(s.model, l), rank, model_activation{s.sigma}, tamis::nonzero{});
    }
    std::vector<prediction_row> rows;
    for (const double share : kept) {
        const tamis::any_selector rule = tamis::top_k::fraction(share);
        std::vector<predictor> layers;
        for (const predictor& f : factors) {
            layers.push_back(f.with_rule(rule));
        }
        rows.push_back(row_of(s, std::move(layers), line("low_rank ", rank), share, rule, threads, report));
    }
    return rows;
}

std::vector<prediction_row> sign_bit_rows(const subject& s, const std::vector<double>& alphas,
                                          std::size_t threads, const progress_report& report) {
    std::vector<prediction_row> rows;
    for (const double alpha : alphas) {
        std::vector<study::sign_bits> layers;
        for (std::size_t l = 0; l < s.layers(); ++l) {
            layers.emplace_back(gate_of(s.model, l), alpha);
        }
        rows.push_back(row_of(s, std::move(layers), "sign_bits", alpha, tamis::nonzero{}, threads, report));
    }
    return rows;
}

} // namespace app
