#pragma once

#include <tamis/study/exact_total.hpp>
#include <tamis/study/figure.hpp>

#include <cmath>
#include <cstdint>

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

} // namespace app
