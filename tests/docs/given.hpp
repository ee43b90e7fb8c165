#pragma once

#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

// What the pages' blocks speak of without making it: the weights of a small FFN, x and y, threads.

struct docs_given {
    static constexpr std::size_t h = 32, d = 64;
    std::vector<float> gate_floats, up_floats, down_floats, down_again, x;
    std::vector<float> y = std::vector<float>(h);
    std::vector<std::vector<float>> intermediates;

    static std::vector<float> some(std::size_t count, unsigned seed) {
        std::vector<float> all(count);
        for (float& one : all) {
            seed = seed * 1664525u + 1013904223u;
            one = static_cast<float>(seed >> 8) / 8388608.0f - 1.0f;
        }
        return all;
    }
    docs_given()
        : gate_floats(some(d * h, 1)),
          up_floats(some(d * h, 2)),
          down_floats(some(h * d, 3)),
          down_again(down_floats),
          x(some(h, 4)) {
        for (unsigned i = 0; i < 5; ++i) {
            intermediates.push_back(some(d, 10 + i));
        }
    }
};

/// A page's pool: as many threads as tasks.
inline constexpr auto docs_run_on_pool = [](std::size_t count, auto&& task) {
    std::vector<std::thread> started;
    for (std::size_t i = 1; i < count; ++i) {
        started.emplace_back([&task, i] { task(i); });
    }
    if (count != 0) {
        task(std::size_t{0});
    }
    for (std::thread& one : started) {
        one.join();
    }
};

#define DOCS_GIVEN(given)                                                                       \
    [[maybe_unused]] const std::size_t h = given.h, d = given.d;                                \
    [[maybe_unused]] const matrix<f32, neuron_major> gate{given.gate_floats.data(), d, h};      \
    [[maybe_unused]] const matrix<f32, neuron_major> up{given.up_floats.data(), d, h};          \
    [[maybe_unused]] const matrix<f32, output_major> down{given.down_floats.data(), h, d};      \
    [[maybe_unused]] auto& down_floats = given.down_again;                                      \
    [[maybe_unused]] const matrix<f32, output_major> down_to_give_up{down_floats.data(), h, d}; \
    [[maybe_unused]] const glu_weights weights{gate, up, down};                                 \
    [[maybe_unused]] const auto& intermediates = given.intermediates;                           \
    [[maybe_unused]] auto& x = given.x;                                                         \
    [[maybe_unused]] auto& y = given.y;                                                         \
    [[maybe_unused]] constexpr auto& run_on_pool = docs_run_on_pool;
