#pragma once

#include "model/activation.hpp"
#include "model/checkpoint.hpp"
#include "model/matrix.hpp"
#include "model/not_finite.hpp"
#include "model/tokenizer.hpp"

#include <tamis/study/hook.hpp>
#include <tamis/study/meter/accounting.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace app {

namespace study = tamis::study;

/// Logits [tokens x vocabulary] that lie where the model left them.
using logits_view = Eigen::Map<const matrix>;

/// One thread's forward passes through an engine's model.
class engine_run {
  public:
    virtual ~engine_run() = default;
    /// As runner::logits. The result lives until the next call.
    virtual logits_view logits(std::span<const token> tokens, study::hook_ref hook) = 0;
    virtual not_finite take_not_finite() = 0;
};

/// A model that another program's library runs (llama.cpp's, see gguf.hpp), where `checkpoint` runs by itself. It is what a
/// checkpoint is for all commands: sizes, FFN weights as float32 on request, tokens, passes with hooks.
class engine {
  public:
    enum class weights { gate, up, down };

    virtual ~engine() = default;

    /// Sizes; seq_len is the context that was asked for, rope_base and norm_eps are the engine's own affair.
    virtual const model_config& config() const = 0;
    virtual activation sigma() const = 0;
    /// "llama, Q4_1": architecture and formats of the FFNs' weights, for people.
    virtual std::string describe() const = 0;
    /// What the FFN's matrices of a layer take as they are stored.
    virtual const study::ffn_sizes& sizes(std::size_t layer) const = 0;
    /// Experts that a token uses; 0: no mixture. Then every expert's row counts as a token at every site.
    virtual std::size_t experts_used() const = 0;
    /// A matrix as float32, made when it is first asked for: gate and up [neurons x width], down [width x neurons]. An error
    /// in a mixture of experts.
    virtual std::span<const float> floats(std::size_t layer, weights which) const = 0;
    /// From one thread. The engine has to outlive it.
    virtual std::unique_ptr<engine_run> start() const = 0;
    virtual const foreign_tokens& tokens() const = 0;
};

} // namespace app
