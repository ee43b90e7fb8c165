#pragma once

#include <tamis/any_selector.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/predictor/predictor.hpp>
#include <tamis/study/predictor/score.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

namespace predictor_part {

/// Masks of a block's tokens over the neurons, kept from one site to the next. Allocates when blocks grow.
class block_masks {
  public:
    /// Masks of so many tokens over n entries.
    void resize(std::size_t tokens, std::size_t n) {
        tokens_ = tokens, size_ = n;
        words_.resize((std::max)(words_.size(), tokens * mask_words(n)));
    }
    /// A token's mask.
    mask_span of(std::size_t token) {
        return {std::span{words_}.subspan(token * mask_words(size_), mask_words(size_)), size_};
    }
    /// Refuses a block that is not of these tokens and neurons.
    void check(block<float> values) const {
        detail::need(
            "tamis::study: predictions were made for %zu tokens at input, but %zu came "
            "behind the gate",
            tokens_, values.rows());
        detail::need("tamis::study: predictions were made over %zu neurons, but there are %zu", size_,
                     values.columns());
    }

  private:
    std::vector<std::uint64_t> words_;
    std::size_t tokens_ = 0, size_ = 0;
};

/// What the layers' predictors say of a block's tokens.
template <predictor P>
class predictions : public block_masks {
  public:
    /// A predictor a layer, borrowed.
    explicit predictions(std::span<const P> layers) : layers_{layers}, memory_{most_bytes(layers)} {}

    /// At the input; refuses a layer without a predictor.
    void make(std::size_t layer, block<float> x) {
        if (layer >= layers_.size()) {
            fail_sizes("tamis::study: there are predictors for %zu layers, but layer %zu was run",
                       layers_.size(), layer);
        }
        const P& p = layers_[layer];
        resize(x.rows(), p.neurons());
        for (std::size_t token = 0; token < x.rows(); ++token) {
            p.predict(x.row(token), of(token), memory_);
        }
    }

  private:
    static std::size_t most_bytes(std::span<const P> layers) {
        std::size_t most = 0;
        for (const P& p : layers) {
            most = (std::max)(most, std::size_t{p.prediction_bytes()});
        }
        return most;
    }

    std::span<const P> layers_;
    owned_workspace memory_;
};

} // namespace predictor_part

/// The hook that carries predictions out: at input it asks the layer's predictor for each token, as it goes into the FFN
/// (behind what earlier hooks masked), and at the gate sets what was predicted inactive to zero, so that it is missing
/// from the output. All sites are shown to an observer, the gate with the predicted mask as its policy. Predictors, one a
/// layer, and the observer are borrowed. One object serves one thread.
template <predictor P, layer_observer Observer = const no_layer_observer>
class predicted {
  public:
    /// A predictor a layer; both borrowed.
    predicted(std::span<const P> layers, Observer& see) : predictions_{layers}, see_{&see} {}
    /// The same, and nothing is shown.
    explicit predicted(std::span<const P> layers)
        requires std::is_same_v<Observer, const no_layer_observer>
        : predicted{layers, nothing} {}

    void operator()(std::size_t layer, site where, block<float> values) {
        if (where == site::input) {
            predictions_.make(layer, values);
        } else if (where == site::gate) {
            predictions_.check(values);
        }
        const bool here = where == site::gate;
        for (std::size_t token = 0; token < values.rows(); ++token) {
            const std::span<float> row = values.row(token);
            const mask_view made = here ? mask_view{predictions_.of(token)} : mask_view{};
            masker_part::show_and_mask(*see_, layer, {where, row, made, here, token}, row);
        }
    }

  private:
    static constexpr no_layer_observer nothing{};

    predictor_part::predictions<P> predictions_;
    Observer* see_;
};
template <class P>
predicted(const std::vector<P>&) -> predicted<P>;
template <class P, class Observer>
predicted(const std::vector<P>&, Observer&) -> predicted<P, Observer>;

/// The hook that only watches: the dense model runs, and each layer's predictions are scored against the true mask, with
/// the intermediate as mass. The true mask is a selector's over sigma(gate) or over the intermediate.
template <predictor P>
class prediction_watch {
  public:
    /// Refuses a true mask at input or up.
    prediction_watch(std::span<const P> layers, const any_selector& truth, site truth_at = site::gate)
        : predictions_{layers}, truth_{truth}, truth_at_{truth_at}, scores_(layers.size()) {
        if (truth_at != site::gate && truth_at != site::intermediate) {
            fail("tamis::study::prediction_watch: the true mask is one of the gate or of the intermediate");
        }
        std::size_t bytes = 0;
        for (const P& p : layers) {
            bytes = (std::max)(bytes, truth_.selection_bytes(p.neurons()));
        }
        memory_ = aligned_memory{bytes};
    }

    void operator()(std::size_t layer, site where, block<float> values) {
        if (where == site::input) {
            predictions_.make(layer, values);
            return;
        }
        if (where == truth_at_) {
            predictions_.check(values);
            true_masks_.resize(values.rows(), values.columns());
            for (std::size_t token = 0; token < values.rows(); ++token) {
                truth_.select(values.row(token), true_masks_.of(token), workspace{memory_.bytes()});
            }
        }
        if (where == site::intermediate) {
            true_masks_.check(values);
            for (std::size_t token = 0; token < values.rows(); ++token) {
                scores_[layer].add(predictions_.of(token), true_masks_.of(token), values.row(token));
            }
        }
    }

    /// A score a layer.
    std::span<const prediction_score> scores() const { return scores_; }
    /// One of all layers.
    prediction_score total() const {
        prediction_score all;
        for (const prediction_score& s : scores_) {
            all.merge(s);
        }
        return all;
    }
    /// Refuses a watch of another number of layers.
    void merge(const prediction_watch& other) {
        detail::need("tamis::study::prediction_watch: a watch of %zu layers can not take one of %zu",
                     scores_.size(), other.scores_.size());
        for (std::size_t l = 0; l < scores_.size(); ++l) {
            scores_[l].merge(other.scores_[l]);
        }
    }

  private:
    predictor_part::predictions<P> predictions_;
    any_selector truth_;
    site truth_at_;
    std::vector<prediction_score> scores_;
    aligned_memory memory_;
    predictor_part::block_masks true_masks_;
};
template <class P>
prediction_watch(const std::vector<P>&, any_selector, site = site::gate) -> prediction_watch<P>;

} // namespace study

TAMIS_END
