#pragma once

#include "sweep.hpp"
#include "tasks.hpp"
#include "tokenizer.hpp"
#include "transformer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace study {

/// ln softmax(logits_t)[target]
inline double log_probability(const matrix& logits, Eigen::Index t, token target) {
    const auto row = logits.row(t).array();
    const float largest = row.maxCoeff();
    return static_cast<double>(row(target) - largest) -
           std::log(static_cast<double>((row - largest).exp().sum()));
}

/// The predictions of one story: from each token but the last, the token behind it.
template <class Ffn>
prediction_score score_story(transformer& model, std::span<const token> story, Ffn&& ffn) {
    prediction_score score;
    if (story.size() < 2) {
        return score;
    }
    const matrix& logits = model(story.first(story.size() - 1), ffn);
    for (Eigen::Index t = 0; t < logits.rows(); ++t) {
        const token target = story[static_cast<std::size_t>(t) + 1];
        Eigen::Index likeliest = 0;
        logits.row(t).maxCoeff(&likeliest);
        score.loss -= log_probability(logits, t, target);
        score.hits += likeliest == target;
        ++score.predictions;
    }
    return score;
}

/// Is the answer the choice with the highest sum of ln p over its tokens? (The first one of equals is taken.)
template <class Ffn>
bool answers(transformer& model, const question& q, Ffn&& ffn) {
    std::vector<double> scores(q.choices.size(), 0);
    for (std::size_t run = 0; run < q.runs.size(); ++run) {
        const matrix& logits = model(q.runs[run], ffn);
        for (std::size_t c = 0; c < q.choices.size(); ++c) {
            if (q.choices[c].run == run) {
                for (std::size_t t = q.shared; t < q.choices[c].tokens.size(); ++t) {
                    scores[c] +=
                        log_probability(logits, static_cast<Eigen::Index>(t - 1), q.choices[c].tokens[t]);
                }
            }
        }
    }
    return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin()) ==
           q.answer;
}

} // namespace study
