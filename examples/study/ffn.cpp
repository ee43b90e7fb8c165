#include "ffn.hpp"

#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/pack.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace study {
namespace {

/// The activation that the user named. An activation is any function of a float, so one that decides at run
/// time will do, and the table below is compiled once, not three times.
struct chosen_activation {
    activation which;

    float operator()(float z) const {
        switch (which) {
            case activation::silu: return tamis::silu{}(z);
            case activation::gelu: return tamis::gelu{}(z);
            case activation::relu: break;
        }
        return tamis::relu{}(z);
    }
};

/// One layer's FFN as it lies in the checkpoint: a row a neuron for gate and up, a row an output for down.
auto weights_of(const checkpoint& model, std::size_t l) {
    using tamis::f32, tamis::matrix, tamis::neuron_major, tamis::output_major;
    const layer_weights& layer = model.layers[l];
    const std::size_t h = model.config.dim, d = model.config.hidden_dim;
    return tamis::glu_weights{matrix<f32, neuron_major>{layer.w_gate.data(), d, h},
                              matrix<f32, neuron_major>{layer.w_up.data(), d, h},
                              matrix<f32, output_major>{layer.w_down.data(), h, d}};
}

/// The study's observer: counts the entries of every mask there is.
struct mask_counter {
    ffn_counts& counts;

    void operator()(const tamis::sighting& seen) const {
        if (seen.has_policy) {
            counts.entries += seen.mask.size();
            counts.dropped += seen.mask.size() - seen.mask.count();
        }
    }
};

/// The FFNs of all layers with the same policies in each.
template <class... Policies>
class glu_layers final : public ffn {
  public:
    glu_layers(const checkpoint& model, chosen_activation sigma, Policies... policies) {
        for (std::size_t l = 0; l < model.layers.size(); ++l) {
            packed_.push_back(tamis::pack(weights_of(model, l), policies...));
            layers_.push_back(tamis::glu_ffn{packed_.back().view(), sigma, policies...});
        }
    }

    void run(std::size_t layer, tamis::block<const float> x, tamis::block<float> y, tamis::workspace memory,
             ffn_counts& counts) const override {
        const tamis::traffic traffic = layers_[layer](x, y, memory, mask_counter{counts});
        counts.bytes_read += traffic.bytes_read;
        counts.bytes_dense += traffic.bytes_dense;
    }

    std::size_t workspace_bytes() const override {
        std::size_t most = 0;
        for (const auto& layer : layers_) {
            most = std::max(most, layer.workspace_bytes());
        }
        return most;
    }

  private:
    using packed =
        decltype(tamis::pack(weights_of(std::declval<checkpoint>(), 0), std::declval<Policies>()...));
    using layer_type = decltype(tamis::glu_ffn{std::declval<packed>().view(), chosen_activation{},
                                               std::declval<Policies>()...});

    std::vector<packed> packed_; // when one moves, the memory that its view shows stays where it is
    std::vector<layer_type> layers_;
};

template <class... Policies>
std::unique_ptr<const ffn> make_layers(const checkpoint& model, chosen_activation sigma,
                                       Policies... policies) {
    return std::make_unique<glu_layers<Policies...>>(model, sigma, policies...);
}

// The table from a choice at run time to policies at compile time: first the site ...
template <class Rule>
std::unique_ptr<const ffn> make_ffn_at(const checkpoint& model, chosen_activation sigma, site_choice site,
                                       Rule rule) {
    switch (site) {
        case site_choice::input: return make_layers(model, sigma, tamis::at_input(rule));
        case site_choice::gate: return make_layers(model, sigma, tamis::at_gate(rule));
        case site_choice::up: return make_layers(model, sigma, tamis::at_up(rule));
        case site_choice::intermediate: return make_layers(model, sigma, tamis::at_intermediate(rule));
        case site_choice::all_inputs: break;
    }
    return make_layers(model, sigma, tamis::at_input(rule), tamis::at_intermediate(rule));
}

} // namespace

// ... for each rule.
std::unique_ptr<const ffn> make_ffn(const checkpoint& model, activation which, const ffn_choice& choice) {
    const chosen_activation sigma{which};
    if (!choice) {
        return make_layers(model, sigma);
    }
    const auto& [site, rule, value] = *choice;
    switch (rule) {
        case rule_choice::top_p: return make_ffn_at(model, sigma, site, tamis::top_p{value.number});
        case rule_choice::top_k: return make_ffn_at(model, sigma, site, tamis::top_k::fraction(value.number));
        case rule_choice::max_p: return make_ffn_at(model, sigma, site, tamis::max_p{value.number});
        case rule_choice::threshold: break;
    }
    return make_ffn_at(model, sigma, site, tamis::threshold{value.number});
}

} // namespace study
