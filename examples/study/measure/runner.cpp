#include "measure/runner.hpp"

#include "model/transformer.hpp"

#include <tamis/ffn/activation.hpp>
#include <tamis/study/hooked_ffn.hpp>

#include <vector>

namespace app {
namespace {

constexpr place place_of(tamis::site where) {
    switch (where) {
        case tamis::site::input: return place::input;
        case tamis::site::gate: return place::gate;
        case tamis::site::up: return place::up;
        case tamis::site::intermediate: break;
    }
    return place::intermediate;
}

/// Looks for values that are not finite in front of a hook and behind it: a rounding can make them, and can hide them.
struct watching {
    lost_tokens* lost;
    study::hook_ref hook;

    void operator()(std::size_t layer, tamis::site where, tamis::block<float> values) const {
        const auto look = [&] {
            lost->look(layer, place_of(where), values.row(0).data(), values.columns(), values.stride());
        };
        look();
        hook(layer, where, values);
        look();
    }
};

} // namespace

tamis::matrix<tamis::f32, tamis::output_major> down_of(const checkpoint& model, std::size_t layer) {
    return {model.layers[layer].w_down.data(), model.config.dim, model.config.hidden_dim};
}
tamis::matrix<tamis::f32, tamis::neuron_major> gate_of(const checkpoint& model, std::size_t layer) {
    return {model.layers[layer].w_gate.data(), model.config.hidden_dim, model.config.dim};
}

struct runner::parts {
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
            return select(z < Vector(0.0f), Vector(0.0f),
                          z); // as tamis::relu: a NaN stays, which max may drop
        }
    };
    using ffn = study::hooked_ffn<chosen_activation>;

    transformer model;
    std::vector<ffn> layers;
};

runner::runner(const checkpoint& model, activation sigma) : parts_{new parts{transformer{model}, {}}} {
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        const tamis::matrix<tamis::f32, tamis::neuron_major> up{model.layers[l].w_up.data(),
                                                                model.config.hidden_dim, model.config.dim};
        parts_->layers.emplace_back(parts::ffn::weights{gate_of(model, l), up, down_of(model, l)},
                                    parts::chosen_activation{sigma});
    }
}
runner::~runner() = default;
runner::runner(runner&&) noexcept = default;

const matrix& runner::logits(std::span<const token> tokens, study::hook_ref hook) {
    return parts_->model(tokens, [&](std::size_t layer, const matrix& x, matrix& y) {
        const auto rows = static_cast<std::size_t>(x.rows()), columns = static_cast<std::size_t>(x.cols());
        parts_->layers[layer](layer, tamis::block<const float>{x.data(), rows, columns},
                              tamis::block<float>{y.data(), rows, columns},
                              watching{&parts_->model.lost(), hook});
    });
}
not_finite runner::take_not_finite() { return parts_->model.lost().take(); }

} // namespace app
