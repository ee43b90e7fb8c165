#pragma once

#include "input/tasks.hpp"
#include "model/tokenizer.hpp"
#include "model/transformer.hpp"

#include <tamis/study/exact_total.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace app {

namespace study = tamis::study;

/// How well a model predicts: each next token of each story counts once. A prediction with a logit or a loss that is not
/// finite is lost, and no figure is the figure of the others: all are NaN then.
struct text_score {
    study::exact_total loss; ///< -ln p(next token), in nats
    std::uint64_t hits = 0;

    std::uint64_t predictions() const { return loss.count() + lost(); }
    std::uint64_t lost() const { return loss.left_out(); }
    double nll() const { return loss.mean(); }
    double perplexity() const { return study::unless_lost(lost(), std::exp(nll())); }
    double top1() const {
        return study::unless_lost(lost(), static_cast<double>(hits) / static_cast<double>(predictions()));
    }

    void merge(const text_score& other) {
        loss.merge(other.loss);
        hits += other.hits;
    }
    template <class Archive>
    void state(Archive& a) {
        a(loss, hits);
    }
};

/// How many of a task's questions a model answers. A question is lost when a choice's likelihood is not finite: no choice is
/// the likeliest then.
struct task_score {
    std::uint64_t right = 0, questions = 0, lost = 0;

    /// NaN when a question is lost.
    double accuracy() const {
        return study::unless_lost(lost, static_cast<double>(right) / static_cast<double>(questions));
    }

    void merge(const task_score& other) {
        right += other.right;
        questions += other.questions;
        lost += other.lost;
    }
    template <class Archive>
    void state(Archive& a) {
        a(right, questions, lost);
    }
};

/// Whether all of a token's logits are finite.
inline bool all_finite(const matrix& logits, Eigen::Index t) {
    const auto columns = static_cast<std::size_t>(logits.cols());
    return study::count_not_finite(std::span{logits.data() + t * logits.cols(), columns}) == 0;
}

/// ln softmax(logits_t)[target], of finite logits; minus infinity when they lie too far apart for a float.
inline double log_probability(const matrix& logits, Eigen::Index t, token target) {
    const auto row = logits.row(t).array();
    const float largest = row.maxCoeff();
    return static_cast<double>(row(target) - largest) -
           std::log(static_cast<double>((row - largest).exp().sum()));
}

/// Adds the predictions of one story: from each token but the last, the token behind it, if that is number first_scored or
/// later. `logits_of(tokens)` runs the model.
template <class LogitsOf>
void score_story(std::span<const token> story, LogitsOf&& logits_of, text_score& sum,
                 std::size_t first_scored = 1) {
    if (story.size() < 2) {
        return;
    }
    const matrix& logits = logits_of(story.first(story.size() - 1));
    for (auto t = static_cast<Eigen::Index>(first_scored - 1); t < logits.rows(); ++t) {
        if (!all_finite(logits, t)) { // no likeliest token either, whatever a maximum makes of a NaN
            sum.loss.add(study::not_a_number);
            continue;
        }
        const token target = story[static_cast<std::size_t>(t) + 1];
        Eigen::Index likeliest = 0;
        logits.row(t).maxCoeff(&likeliest);
        sum.loss.add(-log_probability(logits, t, target));
        sum.hits += likeliest == target ? 1 : 0;
    }
}

/// Adds one question. The answer is the choice with the highest sum of ln p over its tokens (the first one of equals).
template <class LogitsOf>
void score_question(const question& q, LogitsOf&& logits_of, task_score& sum) {
    std::vector<double> scores(q.choices.size(), 0);
    bool finite = true;
    for (std::size_t run = 0; run < q.runs.size(); ++run) {
        const matrix& logits = logits_of(std::span<const token>{q.runs[run]});
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
