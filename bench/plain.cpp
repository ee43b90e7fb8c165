#include <tamis/tamis.hpp>

#include "built_for.hpp"
#include "ffn_weights.hpp"
#include "timing.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <vector>

// The kernels of one token against the simple loops that they equal, compiled with the same flags, and against the rate at which
// the machine reads memory; in turns, one thread. For builds without AVX2 above all, which distributions make:
//
//     cmake -B build -DTAMIS_BUILD_BENCH=ON -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="-O2 -DNDEBUG"
//     cmake --build build --target bench_plain && build/bench/bench_plain
//
//     plain/form:dot/weights:q4_0      all rows of a matrix of 4096 columns, dot products with x
//     plain/form:sum/weights:q4_0      every other row of it, times an entry of x each
//
//   vs_plain         time of the simple loop for as many weights / time
//   stream_fraction  bytes of the weights read / time, over the rate of a plain reading sum of the same memory

namespace {

constexpr std::size_t columns = 4096, rows = 14336;
constexpr std::size_t rows_of_plain = 512; // it may take a second for all of them

template <class F, bool IsDot>
void run(benchmark::State& state) {
    const weight_memory& memory = memory_for(F::row_bytes(columns) * rows, F::row_bytes(columns) * rows);
    std::vector<float> x(rows);
    std::vector<float> y(rows);
    std::vector<std::uint32_t> others;
    for (std::uint32_t i = 0; i < rows; ++i) {
        x[i] = 0.01f * static_cast<float>(i % 64) - 0.3f;
        if (i % 2 == 0) {
            others.push_back(i);
        }
    }
    const std::span<const std::uint32_t> listed{others};
    const std::span<const float> in{x};
    const std::span<float> out{y};
    std::size_t copy = 0;
    const auto next = [&] {
        copy = (copy + 1) % memory.copies();
        return tamis::matrix<F, tamis::neuron_major>{memory.matrix(copy, 0), rows, columns};
    };
    samples times, plain, rates;
    for (auto _ : state) {
        const auto w = next();
        const double took = seconds_of([&] {
            if constexpr (IsDot) {
                dot_rows(w, tamis::all_rows{rows}, in.first(columns), out);
            } else {
                sum_rows(w, tamis::active_rows{listed}, in, out.first(columns));
            }
            benchmark::DoNotOptimize(y.data());
        });
        times.add(took);
        state.SetIterationTime(took);
        const auto same = next();
        plain.add(seconds_of([&] {
            if constexpr (IsDot) {
                dot_rows_plain(same, tamis::all_rows{rows_of_plain}, in.first(columns), out);
            } else {
                sum_rows_plain(same, tamis::active_rows{listed.first(rows_of_plain)}, in, out.first(columns));
            }
            benchmark::DoNotOptimize(y.data());
        }));
        next();
        rates.add(memory.stream(copy, tamis::serial{}));
    }
    const auto read = static_cast<double>(IsDot ? rows : listed.size());
    const double time = times.median();
    state.counters["vs_plain"] = plain.median() * read / static_cast<double>(rows_of_plain) / time;
    state.counters["stream_fraction"] =
        read * static_cast<double>(F::row_bytes(columns)) / time / rates.median();
}

template <class F>
void add() {
    const auto add_one = [](const char* form, void (*of)(benchmark::State&)) {
        char name[64];
        std::snprintf(name, sizeof name, "plain/form:%s/weights:%s", form, F::name);
        benchmark::RegisterBenchmark(name, of)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);
    };
    add_one("dot", run<F, true>);
    add_one("sum", run<F, false>);
}

} // namespace

int main(int argc, char** argv) {
    add<tamis::f32>();
    add<tamis::f16>();
    add<tamis::bf16>();
    add<tamis::int8_by_row>();
    add<tamis::q8_0>();
    add<tamis::q4_0>();
    add<tamis::q4_1>();
    add<tamis::q5_0>();
    add<tamis::q5_1>();
    add<tamis::iq4_nl>();
    add<tamis::mxfp4>();
    add<tamis::fp8_by_row>();
    add<tamis::q2_k>();
    add<tamis::q3_k>();
    add<tamis::q4_k>();
    add<tamis::q5_k>();
    add<tamis::q6_k>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    tell_what_it_was_built_for();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
