#pragma once

#include "input/subject.hpp"
#include "measure/measure.hpp"
#include "model/engine.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace app {

/// What the dense model predicts behind one token: its likeliest tokens with their ln p and p, and the share of all the others. Of
/// vocabularies up to `most` tokens this is everything.
struct dense_prediction {
    static constexpr std::size_t most = 1024;

    std::vector<std::uint32_t> tokens; ///< the likeliest one first
    std::vector<float> log_p, p;
    double rest = 0;
};

/// Of all predictions of a text, story by story (or window by window).
struct dense_predictions {
    std::map<std::size_t, std::vector<dense_prediction>> of_story;

    void merge(const dense_predictions& other) {
        of_story.insert(other.of_story.begin(), other.of_story.end());
    }
};

/// One pass of the dense model over the subject's text.
std::shared_ptr<const dense_predictions> dense_predictions_of(const subject& s, std::size_t threads,
                                                              const progress_report& report);

/// KL(dense || row) at one token, in nats; the tokens that are not kept count as one (so it is a lower bound, close to all of it).
/// NaN when a logit is not finite.
struct comparison {
    double divergence;
    bool same_likeliest;
};
comparison compare(const dense_prediction& dense, const logits_view& logits, Eigen::Index t);
/// Takes the likeliest tokens out of logits.
dense_prediction prediction_of(const logits_view& logits, Eigen::Index t);

} // namespace app
