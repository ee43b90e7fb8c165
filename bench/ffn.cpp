#include <tamis/exec/openmp.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/tamis.hpp>

#include "ffn_weights.hpp"
#include "peers.hpp"
#include "timing.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <random>

// A gated FFN with masks, against its own dense form (gate and up by neurons, down by outputs), against the best dense
// library, and against the rate at which the machine reads memory. All take turns within a row, on weights that no cache
// holds.
//
//     ffn/site:all_inputs/h:4096/d:14336/weights:bf16/density:0.50/threads:1
//
// density: random masks of that density; or top_p_0.9, a real mask over normal inputs. Counters, all of medians:
//   stream_fraction  bytes of the weights read / time, over the rate of a plain reading sum of the same memory by as many
//                    threads (stream_gb_per_s)
//   vs_dense         own dense time / time;   ideal: bytes of the dense FFN / bytes read;   reached: the one over the other
//   vs_best_dense    time of the quickest library's three products / time (vs_eigen, vs_openblas, vs_onednn: each)
//   mask_share       share of the time that is spent on making masks (real masks only)
//   tokens           of a block, each with masks of its own; over_union: time over that of streaming the bytes read
//
//     ffn/prefill/h:2048/d:8192/weights:bf16/tokens:64
//
// The same block by prefill; vs_rows: time by the kernels that read active rows / time.

namespace {

using tamis::glu_ffn;
using tamis::glu_weights;

/// Random masks of a density, made beforehand and taken in turn: what remains of a selector's time is a copy.
class random_masks {
  public:
    random_masks(std::size_t n, double density) : words_{tamis::mask_words(n)}, all_(count * words_) {
        std::mt19937_64 random{n};
        std::bernoulli_distribution keep{density};
        for (std::size_t k = 0; k < count; ++k) {
            const tamis::mask_span mask{std::span{all_}.subspan(k * words_, words_), n};
            for (std::size_t i = 0; i < n; ++i) {
                mask.set(i, keep(random));
            }
        }
    }
    std::span<const std::uint64_t> next() {
        turn_ = (turn_ + 1) % count;
        return std::span{all_}.subspan(turn_ * words_, words_);
    }

  private:
    static constexpr std::size_t count = 61;
    std::size_t words_;
    std::vector<std::uint64_t> all_;
    std::size_t turn_ = 0;
};

/// A selector that copies the next mask.
struct next_mask {
    random_masks* masks;
    void select(std::span<const float>, tamis::mask_span out, tamis::workspace) const {
        const auto from = masks->next();
        std::memcpy(out.words().data(), from.data(), from.size_bytes());
    }
    static std::size_t selection_bytes(std::size_t) { return 0; }
};

/// A rule whose time is counted.
template <class Rule>
struct timed {
    Rule rule;
    double* seconds;
    void select(std::span<const float> values, tamis::mask_span out, tamis::workspace w) const {
        const auto start = clock_type::now();
        tamis::select(rule, values, out, w);
        *seconds += std::chrono::duration<double>(clock_type::now() - start).count();
    }
    std::size_t selection_bytes(std::size_t n) const { return tamis::selection_bytes(rule, n); }
};

enum class sites { dense, input, gate, up, intermediate, all_inputs };
constexpr const char* names[] = {"dense", "input", "gate", "up", "intermediate", "all_inputs"};

template <class F, sites Sites, class Selector>
auto ffn_at(const weight_memory& memory, std::size_t copy, std::size_t h, std::size_t d, Selector of_inputs,
            Selector of_neurons) {
    const tamis::silu sigma;
    if constexpr (Sites == sites::input) {
        return glu_ffn{weights_at<F, true, false>(memory, copy, h, d), sigma, tamis::at_input(of_inputs)};
    } else if constexpr (Sites == sites::gate) {
        return glu_ffn{weights_at<F, false, true>(memory, copy, h, d), sigma, tamis::at_gate(of_neurons)};
    } else if constexpr (Sites == sites::up) {
        return glu_ffn{weights_at<F, false, true>(memory, copy, h, d), sigma, tamis::at_up(of_neurons)};
    } else if constexpr (Sites == sites::intermediate) {
        return glu_ffn{weights_at<F, false, true>(memory, copy, h, d), sigma,
                       tamis::at_intermediate(of_neurons)};
    } else if constexpr (Sites == sites::all_inputs) {
        return glu_ffn{weights_at<F, true, true>(memory, copy, h, d), sigma, tamis::at_input(of_inputs),
                       tamis::at_intermediate(of_neurons)};
    } else {
        return glu_ffn{weights_at<F, false, false>(memory, copy, h, d), sigma};
    }
}

/// What one row is about.
struct shape {
    std::size_t h, d, threads, tokens;
};

/// The three products of a dense FFN by another library.
template <class Gemv>
class peer {
  public:
    peer(const shape& s, peer_type type, const std::vector<float>& x)
        : up_{s.d, s.h, type, static_cast<int>(s.threads)},
          down_{s.h, s.d, type, static_cast<int>(s.threads)},
          neurons_(s.d, 0.01f),
          y_(s.h) {
        up_.take(x.data());
        down_.take(neurons_.data());
    }
    double seconds(const weight_memory& memory, std::size_t copy) {
        return seconds_of([&] {
            up_(memory.matrix(copy, 0), neurons_.data());
            up_(memory.matrix(copy, 1), neurons_.data());
            down_(memory.matrix(copy, 2), y_.data());
            benchmark::DoNotOptimize(y_.data());
        });
    }

  private:
    Gemv up_, down_;
    std::vector<float> neurons_, y_;
};

template <class Gemv>
void compare_with(benchmark::State& state, const shape& s, peer_type type, const std::vector<float>& x,
                  const weight_memory& memory, double ours, double& best) {
    if (!Gemv::supports(type, static_cast<int>(s.threads))) {
        return;
    }
    peer<Gemv> other{s, type, x};
    samples times;
    for (std::size_t i = 0; i < 7; ++i) {
        times.add(other.seconds(memory, i % memory.copies()));
    }
    const double ratio = times.median() / ours;
    state.counters[std::string{"vs_"} + Gemv::name()] = ratio;
    best = best == 0 ? ratio : std::min(best, ratio);
}

template <class F, sites Sites, class Threads, class Selector>
void run(benchmark::State& state, const shape& s, const Threads& threads, Selector of_inputs,
         Selector of_neurons, const double& mask_seconds) {
    const weight_memory& memory = memory_for(F::row_bytes(s.h) * s.d, F::row_bytes(s.d) * s.h);
    std::mt19937 random{1};
    std::normal_distribution<float> normal;
    std::vector<float> x(s.h * s.tokens);
    std::vector<float> y(s.h * s.tokens);
    for (float& value : x) {
        value = normal(random);
    }
    const tamis::block<const float> tokens{x.data(), s.tokens, s.h};
    const auto make = [&](std::size_t copy) {
        return ffn_at<F, Sites>(memory, copy, s.h, s.d, of_inputs, of_neurons);
    };
    const auto dense_at = [&](std::size_t copy) {
        return glu_ffn{weights_at<F, false, false>(memory, copy, s.h, s.d), tamis::silu{}};
    };
    tamis::owned_workspace scratch{
        std::max(make(0).workspace_bytes(threads, s.tokens), dense_at(0).workspace_bytes(threads, s.tokens))};
    samples times, dense_times, rates, masks;
    tamis::traffic read;
    std::size_t calls = 0;
    std::size_t copy = 0;
    const auto next = [&] { return copy = (copy + 1) % memory.copies(); };
    const auto call = [&](const auto& ffn, tamis::traffic& told) {
        return seconds_of([&] {
            told += ffn(tokens, tamis::block<float>{y.data(), s.tokens, s.h}, scratch, threads);
            benchmark::DoNotOptimize(y.data());
        });
    };
    for (auto _ : state) {
        const double before = mask_seconds;
        const double took = call(make(next()), read);
        state.SetIterationTime(took);
        times.add(took);
        masks.add((mask_seconds - before) / took);
        ++calls;
        tamis::traffic ignored;
        dense_times.add(call(dense_at(next()), ignored));
        rates.add(memory.stream(next(), threads));
    }
    const double time = times.median();
    const double rate = rates.median();
    const double bytes = static_cast<double>(read.bytes_read) / static_cast<double>(calls);
    const double ideal =
        static_cast<double>(read.bytes_dense - read.bytes_shared) / static_cast<double>(read.bytes_read);
    state.counters["stream_gb_per_s"] = rate * 1e-9;
    state.counters["stream_fraction"] = bytes / time / rate;
    if (s.tokens > 1) {
        state.counters["over_union"] = time / (bytes / rate);
        state.counters["union"] = 1 / ideal;
        return;
    }
    state.counters["vs_dense"] = dense_times.median() / time;
    state.counters["ideal"] = ideal;
    state.counters["reached"] = dense_times.median() / time / ideal;
    if (mask_seconds > 0) {
        state.counters["mask_share"] = masks.median();
    }
    constexpr bool peers_have_it = std::is_same_v<F, tamis::f32> || std::is_same_v<F, tamis::bf16>;
    if constexpr (peers_have_it && (Sites == sites::dense || Sites == sites::all_inputs)) {
        const peer_type type = std::is_same_v<F, tamis::f32> ? peer_type::f32 : peer_type::bf16;
        double best = 0;
        compare_with<eigen_gemv>(state, s, type, x, memory, time, best);
#ifdef TAMIS_BENCH_OPENBLAS
        compare_with<openblas_gemv>(state, s, type, x, memory, time, best);
#endif
#ifdef TAMIS_BENCH_ONEDNN
        compare_with<onednn_gemv>(state, s, type, x, memory, time, best);
#endif
        state.counters["vs_best_dense"] = best;
    }
}

template <class F, sites Sites, class Selector>
void run_on(benchmark::State& state, const shape& s, Selector of_inputs, Selector of_neurons,
            const double& mask_seconds) {
    if (s.threads == 1) {
        run<F, Sites>(state, s, tamis::serial{}, of_inputs, of_neurons, mask_seconds);
    } else {
        run<F, Sites>(state, s, tamis::openmp{s.threads}, of_inputs, of_neurons, mask_seconds);
    }
}

void add_row(const char* site, const char* format, const shape& s, const char* density,
             void (*benchmark_of)(benchmark::State&, const shape&, double), double value) {
    char name[160];
    char block[32] = "";
    if (s.tokens > 1) {
        std::snprintf(block, sizeof block, "/tokens:%zu", s.tokens);
    }
    std::snprintf(name, sizeof name, "ffn/site:%s/h:%zu/d:%zu/weights:%s/density:%s/threads:%zu%s", site, s.h,
                  s.d, format, density, s.threads, block);
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { benchmark_of(state, s, value); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

/// Many tokens, by the kernels of few and by dense products.
template <class F>
void add_prefill(std::size_t h, std::size_t d, std::size_t count) {
    char name[96];
    std::snprintf(name, sizeof name, "ffn/prefill/h:%zu/d:%zu/weights:%s/tokens:%zu", h, d, F::name, count);
    benchmark::RegisterBenchmark(
        name,
        [=](benchmark::State& state) {
            const weight_memory& memory = memory_for(F::row_bytes(h) * d, F::row_bytes(d) * h);
            random_masks of_inputs{h, 0.5};
            random_masks of_neurons{d, 0.5};
            const auto ffn =
                ffn_at<F, sites::all_inputs>(memory, 0, h, d, next_mask{&of_inputs}, next_mask{&of_neurons});
            const std::vector<float> x(h * count, 0.01f);
            std::vector<float> y(h * count);
            tamis::owned_workspace scratch{
                std::max(tamis::prefill_workspace_bytes(ffn, count),
                         ffn.workspace_bytes(tamis::serial{}, tamis::most_tokens))};
            const tamis::block<const float> in{x.data(), count, h};
            const tamis::block<float> out{y.data(), count, h};
            samples dense, rows;
            for (auto _ : state) {
                dense.add(seconds_of([&] { tamis::prefill(ffn, in, out, scratch); }));
                rows.add(seconds_of([&] { ffn(in, out, scratch); }));
                state.SetIterationTime(dense.median());
            }
            state.counters["vs_rows"] = rows.median() / dense.median();
        })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

template <class F, sites Sites>
void add_random(const shape& s, double density) {
    char text[16];
    std::snprintf(text, sizeof text, "%.2f", density);
    add_row(
        names[static_cast<int>(Sites)], F::name, s, text,
        [](benchmark::State& state, const shape& of, double value) {
            random_masks of_inputs{of.h, value};
            random_masks of_neurons{of.d, value};
            run_on<F, Sites>(state, of, next_mask{&of_inputs}, next_mask{&of_neurons}, 0.0);
        },
        density);
}

template <class F>
void add_top_p(const shape& s, double p) {
    char text[16];
    std::snprintf(text, sizeof text, "top_p_%g", p);
    add_row(
        "all_inputs", F::name, s, text,
        [](benchmark::State& state, const shape& of, double value) {
            double seconds = 0;
            const timed<tamis::top_p> rule{tamis::top_p{value}, &seconds};
            run_on<F, sites::all_inputs>(state, of, rule, rule, seconds);
        },
        p);
}

template <class F>
void add_format() {
    constexpr std::size_t shapes[][2] = {{896, 4864}, {2048, 8192}, {4096, 14336}};
    for (const auto& [h, d] : shapes) {
        for (const std::size_t threads : {1u, 2u}) {
            const shape s{h, d, threads, 1};
            add_random<F, sites::dense>(s, 1.0);
            for (const double density : {1.0, 0.95, 0.9, 0.7, 0.5, 0.3, 0.1}) {
                add_random<F, sites::all_inputs>(s, density);
            }
            add_random<F, sites::input>(s, 0.5);
            add_random<F, sites::gate>(s, 0.5);
            add_random<F, sites::up>(s, 0.5);
            add_random<F, sites::intermediate>(s, 0.5);
            add_top_p<F>(s, 0.9);
        }
        if (h != 896) {
            for (const std::size_t tokens : {2u, 4u, 8u, 16u}) {
                add_random<F, sites::all_inputs>({h, d, 1, tokens}, 0.5);
            }
        }
    }
    for (const std::size_t tokens : {16u, 32u, 64u, 128u}) {
        add_prefill<F>(2048, 8192, tokens);
    }
}

[[maybe_unused]] const bool registered = [] {
    add_format<tamis::f32>();
    add_format<tamis::f16>();
    add_format<tamis::bf16>();
    add_format<tamis::int8_by_row>();
    add_format<tamis::q8_0>();
    add_format<tamis::q4_0>();
    return true;
}();

} // namespace
