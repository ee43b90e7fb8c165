#pragma once

#include "measure/measure.hpp"

#include <tamis/study/meter/frequency.hpp>
#include <tamis/study/meter/top_contexts.hpp>

#include <cstddef>
#include <vector>

namespace app {

using neuron_meters = study::per_layer<study::meters<study::top_contexts, study::frequency_meter>>;

/// What each neuron of each layer responds to, and how often it is active under a condition's masks at a site of neurons.
neuron_meters neurons_of(const subject& s, const condition& c, tamis::site where, std::size_t contexts,
                         const std::vector<std::vector<float>>& norms, std::size_t threads,
                         const progress_report& report);

} // namespace app
