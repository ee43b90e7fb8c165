#pragma once

#include "input/subject.hpp"
#include "measure/condition.hpp"
#include "measure/measure.hpp"
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

} // namespace observe_part

/// Runs a model under a condition over stories and shows all that counts to a layer_observer that merges, `fresh` being one
/// that has seen nothing. begin(number of the story) or begin() is called before each story, if there is one.
template <class Observer>
Observer observe(const subject& s, const std::vector<story>& stories, const condition& c,
                 const Observer& fresh, std::size_t threads, const progress_report& report) {
    const std::size_t bytes = c.plan.workspace_bytes(std::max(s.model.config.dim, s.model.config.hidden_dim));
    auto results = study::sweep(
        1, stories.size(), fresh, fresh_threads{threads},
        [&] {
            return [&, model = runner{s.model, s.sigma},
                    memory = tamis::owned_workspace{bytes}](std::size_t, std::size_t number,
                                                            Observer& sum) mutable {
                observe_part::begin(sum, number);
                const story& tokens = stories[number];
                from_token<Observer> see{sum, tokens.first_seen()};
                c.apply(memory.view(), see, [&](study::hook_ref hook) {
                    if (tokens.size() > 1) { // as for the predictions: the last token predicts nothing
                        model.logits(std::span{tokens}.first(tokens.size() - 1), hook);
                    }
                });
            };
        },
        [](std::size_t, const Observer&) {}, [&](const study::sweep_progress& p) { report(p.done, p.all); });
    return std::move(results.front());
}

/// The same for hooks that watch by themselves and change nothing: one a story, made by make_hook(); what result_of(hook)
/// says of each is merged.
template <class Result, class MakeHook, class ResultOf>
Result watch(const subject& s, MakeHook make_hook, ResultOf result_of, std::size_t threads,
             const progress_report& report) {
    auto results = study::sweep(
        1, s.stories.size(), Result{}, fresh_threads{threads},
        [&] {
            return [&, model = runner{s.model, s.sigma}](std::size_t, std::size_t number,
                                                         Result& sum) mutable {
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
                sum.merge(result_of(hook));
            };
        },
        [](std::size_t, const Result&) {}, [&](const study::sweep_progress& p) { report(p.done, p.all); });
    return std::move(results.front());
}

} // namespace app
