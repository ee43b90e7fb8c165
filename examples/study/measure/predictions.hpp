#pragma once

#include "input/tasks.hpp"
#include "measure/scores.hpp"
#include "model/matrix.hpp"
#include "model/tokenizer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace app {

// What logits predict, added to scores.

/// Whether all of a token's logits are finite.
template <class Logits>
bool all_finite(const Logits& logits, Eigen::Index t) {
    const auto columns = static_cast<std::size_t>(logits.cols());
    return study::count_not_finite(std::span{logits.data() + t * logits.cols(), columns}) == 0;
}

/// ln softmax(logits_t)[target], of finite logits; minus infinity when they lie too far apart for a float.
template <class Logits>
double log_probability(const Logits& logits, Eigen::Index t, token target) {
    const auto row = logits.row(t).array();
    const float largest = row.maxCoeff();
    return static_cast<double>(row(target) - largest) -
           std::log(static_cast<double>((row - largest).exp().sum()));
}

/// Adds the predictions of one story: from each token but the last, the token behind it, if that is number first_scored or
/// later. `logits_of(tokens)` runs the model; `seen(number of the predicted token, loss, hit)` is told of each.
template <class LogitsOf, class Seen>
void score_story(std::span<const token> story, LogitsOf&& logits_of, text_score& sum,
                 std::size_t first_scored, Seen&& seen) {
    if (story.size() < 2) {
        return;
    }
    const auto& logits = logits_of(story.first(story.size() - 1));
    for (auto t = static_cast<Eigen::Index>(first_scored - 1); t < logits.rows(); ++t) {
        if (!all_finite(logits, t)) { // no likeliest token either, whatever a maximum makes of a NaN
            sum.loss.add(study::not_a_number);
            seen(static_cast<std::size_t>(t) + 1, study::not_a_number, false);
            continue;
        }
        const token target = story[static_cast<std::size_t>(t) + 1];
        // The first of the likeliest tokens.
        const float z = logits(t, target);
        const bool hit = z == logits.row(t).maxCoeff() && (logits.row(t).head(target).array() < z).all();
        const double loss = -log_probability(logits, t, target);
        sum.loss.add(loss);
        sum.hits += hit ? 1 : 0;
        seen(static_cast<std::size_t>(t) + 1, loss, hit);
    }
}
template <class LogitsOf>
void score_story(std::span<const token> story, LogitsOf&& logits_of, text_score& sum,
                 std::size_t first_scored = 1) {
    score_story(story, logits_of, sum, first_scored, [](std::size_t, double, bool) {});
}

/// Adds one question. The answer is the choice with the highest sum of ln p over its tokens (the first one of equals).
template <class LogitsOf>
void score_question(const question& q, LogitsOf&& logits_of, task_score& sum) {
    std::vector<double> scores(q.choices.size(), 0);
    bool finite = true;
    for (std::size_t run = 0; run < q.runs.size(); ++run) {
        const auto& logits = logits_of(std::span<const token>{q.runs[run]});
        for (std::size_t c = 0; c < q.choices.size(); ++c) {
            if (q.choices[c].run == run) {
                for (std::size_t t = q.shared; t < q.choices[c].tokens.size(); ++t) {
                    const auto at = static_cast<Eigen::Index>(t - 1);
                    finite = finite && all_finite(logits, at);
                    scores[c] += finite ? log_probability(logits, at, q.choices[c].tokens[t]) : 0.0;
                }
            }
        }
    }
    finite = finite && study::count_not_finite(scores) == 0;
    ++sum.questions;
    if (!finite) {
        ++sum.lost;
        return;
    }
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    sum.right += static_cast<std::size_t>(best) == q.answer ? 1 : 0;
}

} // namespace app
