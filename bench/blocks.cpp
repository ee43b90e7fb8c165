#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/tamis.hpp>

#include "ffn_masks.hpp"
#include "ffn_weights.hpp"
#include "timing.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <vector>

// Blocks of 2 to 16 tokens, each with random masks of a density of its own at all inputs, against the same block without masks
// by the same library (layouts of a checkpoint), in turns, on weights that no cache holds. One thread.
//
//   vs_dense     time of the dense block over that with masks
//   over_union   time over that of streaming the bytes that it reads
//   dense_over   time of the dense block over that of streaming all
//
// blocks_table.py makes docs/blocks.md's tables of it.

namespace {

constexpr std::size_t h = 4096, d = 14336;

template <class F>
void run(benchmark::State& state, std::size_t tokens, double density) {
    const weight_memory& memory = memory_for(F::row_bytes(h) * d, F::row_bytes(d) * h);
    random_masks of_inputs{h, density};
    random_masks of_neurons{d, density};
    const auto masked_at = [&](std::size_t copy) {
        return tamis::glu_ffn{weights_at<F, true, true>(memory, copy, h, d), tamis::silu{},
                              tamis::at_input(next_mask{&of_inputs}),
                              tamis::at_intermediate(next_mask{&of_neurons})};
    };
    const auto dense_at = [&](std::size_t copy) {
        return tamis::glu_ffn{weights_at<F, false, false>(memory, copy, h, d), tamis::silu{}};
    };
    const tamis::serial one;
    tamis::owned_workspace scratch{
        std::max(masked_at(0).workspace_bytes(one, tokens), dense_at(0).workspace_bytes(one, tokens))};
    std::vector<float> x(h * tokens);
    std::vector<float> y(h * tokens);
    std::mt19937 random{1};
    std::normal_distribution<float> normal;
    for (float& value : x) {
        value = normal(random);
    }
    std::size_t copy = 0;
    const auto timed = [&](const auto& ffn, tamis::traffic& read) {
        return seconds_of([&] {
            read += ffn(tamis::block<const float>{x.data(), tokens, h},
                        tamis::block<float>{y.data(), tokens, h}, scratch);
            benchmark::DoNotOptimize(y.data());
        });
    };
    samples masked, dense, rates;
    tamis::traffic of_masked, of_dense;
    double calls = 0;
    for (auto _ : state) {
        const auto next = [&] { return copy = (copy + 1) % memory.copies(); };
        const double took = timed(masked_at(next()), of_masked);
        state.SetIterationTime(took);
        masked.add(took);
        dense.add(timed(dense_at(next()), of_dense));
        rates.add(memory.stream(next(), one));
        ++calls;
    }
    const double rate = rates.median();
    state.counters["vs_dense"] = dense.median() / masked.median();
    state.counters["over_union"] =
        masked.median() / (static_cast<double>(of_masked.bytes_read) / calls / rate);
    state.counters["dense_over"] = dense.median() / (static_cast<double>(of_dense.bytes_read) / calls / rate);
}

template <class F>
void add_format() {
    for (const std::size_t tokens : {2u, 4u, 8u, 16u}) {
        for (const double density : {0.1, 0.3, 0.5, 0.7, 0.9}) {
            char name[96];
            std::snprintf(name, sizeof name, "blocks/weights:%s/tokens:%zu/density:%.1f", F::name, tokens,
                          density);
            benchmark::RegisterBenchmark(name,
                                         [=](benchmark::State& state) { run<F>(state, tokens, density); })
                ->UseManualTime()
                ->Iterations(3)
                ->Unit(benchmark::kMicrosecond);
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    add_format<tamis::f32>();
    add_format<tamis::bf16>();
    add_format<tamis::q8_0>();
    add_format<tamis::q4_0>();
    return true;
}();

} // namespace
