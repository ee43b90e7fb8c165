#include "measure/neurons.hpp"

#include "measure/observe.hpp"

#include <utility>

namespace app {

neuron_meters neurons_of(const subject& s, const condition& c, tamis::site where, std::size_t contexts,
                         const std::vector<std::vector<float>>& norms, std::size_t threads,
                         const progress_report& report) {
    std::vector<study::meters<study::top_contexts, study::frequency_meter>> fresh;
    for (std::size_t l = 0; l < s.layers(); ++l) {
        fresh.emplace_back(study::top_contexts{s.model.config.hidden_dim, contexts, where, norms[l]},
                           study::frequency_meter{where});
    }
    return observe(s, s.stories, c, neuron_meters{std::move(fresh)}, threads, report);
}

} // namespace app
