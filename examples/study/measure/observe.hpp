#pragma once

#include "error.hpp"
#include "input/subject.hpp"
#include "measure/condition.hpp"
#include "measure/measure.hpp"
#include "measure/runner.hpp"
#include "measure/threads.hpp"

#include <tamis/study/sweep.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace app {

namespace observe_part {

template <class Observer>
void begin(Observer& see, std::uint64_t story) {
    if constexpr (requires { see.begin(story); }) {
        see.begin(story);
    } else if constexpr (requires { see.begin(); }) {
        see.begin();
    }
}

/// What was observed, and the values that were not finite.
template <class Observed>
struct with_lost {
    Observed all;
    not_finite lost;

    void merge(const with_lost& other) {
        all.merge(other.all);
        lost.merge(other.lost);
    }
};

inline void settle(const subject& s, const not_finite& found, not_finite* lost) {
    if (lost != nullptr) {
        *lost = found;
    } else if (found.values != 0) {
        throw error(
            s.name, ": ", found.text(s.layers()),
            "; what was to be found from all values (thresholds, frequencies, predictions) is undefined");
    }
}

} // namespace observe_part

/// Runs a model under a condition over stories and shows all that counts to a layer_observer that merges, `fresh` being one
/// that has seen nothing. begin(number of the story) or begin() is called before each story, if there is one. Values that are not
/// finite are an error that says where they are, unless the caller takes them by `lost`.
template <class Observer>
Observer observe(const subject& s, const std::vector<story>& stories, const condition& c,
                 const Observer& fresh, std::size_t threads, const progress_report& report,
                 not_finite* lost = nullptr) {
    using observed = observe_part::with_lost<Observer>;
    const std::size_t bytes = c.plan.workspace_bytes(std::max(s.model.config.dim, s.model.config.hidden_dim));
    auto results = study::sweep(
        1, stories.size(), observed{fresh, {}}, fresh_threads{threads},
        [&] {
            return [&, model = runner{s.model, s.sigma},
                    memory = tamis::owned_workspace{bytes}](std::size_t, std::size_t number,
                                                            observed& sum) mutable {
                observe_part::begin(sum.all, number);
                const story& tokens = stories[number];
                from_token<Observer> see{sum.all, tokens.first_seen()};
                c.apply(memory.view(), see, [&](study::hook_ref hook) {
                    if (tokens.size() > 1) { // as for the predictions: the last token predicts nothing
                        model.logits(std::span{tokens}.first(tokens.size() - 1), hook);
                    }
                });
                sum.lost.merge(model.take_not_finite());
            };
        },
        [](std::size_t, const observed&) {}, [&](const study::sweep_progress& p) { report(p.done, p.all); });
    observe_part::settle(s, results.front().lost, lost);
    return std::move(results.front().all);
}

/// The same for hooks that watch by themselves and change nothing: one a story, made by make_hook(); what result_of(hook)
/// says of each is merged.
template <class Result, class MakeHook, class ResultOf>
Result watch(const subject& s, MakeHook make_hook, ResultOf result_of, std::size_t threads,
             const progress_report& report) {
    using observed = observe_part::with_lost<Result>;
    auto results = study::sweep(
        1, s.stories.size(), observed{}, fresh_threads{threads},
        [&] {
            return [&, model = runner{s.model, s.sigma}](std::size_t, std::size_t number,
                                                         observed& sum) mutable {
                auto hook = make_hook();
                const story& tokens = s.stories[number];
                auto of_what_counts = [&](std::size_t layer, tamis::site where, tamis::block<float> values) {
                    const std::size_t first = std::min(tokens.first_seen(), values.rows());
                    hook(layer, where,
                         tamis::block<float>{values.row(first).data(), values.rows() - first,
                                             values.columns(), values.stride()});
                };
                if (tokens.size() > 1) {
                    model.logits(std::span{tokens}.first(tokens.size() - 1), of_what_counts);
                }
                sum.all.merge(result_of(hook));
                sum.lost.merge(model.take_not_finite());
            };
        },
        [](std::size_t, const observed&) {}, [&](const study::sweep_progress& p) { report(p.done, p.all); });
    observe_part::settle(s, results.front().lost, nullptr);
    return std::move(results.front().all);
}

} // namespace app
