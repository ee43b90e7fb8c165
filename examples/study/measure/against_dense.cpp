#include "measure/against_dense.hpp"

#include "measure/predictions.hpp"
#include "measure/runner.hpp"
#include "measure/threads.hpp"

#include <tamis/study/sweep.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace app {
namespace {

struct softmax_of {
    float largest;
    double log_sum; ///< of exp(z - largest)
};
softmax_of softmax_at(const logits_view& logits, Eigen::Index t) {
    const auto row = logits.row(t).array();
    const float largest = row.maxCoeff();
    return {largest, std::log(static_cast<double>((row - largest).exp().sum()))};
}

} // namespace

dense_prediction prediction_of(const logits_view& logits, Eigen::Index t) {
    dense_prediction p;
    if (!all_finite(logits, t)) {
        return p;
    }
    const softmax_of s = softmax_at(logits, t);
    const auto vocabulary = static_cast<std::uint32_t>(logits.cols());
    const float* const z = logits.data() + t * logits.cols();
    const auto likelier = [&](std::uint32_t a, std::uint32_t b) {
        return z[a] != z[b] ? z[a] > z[b] : a < b;
    };
    for (float below = 12; p.tokens.size() < dense_prediction::most && p.tokens.size() < vocabulary;
         below *= 2) {
        p.tokens.clear();
        for (std::uint32_t i = 0; i < vocabulary; ++i) {
            if (!(z[i] < s.largest - below)) {
                p.tokens.push_back(i);
            }
        }
    }
    if (p.tokens.size() > dense_prediction::most) {
        const auto end = p.tokens.begin() + dense_prediction::most;
        std::nth_element(p.tokens.begin(), end, p.tokens.end(), likelier);
        p.tokens.erase(end, p.tokens.end());
    }
    std::sort(p.tokens.begin(), p.tokens.end(), likelier);
    double kept = 0;
    for (const std::uint32_t i : p.tokens) {
        p.log_p.push_back(static_cast<float>(static_cast<double>(z[i] - s.largest) - s.log_sum));
        const double share = std::exp(static_cast<double>(p.log_p.back()));
        p.p.push_back(static_cast<float>(share));
        kept += share;
    }
    p.rest = p.tokens.size() == vocabulary ? 0.0 : std::max(0.0, 1 - kept);
    return p;
}

comparison compare(const dense_prediction& dense, const logits_view& logits, Eigen::Index t) {
    if (dense.tokens.empty() || !all_finite(logits, t)) {
        return {study::not_a_number, false};
    }
    const softmax_of s = softmax_at(logits, t);
    const float* const z = logits.data() + t * logits.cols();
    const auto log_q = [&](std::size_t i) {
        return static_cast<double>(z[dense.tokens[i]] - s.largest) - s.log_sum;
    };
    double sum = 0;
    for (std::size_t i = 0; i < dense.tokens.size(); ++i) {
        sum += static_cast<double>(dense.p[i]) * (static_cast<double>(dense.log_p[i]) - log_q(i));
    }
    if (dense.rest > 1e-9) {
        double kept = 0;
        for (std::size_t i = 0; i < dense.tokens.size(); ++i) {
            kept += std::exp(log_q(i));
        }
        sum += dense.rest * std::log(dense.rest / std::max(1e-12, 1 - kept));
    }
    return {sum, z[dense.tokens.front()] == s.largest};
}

std::shared_ptr<const dense_predictions> dense_predictions_of(const subject& s, std::size_t threads,
                                                              const progress_report& report) {
    auto results = study::sweep(
        1, s.stories.size(), dense_predictions{}, fresh_threads{threads},
        [&] {
            return [&, model = runner{s.model, s.sigma}](std::size_t, std::size_t part,
                                                         dense_predictions& sum) mutable {
                const story& read = s.stories[part];
                std::vector<dense_prediction>& all = sum.of_story[part];
                if (read.predictions() == 0) {
                    return;
                }
                study::no_hook nothing;
                const auto logits = model.logits(std::span{read}.first(read.size() - 1), nothing);
                for (auto t = static_cast<Eigen::Index>(read.first_scored - 1); t < logits.rows(); ++t) {
                    all.push_back(prediction_of(logits, t));
                }
            };
        },
        [](std::size_t, const dense_predictions&) {},
        [&](const study::sweep_progress& p) { report(p.done, p.all); });
    return std::make_shared<const dense_predictions>(std::move(results.front()));
}

} // namespace app
