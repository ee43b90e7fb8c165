#pragma once

#include "input/subject.hpp"
#include "measure/condition.hpp"
#include "measure/scores.hpp"
#include "measure/unit_records.hpp"
#include "model/checkpoint.hpp"
#include "model/not_finite.hpp"

#include <tamis/study/meter/accounting.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/sweep.hpp>

#include <cstddef>
#include <functional>
#include <vector>

namespace app {

/// What the masks did, layer by layer.
class tally {
  public:
    explicit tally(const checkpoint& model);

    void operator()(std::size_t layer, const tamis::sighting& s) {
        sparsity_[layer](s);
        bytes_[layer](s);
    }
    void merge(const tally& other) {
        sparsity_.merge(other.sparsity_);
        bytes_.merge(other.bytes_);
        lost.merge(other.lost);
        rounding.merge(other.rounding);
    }
    void rounded(const study::rounding_losses& losses) { rounding.merge(losses); }

    /// Values that became infinite or NaN. Masks over them are masks of no model: with one of them sparsity and bytes are NaN.
    not_finite lost;
    /// Of the activations that are rounded to another format, if any are. No part of the state: only sweeps, which round
    /// nothing, are resumed.
    study::rounding_losses rounding;

    /// Dropped entries / all entries, pooled over tokens and layers (and, by width, over both masks of all_inputs).
    double mask_sparsity() const;
    /// Weight bytes not read / weight bytes of the dense FFN. Another number than the sparsity.
    double bytes_skipped() const;
    /// One layer's, and one site's of it.
    double mask_sparsity(std::size_t layer) const;
    double mask_sparsity(std::size_t layer, tamis::site where) const {
        return study::unless_lost(lost.values, sparsity_[layer].sparsity(where));
    }

    /// All that its masks dropped and left unread, of all layers and sites.
    unit_record totals() const;

    template <class Archive>
    void state(Archive& a) {
        for (std::size_t l = 0; l < sparsity_.size(); ++l) {
            a(sparsity_[l], bytes_[l]);
        }
        a(lost);
    }

  private:
    study::per_layer<study::sparsity_meter> sparsity_;
    study::per_layer<study::accounting_meter> bytes_;
};

struct dense_predictions;

/// One row of the results: the text, and each task with the masks on its own tokens.
struct measurement {
    struct of_task {
        task_score score;
        tally masks;
        unit_records questions{}; ///< what each adds to the two
    };

    explicit measurement(const subject& s);

    void merge(const measurement& other) {
        text.merge(other.text);
        second_halves.merge(other.second_halves);
        masks.merge(other.masks);
        units.merge(other.units);
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            tasks[t].score.merge(other.tasks[t].score);
            tasks[t].masks.merge(other.tasks[t].masks);
            tasks[t].questions.merge(other.tasks[t].questions);
        }
    }
    template <class Archive>
    void state(Archive& a) {
        a(text, second_halves, masks, units);
        for (auto& t : tasks) {
            a(t.score, t.masks, t.questions);
        }
    }

    text_score text;
    text_score second_halves; ///< of chunks: the predictions that llama.cpp's perplexity tool counts
    tally masks;
    unit_records units; ///< what each story, or block of one, adds to the two
    std::vector<of_task> tasks;
};

/// Why a row has no figures on its text, or on a task: "3 of 40 predictions ..."; empty when it has.
std::string why_none(const measurement& m, std::size_t layers);
std::string why_none(const measurement::of_task& t, std::size_t layers);

/// From any thread, one at a time.
using progress_report = std::function<void(std::size_t done, std::size_t all)>;
/// A row is complete; in the order of the conditions, one at a time.
using row_report = std::function<void(std::size_t row, const measurement&)>;

/// Measures every condition on the text and, if wanted, on the tasks; conditions and stories are spread over threads.
/// No figure depends on their number. `against`: units also get what compares them with the dense model (against_dense.hpp).
std::vector<measurement> measure(const subject& s, const std::vector<condition>& conditions,
                                 std::size_t threads, const progress_report& report,
                                 const row_report& finished = {}, bool with_tasks = true,
                                 const dense_predictions* against = nullptr);

} // namespace app
