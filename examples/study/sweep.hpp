#pragma once

#include "checkpoint.hpp"
#include "ffn.hpp"
#include "settings.hpp"
#include "tasks.hpp"
#include "tokenizer.hpp"

#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace study {

/// A model and everything that it is measured with.
struct subject {
    std::string name;  ///< for people: the checkpoint's path, or "embedded swiglu"
    std::string label; ///< for folders: "swiglu"; empty for a model of the user's
    checkpoint model;
    activation sigma;
    std::vector<std::vector<token>> stories;
    std::vector<task> tasks;
};

/// How well a model predicts: each next token of each story counts once.
struct prediction_score {
    double loss = 0; ///< sum of -ln p(next token)
    std::size_t hits = 0, predictions = 0;

    double nll() const { return loss / static_cast<double>(predictions); }
    double perplexity() const { return std::exp(nll()); }
    double top1() const { return static_cast<double>(hits) / static_cast<double>(predictions); }

    prediction_score& operator+=(const prediction_score& other) {
        loss += other.loss;
        hits += other.hits;
        predictions += other.predictions;
        return *this;
    }
};

struct task_score {
    std::string name;
    std::size_t right = 0, questions = 0;
    ffn_counts counts;

    double accuracy() const { return static_cast<double>(right) / static_cast<double>(questions); }
};

/// One row of the results.
struct measurement {
    ffn_choice choice; ///< none: the dense model
    prediction_score text;
    ffn_counts counts; ///< of the text; each task has its own
    std::vector<task_score> tasks;

    bool dense() const { return !choice; }
    std::string site() const { return choice ? name(choice->site) : "dense"; }
    std::string rule() const { return choice ? name(choice->rule) : "-"; }
    std::string value() const { return choice ? choice->value.text : "-"; }
};

/// Called after each story and each question with how many are done, out of how many; from any thread.
using progress_report = std::function<void(std::size_t done, std::size_t all)>;

/// Measures one setting on the text and on the tasks. Nothing depends on the number of threads.
measurement measure(const subject& s, const ffn_choice& choice, std::size_t threads,
                    const progress_report& report);

/// The settings of a sweep in the order of its rows: dense, then each site from the dense end.
inline std::vector<ffn_choice> sweep_settings(const std::vector<site_choice>& sites, rule_choice rule,
                                              const std::vector<rule_value>& values) {
    std::vector<ffn_choice> settings{std::nullopt};
    for (const site_choice site : sites) {
        for (const rule_value& value : values) {
            settings.push_back(ffn_setting{site, rule, value});
        }
    }
    return settings;
}

} // namespace study
