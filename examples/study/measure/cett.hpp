#pragma once

#include "measure/observe.hpp"

#include <tamis/ffn/cett_exact.hpp>
#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/study/calibrate/cett_curve.hpp>
#include <tamis/study/calibrate/cett_ppl.hpp>
#include <tamis/study/meter/cett.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace app {

using down_matrix = tamis::matrix<tamis::f32, tamis::output_major>;
using cett_curves = study::per_layer<study::cett_curve<down_matrix>>;
using cett_meters = study::per_layer<study::cett_meter<down_matrix>>;

/// ||W_down[:, i]|| of every neuron of every layer.
std::vector<std::vector<float>> neuron_norms_of(const checkpoint& model);

/// The mean of CETT against the threshold, layer by layer, over the dense model's intermediates: one pass.
cett_curves cett_curves_of(const subject& s, const std::vector<std::vector<float>>& norms,
                           const std::vector<story>& stories, std::size_t threads,
                           const progress_report& report);

/// Each layer's threshold for each target, to the float: a second pass over the stories of the curves.
std::vector<std::vector<double>> exact_cett_thresholds(const subject& s, const cett_curves& curves,
                                                       const std::vector<double>& targets,
                                                       const std::vector<story>& stories, std::size_t threads,
                                                       const progress_report& report);

/// The same for one target, layer by layer with the layers before already masked: then the whole masked model incurs the
/// target in every layer, where thresholds of the dense model's activations miss it a little. Two passes a layer.
std::vector<double> cett_thresholds_in_order(const subject& s, const std::vector<std::vector<float>>& norms,
                                             double target, const std::vector<story>& stories,
                                             std::size_t threads, const progress_report& report);

/// The condition that masks the intermediate by CETT with a threshold a layer. The norms are borrowed.
condition cett_condition(const std::vector<std::vector<float>>& norms, const std::vector<double>& thresholds,
                         double target);

/// CETT-PPL-p% on a subject's stories, from curves over them. The curves know a threshold to 2^-8, which can be too coarse
/// for the tolerance; then the search goes on among exact ones, between the last two targets, for one pass more. Undefined
/// (see study::cett_ppl) when a look's loss is NaN; `why` says why then. A dense loss that is not finite is an error.
study::cett_ppl_result cett_ppl_of(const subject& s, const std::vector<std::vector<float>>& norms,
                                   const cett_curves& curves, double dense_nll,
                                   const study::cett_ppl_options& o, std::size_t threads,
                                   const progress_report& report, std::string* why = nullptr);

/// The CETT that a condition incurs, layer by layer. Values that are not finite: as in observe.
cett_meters incurred_cett(const subject& s, const condition& c, tamis::site where,
                          const std::vector<story>& stories, std::size_t threads,
                          const progress_report& report, not_finite* lost = nullptr);

} // namespace app
