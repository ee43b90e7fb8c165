#include <tamis/eigen.hpp>
#include <tamis/tamis.hpp>

#include "comparators.hpp"
#include "inputs.hpp"
#include "timing.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>

// Masks by the rules, against sorting, selecting and counting the same values.
//
//     select/top_p/n:14336/dist:llm/type:f32
//
// A call gets values that have just been written, as a layer's are: the next of 256 spans, copied before the clock
// starts. Time: the mask. Counters, all medians over calls that take turns within the row:
//   indices         microseconds for the list of the active indices (select_indices)
//   vs_sort, vs_nth_element, vs_histogram   such a comparator's time over that (comparators.hpp)
//   passes          time of the threshold search alone over that of one SIMD sum of |v| over the same values
//   ffn_share       time over that of a dense gated FFN of 4096 x 14336 in bf16, one thread, measured here
//   density         active entries over all

namespace {

/// A dense FFN of 4096 x 14336 in bf16: 352 MB of weights, no cache holds them.
double ffn_seconds() {
    static const double seconds = [] {
        constexpr std::size_t h = 4096;
        constexpr std::size_t d = 14336;
        const std::unique_ptr<std::uint16_t[]> weights{new std::uint16_t[3 * h * d]};
        std::fill_n(weights.get(), 3 * h * d, std::uint16_t{0x3c00});
        const auto matrix = [&](std::size_t which) { return weights.get() + which * h * d; };
        const tamis::glu_ffn ffn{
            tamis::glu_weights{tamis::matrix<tamis::bf16, tamis::neuron_major>{matrix(0), d, h},
                               tamis::matrix<tamis::bf16, tamis::neuron_major>{matrix(1), d, h},
                               tamis::matrix<tamis::bf16, tamis::output_major>{matrix(2), h, d}},
            tamis::silu{}};
        tamis::owned_workspace scratch{ffn.workspace_bytes()};
        const std::vector<float> x(h, 0.01f);
        std::vector<float> y(h);
        double best = 1e9;
        for (int i = 0; i < 4; ++i) {
            best = std::min(best, seconds_of([&] { ffn(x, y, scratch); }));
        }
        return best;
    }();
    return seconds;
}

/// The share that a comparator needs to make the same mask; none for rules that they do not serve.
template <class Rule>
constexpr double share_of(const Rule& rule) {
    if constexpr (requires { rule.p(); } && !std::is_same_v<Rule, tamis::max_p>) {
        return rule.p();
    } else {
        return 0;
    }
}

template <class T, class Rule>
void run(benchmark::State& state, const Rule& rule, std::size_t n, dist d) {
    using real = tamis::real_of<T>;
    const auto& all = inputs<T>(d, n);
    tamis::owned_workspace memory{tamis::workspace_bytes_of<T>(n) +
                                  tamis::workspace_bytes_of<std::uint32_t>(n)};
    tamis::workspace rest = memory; // cache lines, as engines align activations
    const std::span<T> values = rest.take<T>(n);
    const std::span<std::uint32_t> indices = rest.take<std::uint32_t>(n);
    tamis::mask mask{n};
    tamis::owned_workspace scratch{tamis::active_selection_bytes(rule, n)};
    comparators others{n};
    samples masks, with_indices, searches, sums, sorts, nths, histograms;
    double active = 0;
    std::size_t turn = 0;
    const auto next = [&] {
        std::memcpy(values.data(), all[turn++ % all.size()].data(), n * sizeof(T));
        benchmark::ClobberMemory();
    };
    for (auto _ : state) {
        next();
        const double took = seconds_of([&] { tamis::select(rule, values, mask.span(), scratch); });
        state.SetIterationTime(took);
        masks.add(took);
        active += static_cast<double>(mask.count());
        if (with_indices.size() > 2000) {
            continue;
        }
        next();
        with_indices.add(seconds_of(
            [&] { benchmark::DoNotOptimize(tamis::select_indices(rule, values, indices, scratch)); }));
        if constexpr (std::is_same_v<T, real> && tamis::rule<Rule>) {
            const std::span<const real> signed_scores{values};
            next();
            searches.add(seconds_of([&] {
                benchmark::DoNotOptimize(tamis::cut_of(rule, tamis::scores<real>{signed_scores}, scratch));
            }));
            next();
            sums.add(seconds_of([&] { benchmark::DoNotOptimize(tamis::detail::weigh_all(signed_scores)); }));
        }
        if (with_indices.size() % 16 != 1 || sorts.size() > 40) {
            continue;
        }
        const std::span<const T> view{values};
        const double p = share_of(rule);
        if (p > 0) {
            next();
            sorts.add(seconds_of([&] { benchmark::DoNotOptimize(others.sort_top_p(view, p)); }));
            next();
            histograms.add(seconds_of([&] { benchmark::DoNotOptimize(others.histogram_top_p(view, p)); }));
        }
        const std::size_t count = mask.count();
        next();
        nths.add(
            seconds_of([&] { benchmark::DoNotOptimize(others.nth_element(view, std::min(count, n - 1))); }));
    }
    const double whole = with_indices.median();
    const auto compare = [&](const char* name, samples& other, double ours) {
        if (!other.empty()) {
            state.counters[name] = other.median() / ours;
        }
    };
    state.counters["indices"] = whole * 1e6;
    compare("vs_sort", sorts, whole);
    compare("vs_nth_element", nths, whole);
    compare("vs_histogram", histograms, whole);
    if (!sums.empty()) {
        state.counters["passes"] = searches.median() / sums.median();
    }
    if ((d == dist::llm || d == dist::massive) && (n == 4096 || n == 14336)) {
        state.counters["ffn_share"] = masks.median() / ffn_seconds();
    }
    state.counters["density"] = active / static_cast<double>(n) / static_cast<double>(state.iterations());
}

template <class T, class Rule>
void add(const char* rule_name, const Rule& rule, std::size_t n, dist d, const char* type) {
    char name[128];
    std::snprintf(name, sizeof name, "select/%s/n:%zu/dist:%s/type:%s", rule_name, n,
                  dist_names[static_cast<int>(d)], type);
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run<T>(state, rule, n, d); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

constexpr std::size_t widths[] = {896, 4096, 14336, 65536};

[[maybe_unused]] const bool registered = [] {
    const tamis::top_p top_p{0.9};
    const auto half = tamis::top_k::fraction(0.5);
    for (const dist d : all_dists) {
        for (const std::size_t n : widths) {
            add<float>("top_p", top_p, n, d, "f32");
            add<float>("top_k", half, n, d, "f32");
        }
    }
    add<float>("top_p", top_p, 1'000'000, dist::llm, "f32");
    add<float>("top_k", half, 1'000'000, dist::llm, "f32");
    for (const std::size_t n : widths) {
        add<double>("top_p", top_p, n, dist::llm, "f64");
        add<Eigen::half>("top_p", top_p, n, dist::llm, "f16");
        add<Eigen::bfloat16>("top_p", top_p, n, dist::llm, "bf16");
        add<std::int8_t>("top_p", top_p, n, dist::llm, "int8");
    }
    static const std::vector<float> norms(65536, 1.5f);
    for (const std::size_t n : widths) {
        const tamis::weighted weighted{std::span{norms}.first(n)};
        add<float>("top_p_power_2", tamis::top_p_power(0.9, 2), n, dist::llm, "f32");
        add<float>("top_p_weighted", tamis::scored{weighted, top_p}, n, dist::llm, "f32");
        add<float>("max_p", tamis::max_p{0.05}, n, dist::llm, "f32");
        add<float>("threshold", tamis::threshold{0.5}, n, dist::llm, "f32");
        add<float>("nonzero", tamis::nonzero{}, n, dist::relu, "f32");
        add<float>("top_p_guarded", tamis::guarded{64, top_p}, n, dist::massive, "f32");
        add<float>("cett", tamis::cett(std::span{norms}.first(n), 0.5), n, dist::llm, "f32");
    }
    return true;
}();

} // namespace
