#include "measure/runner.hpp"

#include "measure/sigma.hpp"
#include "model/transformer.hpp"

#include <tamis/study/hooked_ffn.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace app {
namespace {

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

std::span<const float> floats_of(const checkpoint& model, std::size_t layer, engine::weights which) {
    if (model.runs_in) {
        return model.runs_in->floats(layer, which);
    }
    const layer_weights& w = model.layers[layer];
    return which == engine::weights::gate ? w.w_gate : which == engine::weights::up ? w.w_up : w.w_down;
}

} // namespace

tamis::matrix<tamis::f32, tamis::output_major> down_of(const checkpoint& model, std::size_t layer) {
    return {floats_of(model, layer, engine::weights::down).data(), model.config.dim, model.config.hidden_dim};
}
tamis::matrix<tamis::f32, tamis::neuron_major> gate_of(const checkpoint& model, std::size_t layer) {
    return {floats_of(model, layer, engine::weights::gate).data(), model.config.hidden_dim, model.config.dim};
}
tamis::matrix<tamis::f32, tamis::neuron_major> up_of(const checkpoint& model, std::size_t layer) {
    return {floats_of(model, layer, engine::weights::up).data(), model.config.hidden_dim, model.config.dim};
}

struct runner::parts {
    using ffn = study::hooked_ffn<chosen_activation>;

    std::unique_ptr<engine_run> elsewhere; ///< or null, and
    std::optional<transformer> model;
    std::vector<ffn> layers;
};

runner::runner(const checkpoint& model, activation sigma) : parts_{new parts{}} {
    if (model.runs_in) {
        parts_->elsewhere = model.runs_in->start();
        return;
    }
    parts_->model.emplace(model);
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        parts_->layers.emplace_back(parts::ffn::weights{gate_of(model, l), up_of(model, l),
                                                        down_of(model, l)},
                                    chosen_activation{sigma});
    }
}
runner::~runner() = default;
runner::runner(runner&&) noexcept = default;

logits_view runner::logits(std::span<const token> tokens, study::hook_ref hook) {
    if (parts_->elsewhere) {
        return parts_->elsewhere->logits(tokens, hook);
    }
    const matrix& all = (*parts_->model)(tokens, [&](std::size_t layer, const matrix& x, matrix& y) {
        const auto rows = static_cast<std::size_t>(x.rows()), columns = static_cast<std::size_t>(x.cols());
        parts_->layers[layer](layer, tamis::block<const float>{x.data(), rows, columns},
                              tamis::block<float>{y.data(), rows, columns},
                              watching{&parts_->model->lost(), hook});
    });
    return {all.data(), all.rows(), all.cols()};
}
not_finite runner::take_not_finite() {
    return parts_->elsewhere ? parts_->elsewhere->take_not_finite() : parts_->model->lost().take();
}

} // namespace app
