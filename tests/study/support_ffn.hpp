#pragma once

#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"
#include "study/support.hpp"

#include <tamis/ffn/pack.hpp>
#include <tamis/study/hooked_ffn.hpp>
#include <tamis/study/masker.hpp>

#include <algorithm>

// The same masks by glu_ffn, which skips, and by masker and hooked_ffn, which do not. Weights and inputs are coarse, so that
// all pre-activations are exact and no rounding moves a value over a threshold.

/// A problem with several tokens.
struct problem_of_tokens {
    problem p;
    std::vector<float> x; // tokens x width
    std::size_t tokens;

    problem_of_tokens(std::size_t width, std::size_t neurons, std::size_t count, bool biased,
                      std::uint64_t seed)
        : p{random_problem(width, neurons, biased, seed)}, tokens{count} {
        engine random{seed + 1000};
        x = coarse_values(width * count, random);
    }
    std::span<const float> token(std::size_t t) const { return {x.data() + t * p.width(), p.width()}; }
    tamis::block<const float> all() const { return {x.data(), tokens, p.width()}; }
};

/// The policies of a subset of the sites, as a plan of one layer.
template <std::size_t Subset>
tamis::study::plan plan_of() {
    tamis::study::plan plan{1};
    std::apply([&](const auto&... policies) { (plan.set(0, policies.where, policies.selector_part), ...); },
               policies_of<Subset>());
    return plan;
}

/// Packed for the policies, as an FFN is meant to be.
template <std::size_t Subset, class Weights>
auto packed_for(const Weights& weights) {
    return std::apply([&](const auto&... policies) { return tamis::pack(weights, policies...); },
                      policies_of<Subset>());
}

/// Runs a block by hooked_ffn under a plan; `see` is an observer of one layer.
template <class Sigma, class Observer>
std::vector<float> run_hooked(const problem_of_tokens& problem, const tamis::study::plan& plan, Sigma sigma,
                              Observer& see, std::size_t gap = 0) {
    const auto weights = store_glu<0, 0>(problem.p, gap);
    tamis::study::hooked_ffn ffn{weights.view(), sigma};
    const auto of_layer = [&](std::size_t, const tamis::sighting& s) { see(s); };
    tamis::owned_workspace memory{plan.workspace_bytes(std::max(problem.p.width(), problem.p.neurons()))};
    tamis::study::masker hook{plan, memory, of_layer};
    std::vector<float> y(problem.tokens * problem.p.width());
    ffn(0, problem.all(), tamis::block<float>{y.data(), problem.tokens, problem.p.width()}, hook);
    return y;
}

/// Runs the tokens one by one by glu_ffn on packed weights.
template <std::size_t Subset, class Sigma, class Observer>
std::vector<float> run_glu(const problem_of_tokens& problem, Sigma sigma, Observer& see) {
    const auto weights = store_glu<0, 0>(problem.p);
    const auto packed = packed_for<Subset>(weights.view());
    const auto ffn = make_glu<Subset>(packed.view(), sigma);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> y(problem.tokens * problem.p.width());
    for (std::size_t t = 0; t < problem.tokens; ++t) {
        const auto show = [&](const tamis::sighting& s) {
            see(tamis::sighting{s.where, s.values, s.mask, s.has_policy, t});
        };
        ffn(problem.token(t), std::span{y}.subspan(t * problem.p.width(), problem.p.width()), memory, show);
    }
    return y;
}

/// Both gate and up masked: the one combination where glu_ffn's up mask is made over what the gate left.
constexpr bool has_gate_and_up(std::size_t subset) {
    return has_site(subset, tamis::site::gate) && has_site(subset, tamis::site::up);
}

/// The largest difference, over the largest magnitude.
inline double difference(std::span<const float> a, std::span<const float> b) {
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max({largest, std::abs(double{a[i]}), std::abs(double{b[i]})});
        difference = std::max(difference, std::abs(double{a[i]} - double{b[i]}));
    }
    return largest == 0 ? 0 : difference / largest;
}
