#include <tamis/tamis.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

// Masks by the rules, against what sorting or selecting the same magnitudes costs. Every call gets other
// values, since the branch predictor learns repeated ones; the three are timed in turns within one row.
//
//     select/top_p/n:14336/dist:normal/type:f32
//
// vs_sort: time of std::sort of |v| / time; vs_nth_element: of std::nth_element at the middle. Copying |v|
// counts for all three.

namespace {

using clock_type = std::chrono::steady_clock;

/// Sorting takes many times as long as a mask does: the comparisons are made at one call of so many.
constexpr std::size_t every = 17;

enum class dist { normal, llm, relu };
constexpr const char* names[] = {"normal", "llm", "relu"};

/// `normal`; `llm`: heavy-tailed, as the intermediate of SwiGLU models, a product of two; `relu`: 89 % zeros.
std::vector<std::vector<float>> inputs(dist d, std::size_t n) {
    std::mt19937 random{static_cast<unsigned>(n)};
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> uniform;
    std::vector<std::vector<float>> all(std::max<std::size_t>(64, (std::size_t{1} << 20) / n),
                                        std::vector<float>(n));
    for (auto& values : all) {
        for (float& value : values) {
            value = normal(random);
            if (d == dist::llm) {
                value *= std::exp(normal(random));
            } else if (d == dist::relu) {
                value = uniform(random) < 0.89f ? 0.0f : std::fabs(value);
            }
        }
    }
    return all;
}

template <class F>
double seconds_of(F&& f) {
    const auto start = clock_type::now();
    f();
    benchmark::ClobberMemory();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

void copy_magnitudes(const std::vector<float>& from, std::vector<float>& to) {
    std::transform(from.begin(), from.end(), to.begin(), [](float v) { return std::fabs(v); });
}

template <class Rule>
void run(benchmark::State& state, const Rule& rule, std::size_t n, dist d) {
    const auto all = inputs(d, n);
    tamis::mask mask{n};
    tamis::owned_workspace scratch{tamis::selection_bytes(rule, n)};
    std::vector<float> magnitudes(n);
    double seconds = 0;
    double sort_seconds = 0;
    double nth_seconds = 0;
    double active = 0;
    std::size_t turn = 0;
    std::size_t compared = 0;
    for (auto _ : state) {
        const std::vector<float>& values = all[turn++ % all.size()];
        const double took = seconds_of([&] { tamis::select(rule, values, mask.span(), scratch); });
        state.SetIterationTime(took);
        seconds += took;
        active += static_cast<double>(mask.count());
        if ((turn - 1) % every != 0) {
            continue;
        }
        ++compared;
        nth_seconds += seconds_of([&] {
            copy_magnitudes(values, magnitudes);
            std::nth_element(magnitudes.begin(), magnitudes.begin() + static_cast<std::ptrdiff_t>(n / 2),
                             magnitudes.end());
        });
        sort_seconds += seconds_of([&] {
            copy_magnitudes(values, magnitudes);
            std::sort(magnitudes.begin(), magnitudes.end());
        });
    }
    if (compared > 0) {
        const double one = seconds / static_cast<double>(state.iterations());
        state.counters["vs_sort"] = sort_seconds / static_cast<double>(compared) / one;
        state.counters["vs_nth_element"] = nth_seconds / static_cast<double>(compared) / one;
    }
    state.counters["density"] = active / static_cast<double>(n) / static_cast<double>(state.iterations());
}

template <class Rule>
void add(const char* rule_name, const Rule& rule) {
    for (const std::size_t n : {896u, 4096u, 14336u}) {
        for (const dist d : {dist::normal, dist::llm, dist::relu}) {
            char name[128];
            std::snprintf(name, sizeof name, "select/%s/n:%zu/dist:%s/type:f32", rule_name, n,
                          names[static_cast<int>(d)]);
            benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run(state, rule, n, d); })
                ->UseManualTime()
                ->Unit(benchmark::kMicrosecond);
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    add("top_p", tamis::top_p{0.9});
    add("top_k", tamis::top_k::fraction(0.5));
    add("max_p", tamis::max_p{0.05});
    add("threshold", tamis::threshold{0.5});
    return true;
}();

} // namespace
