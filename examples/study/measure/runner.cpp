#include "measure/runner.hpp"

#include <tamis/ffn/activation.hpp>
#include <tamis/study/hooked_ffn.hpp>

#include <vector>

namespace app {
namespace {

/// The activation that the user named, decided at run time: one type of FFN serves all.
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
    template <class Vector>
    Vector lanes(const Vector& z) const {
        switch (which) {
            case activation::silu: return tamis::silu{}.lanes(z);
            case activation::gelu: return tamis::gelu{}.lanes(z);
            case activation::relu: break;
        }
        return max(z, Vector(0.0f));
    }
};

using ffn = study::hooked_ffn<chosen_activation>;

} // namespace

tamis::matrix<tamis::f32, tamis::output_major> down_of(const checkpoint& model, std::size_t layer) {
    return {model.layers[layer].w_down.data(), model.config.dim, model.config.hidden_dim};
}
tamis::matrix<tamis::f32, tamis::neuron_major> gate_of(const checkpoint& model, std::size_t layer) {
    return {model.layers[layer].w_gate.data(), model.config.hidden_dim, model.config.dim};
}

struct runner::parts {
    transformer model;
    std::vector<ffn> layers;
};

runner::runner(const checkpoint& model, activation sigma) : parts_{new parts{transformer{model}, {}}} {
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        const tamis::matrix<tamis::f32, tamis::neuron_major> up{model.layers[l].w_up.data(),
                                                                model.config.hidden_dim, model.config.dim};
        parts_->layers.emplace_back(ffn::weights{gate_of(model, l), up, down_of(model, l)},
                                    chosen_activation{sigma});
    }
}
runner::~runner() = default;
runner::runner(runner&&) noexcept = default;

const matrix& runner::logits(std::span<const token> tokens, study::hook_ref hook) {
    return parts_->model(tokens, [&](std::size_t layer, const matrix& x, matrix& y) {
        const auto rows = static_cast<std::size_t>(x.rows()), columns = static_cast<std::size_t>(x.cols());
        parts_->layers[layer](layer, tamis::block<const float>{x.data(), rows, columns},
                              tamis::block<float>{y.data(), rows, columns}, hook);
    });
}

} // namespace app
