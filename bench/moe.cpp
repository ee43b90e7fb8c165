#include <tamis/tamis.hpp>

#include "ffn_weights.hpp"
#include "timing.hpp"

#include <tamis/format/mxfp4.hpp>
#include <tamis/format/q4_k.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>

// A token through the experts that a router chose, y += w FFN_e(x) one after the other, against one FFN with the neurons of
// all of them: the same bytes of weights, which no cache holds. Both take turns.
//
//     moe/h:2048/d:768/experts:8/weights:q4_0/down:by_neurons/masks:none
//
// down: by_outputs as checkpoints hold it, by_neurons transposed. masks: none; or top_p_0.9 at the intermediate. Counters:
// vs_one_ffn  time / time of the one FFN right behind it, the median;  stream_fraction  as in bench_ffn

namespace {

constexpr std::size_t experts = 8;

struct moe_shape {
    std::size_t h, d;
};

template <class F, bool ByNeurons, class... Policies>
void run_moe(benchmark::State& state, moe_shape s, Policies... policies) {
    using namespace tamis;
    using down_layout = std::conditional_t<ByNeurons, neuron_major, output_major>;
    const std::size_t all = experts * s.d;
    const std::size_t bytes = experts * std::max(F::row_bytes(s.h) * s.d, F::row_bytes(s.d) * s.h);
    const weight_memory& memory = memory_for(bytes, bytes);
    std::mt19937 random{1};
    std::normal_distribution<float> normal;
    std::vector<float> x(s.h);
    for (float& value : x) {
        value = normal(random);
    }
    std::vector<float> y(s.h);
    const std::vector<float> weights(experts, 0.125f);

    const auto one_at = [&](std::size_t copy) {
        return glu_ffn{weights_at<F, false, ByNeurons>(memory, copy, s.h, all), silu{}, policies...};
    };
    owned_workspace scratch{one_at(0).workspace_bytes()};
    traffic read;
    const auto experts_at = [&](std::size_t copy) {
        const matrix_stack<F, neuron_major> gates{memory.matrix(copy, 0), experts, s.d, s.h};
        const matrix_stack<F, neuron_major> ups{memory.matrix(copy, 1), experts, s.d, s.h};
        const matrix_stack<F, down_layout> downs{memory.matrix(copy, 2), experts, ByNeurons ? s.d : s.h,
                                                 ByNeurons ? s.h : s.d};
        return seconds_of([&] {
            for (std::size_t e = 0; e < experts; ++e) {
                const glu_ffn ffn{glu_weights{gates[e], ups[e], downs[e]}, silu{}, policies...};
                read += ffn(x, add_to{y, weights[e]}, scratch);
            }
            benchmark::DoNotOptimize(y.data());
        });
    };

    samples times, ratios, rates;
    std::size_t calls = 0;
    std::size_t copy = 0;
    const auto next = [&] { return copy = (copy + 1) % memory.copies(); };
    for (auto _ : state) {
        const double took = experts_at(next());
        state.SetIterationTime(took);
        times.add(took);
        ++calls;
        const auto one = one_at(next());
        ratios.add(took / seconds_of([&] {
                       one(x, y, scratch);
                       benchmark::DoNotOptimize(y.data());
                   }));
        rates.add(memory.stream(next(), serial{}));
    }
    state.counters["vs_one_ffn"] = ratios.median();
    state.counters["stream_fraction"] =
        static_cast<double>(read.bytes_read) / static_cast<double>(calls) / times.median() / rates.median();
}

template <class F, bool ByNeurons, class... Policies>
void add_moe(moe_shape s, const char* masks, Policies... policies) {
    char name[160];
    std::snprintf(name, sizeof name, "moe/h:%zu/d:%zu/experts:%zu/weights:%s/down:%s/masks:%s", s.h, s.d,
                  experts, F::name, ByNeurons ? "by_neurons" : "by_outputs", masks);
    benchmark::RegisterBenchmark(name,
                                 [=](benchmark::State& state) {
                                     run_moe<F, ByNeurons>(state, s, policies...);
                                 })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

/// All of a format one after the other: the memory is filled once.
template <class F>
void add_format(moe_shape s) {
    add_moe<F, false>(s, "none");
    add_moe<F, true>(s, "none");
    add_moe<F, true>(s, "top_p_0.9", tamis::at_intermediate(tamis::top_p{0.9}));
}

/// Every format that the experts of a published model have.
template <class... Formats>
bool add_formats() {
    for (const moe_shape s : {moe_shape{2048, 768}, moe_shape{7168, 2048}}) {
        (add_format<Formats>(s), ...);
    }
    return true;
}

const bool added = add_formats<tamis::bf16, tamis::q8_0, tamis::q4_0, tamis::q4_k, tamis::mxfp4>();

} // namespace
