#pragma once

#include <tamis/tamis.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <vector>

// What every executor has to hold: each task once, and a result that has not one bit from it.

template <class Executor>
void check_executor(const Executor& threads) {
    static_assert(tamis::executor<Executor>);
    for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
        std::vector<std::atomic<int>> calls(count);
        threads.run(count, [&](std::size_t i) { ++calls[i]; });
        std::size_t wrong = 0;
        for (const auto& c : calls) {
            wrong += c == 1 ? 0u : 1u;
        }
        CHECK(wrong == 0);
    }

    constexpr std::size_t h = 320;
    constexpr std::size_t d = 2600; // sums of rows are divided from 2 MiB on
    engine random{1};
    const auto gate = generate<float>(shape::normal, h * d, random);
    const auto up = generate<float>(shape::normal, h * d, random);
    const auto down = generate<float>(shape::normal, h * d, random);
    const auto x = generate<float>(shape::normal, h, random);
    using tamis::f32;
    const tamis::glu_weights weights{tamis::matrix<f32, tamis::input_major>{gate.data(), h, d},
                                     tamis::matrix<f32, tamis::input_major>{up.data(), h, d},
                                     tamis::matrix<f32, tamis::neuron_major>{down.data(), d, h}};
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.95}),
                             tamis::at_intermediate(tamis::top_p{0.95})};
    tamis::owned_workspace memory{ffn.workspace_bytes(threads)};
    std::vector<float> alone(h);
    std::vector<float> together(h);
    ffn(x, alone, memory);
    ffn(x, together, memory, threads);
    CHECK(std::memcmp(alone.data(), together.data(), h * sizeof(float)) == 0);
}
