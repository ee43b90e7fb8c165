#pragma once

#include "model/activation.hpp"
#include "model/checkpoint.hpp"
#include "model/engine.hpp"
#include "model/matrix.hpp"
#include "model/not_finite.hpp"
#include "model/tokenizer.hpp"

#include <tamis/ffn/weights.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/study/hook.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace app {

namespace study = tamis::study;

/// A model as one thread runs it: the transformer, and FFNs that call a hook at their sites.
class runner {
  public:
    runner(const checkpoint& model, activation sigma);
    ~runner();
    runner(runner&&) noexcept;

    /// Logits [tokens x vocabulary] under the hook; at most seq_len tokens. The result lives until the next call.
    logits_view logits(std::span<const token> tokens, study::hook_ref hook);
    /// Values that were not finite since the last call. Logits that depend on one are NaN.
    not_finite take_not_finite();

  private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// W_down of a layer, as it lies in the checkpoint.
tamis::matrix<tamis::f32, tamis::output_major> down_of(const checkpoint& model, std::size_t layer);
/// W_gate of a layer.
tamis::matrix<tamis::f32, tamis::neuron_major> gate_of(const checkpoint& model, std::size_t layer);
/// W_up of a layer.
tamis::matrix<tamis::f32, tamis::neuron_major> up_of(const checkpoint& model, std::size_t layer);

} // namespace app
