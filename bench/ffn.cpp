#include <tamis/exec/openmp.hpp>
#include <tamis/ffn/in_bf16.hpp>
#include <tamis/ffn/in_int8.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/format/q4_k.hpp>
#include <tamis/tamis.hpp>

#include "built_for.hpp"
#include "ffn_masks.hpp"
#include "ffn_weights.hpp"
#include "peers.hpp"
#include "timing.hpp"
#ifdef TAMIS_BENCH_GGML
#include "ggml_peer.hpp"
#endif

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

// A gated FFN with masks, against its own dense form (gate and up by neurons, down by outputs), against llama.cpp's own
// (ggml) in the same format, against the best dense library, and against the rate at which the machine reads memory. All but
// the libraries take turns within a row, on weights that no cache holds.
//
//     ffn/site:all_inputs/h:4096/d:14336/weights:bf16/density:0.50/threads:1
//
// site: where random masks of the density are; neurons: masks known before (at_neurons). density: or top_p_0.9, a real mask
// over normal inputs. Counters, all of medians:
//   stream_fraction  bytes of the weights read / time, over the rate of a plain reading sum of the same memory by as many
//                    threads (stream_gb_per_s)
//   vs_dense         own dense time / time;   ideal: bytes of the dense FFN / bytes read;   reached: the one over the other
//   vs_ggml          time of ggml's dense FFN, its best way / time (vs_ggml_plain, vs_ggml_cpu_repack ...: each);
//                    ggml_apart: how far its y is from ours, |y - y'| / |y| (it rounds activations)
//   rounded          time / that of the same by in_int8 or in_bf16, where the target has it; rounded_vs_ggml: as vs_ggml
//   vs_best_dense    time of the quickest library's three products / time (vs_eigen, vs_openblas, vs_onednn: each)
//   mask_share       share of the time that is spent on making masks (real masks only)
//   tokens           of a block, each with masks of its own; over_union: time over that of streaming the bytes read
//
//     ffn/prefill/h:2048/d:8192/weights:bf16/tokens:64
//
// The same block by prefill; vs_rows: time by the kernels that read active rows / time.
//
// --benchmark_min_time: how long each row times its own FFN, roughly; 3 turns at least, 11 from 0.05 on.
// The file's context names the processor, the instruction set of this program, and ggml's.

namespace {

using tamis::glu_ffn;
using tamis::glu_weights;

enum class sites { dense, input, gate, up, intermediate, all_inputs, neurons };
constexpr const char* names[] = {"dense", "input", "gate", "up", "intermediate", "all_inputs", "neurons"};

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
    } else if constexpr (Sites == sites::neurons) {
        return glu_ffn{weights_at<F, false, true>(memory, copy, h, d), sigma, tamis::at_neurons(of_neurons)};
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

#ifdef TAMIS_BENCH_GGML
/// ggml's own form of a format; COUNT where it has none.
template <class F>
constexpr ggml_type ggml_type_of() {
    if constexpr (std::is_same_v<F, tamis::f32>) {
        return GGML_TYPE_F32;
    } else if constexpr (std::is_same_v<F, tamis::f16>) {
        return GGML_TYPE_F16;
    } else if constexpr (std::is_same_v<F, tamis::bf16>) {
        return GGML_TYPE_BF16;
    } else if constexpr (std::is_same_v<F, tamis::q8_0>) {
        return GGML_TYPE_Q8_0;
    } else if constexpr (std::is_same_v<F, tamis::q4_0>) {
        return GGML_TYPE_Q4_0;
    } else if constexpr (std::is_same_v<F, tamis::q4_k>) {
        return GGML_TYPE_Q4_K;
    } else {
        return GGML_TYPE_COUNT;
    }
}

/// ggml's ways, a turn each at a time.
template <class F>
class against_ggml {
  public:
    against_ggml(const weight_memory& memory, const shape& s, std::span<const float> x) {
        if (ggml_type_of<F>() != GGML_TYPE_COUNT && ggml_peer::device() != nullptr) {
            peer_ = &ggml_ffn_for(memory, ggml_type_of<F>(), s.h, s.d);
            peer_->prepare(x, s.tokens, s.threads);
            times_.resize(peer_->ways());
        }
    }
    template <class Next>
    void turn(const Next& next) {
        for (std::size_t way = 0; way < times_.size(); ++way) {
            times_[way].add(peer_->seconds(way, next()));
        }
    }
    /// `y`: what the own dense form makes of copy 0.
    void tell(benchmark::State& state, double ours, std::span<const float> y) {
        double best = 0;
        double apart = 0;
        for (std::size_t way = 0; way < times_.size(); ++way) {
            const double ratio = times_[way].median() / ours;
            state.counters["vs_ggml_" + peer_->name(way)] = ratio;
            best = best == 0 ? ratio : std::min(best, ratio);
            peer_->seconds(way, 0);
            const std::vector<float> theirs = peer_->y(way, 0);
            double off = 0;
            double all = 0;
            for (std::size_t i = 0; i < y.size(); ++i) {
                off += std::pow(static_cast<double>(theirs[i]) - static_cast<double>(y[i]), 2);
                all += std::pow(static_cast<double>(y[i]), 2);
            }
            apart = std::max(apart, std::sqrt(off / all));
        }
        if (peer_ != nullptr) {
            state.counters["vs_ggml"] = best;
            state.counters["ggml_apart"] = apart;
        }
    }

  private:
    ggml_ffn* peer_ = nullptr;
    std::vector<samples> times_;
};
#else
template <class F>
struct against_ggml {
    against_ggml(const weight_memory&, const shape&, std::span<const float>) {}
    template <class Next>
    void turn(const Next&) {}
    void tell(benchmark::State&, double, std::span<const float>) {}
};
#endif

/// What multiplies in integers or bf16 pairs where weights have this format, if the target has that.
template <class F>
constexpr bool has_rounded =
    tamis::int8_products<F>.rows_are_outputs || tamis::bf16_products<F>.rows_are_outputs;
template <class F, class Ffn>
auto rounded(Ffn ffn) {
    if constexpr (tamis::bf16_products<F>.rows_are_outputs) {
        return tamis::in_bf16{std::move(ffn)};
    } else {
        return tamis::in_int8{std::move(ffn)};
    }
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
        value = 0.1f * normal(random); // ggml's blocks of 8-bit activations end at 8e6
    }
    const tamis::block<const float> tokens{x.data(), s.tokens, s.h};
    const auto make = [&](std::size_t copy) {
        return ffn_at<F, Sites>(memory, copy, s.h, s.d, of_inputs, of_neurons);
    };
    const auto dense_at = [&](std::size_t copy) {
        return glu_ffn{weights_at<F, false, false>(memory, copy, s.h, s.d), tamis::silu{}};
    };
    std::size_t scratch_bytes =
        std::max(make(0).workspace_bytes(threads, s.tokens), dense_at(0).workspace_bytes(threads, s.tokens));
    if constexpr (has_rounded<F>) {
        scratch_bytes = std::max(scratch_bytes, rounded<F>(make(0)).workspace_bytes(threads, s.tokens));
    }
    tamis::owned_workspace scratch{scratch_bytes};
    samples times, dense_times, rates, masks, rounded_times;
    tamis::traffic read;
    std::size_t calls = 0;
    std::size_t copy = 0;
    const auto next = [&] { return copy = (copy + 1) % memory.copies(); };
    against_ggml<F> ggml{memory, s, x};
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
        if constexpr (has_rounded<F>) {
            rounded_times.add(call(rounded<F>(make(next())), ignored));
        }
        rates.add(memory.stream(next(), threads));
        ggml.turn(next);
    }
    const double time = times.median();
    const double rate = rates.median();
    const double bytes = static_cast<double>(read.bytes_read) / static_cast<double>(calls);
    const double ideal =
        static_cast<double>(read.bytes_dense - read.bytes_shared) / static_cast<double>(read.bytes_read);
    state.counters["stream_gb_per_s"] = rate * 1e-9;
    state.counters["stream_fraction"] = bytes / time / rate;
    state.counters["vs_dense"] = dense_times.median() / time;
    tamis::traffic ignored;
    call(dense_at(0), ignored);
    ggml.tell(state, time, y);
    if constexpr (has_rounded<F>) {
        state.counters["rounded"] = time / rounded_times.median();
        if (state.counters.count("vs_ggml") != 0) {
            state.counters["rounded_vs_ggml"] = state.counters["vs_ggml"] * state.counters["rounded"];
        }
    }
    if (s.tokens > 1) {
        state.counters["over_union"] = time / (bytes / rate);
        state.counters["union"] = 1 / ideal;
        return;
    }
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

/// From --benchmark_min_time, since the number of turns is not left to the benchmark's library, which would try out how many
/// it takes, comparators and all.
double seconds_a_row = 0.3;

/// How many turns a row takes that reads so many bytes at most, at 10 GB/s or so.
std::int64_t turns_of(double bytes) {
    const double wanted = seconds_a_row / (bytes * 1e-10);
    return static_cast<std::int64_t>(std::clamp(wanted, seconds_a_row < 0.05 ? 3.0 : 11.0, 501.0));
}

template <class F>
void add_row(const char* site, const shape& s, const char* density,
             void (*benchmark_of)(benchmark::State&, const shape&, double), double value) {
    char name[160];
    char block[32] = "";
    if (s.tokens > 1) {
        std::snprintf(block, sizeof block, "/tokens:%zu", s.tokens);
    }
    std::snprintf(name, sizeof name, "ffn/site:%s/h:%zu/d:%zu/weights:%s/density:%s/threads:%zu%s", site, s.h,
                  s.d, F::name, density, s.threads, block);
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { benchmark_of(state, s, value); })
        ->UseManualTime()
        ->Iterations(turns_of(3.0 * static_cast<double>(F::row_bytes(s.h) * s.d * s.tokens)))
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
    std::snprintf(text, sizeof text, density < 0.1 ? "%.3f" : "%.2f", density);
    add_row<F>(
        names[static_cast<int>(Sites)], s, text,
        [](benchmark::State& state, const shape& of, double value) {
            random_masks of_inputs{of.h, value};
            random_masks of_neurons{of.d, value};
            run_on<F, Sites>(state, of, next_mask{&of_inputs}, next_mask{&of_neurons}, 0.0);
        },
        density);
}

template <class F>
void add_top_p(const shape& s, double p) {
    char text[24];
    std::snprintf(text, sizeof text, "top_p_%g", p);
    add_row<F>(
        "all_inputs", s, text,
        [](benchmark::State& state, const shape& of, double value) {
            double seconds = 0;
            const timed<tamis::top_p> rule{tamis::top_p{value}, &seconds};
            run_on<F, sites::all_inputs>(state, of, rule, rule, seconds);
        },
        p);
}

template <class F>
void add_format() {
    // Shapes of several tokens, and of one with all of the sites, are few: a run is to end within half an hour.
    for (const std::size_t threads : {1u, 2u}) {
        const shape s{4096, 14336, threads, 1};
        add_random<F, sites::dense>(s, 1.0);
        for (const double density : {1.0, 0.95, 0.9, 0.7, 0.5, 0.3, 0.1}) {
            add_random<F, sites::all_inputs>(s, density);
        }
        add_random<F, sites::input>(s, 0.5);
        for (const double density : {0.5, 0.1}) {
            add_random<F, sites::gate>(s, density);
        }
        add_random<F, sites::up>(s, 0.5);
        add_random<F, sites::intermediate>(s, 0.5);
        add_top_p<F>(s, 0.9);
        for (const std::size_t tokens : {4u, 16u}) {
            add_random<F, sites::dense>({s.h, s.d, threads, tokens}, 1.0);
            add_random<F, sites::all_inputs>({s.h, s.d, threads, tokens}, 0.5);
        }
    }
    for (const std::size_t tokens : {2u, 8u}) {
        add_random<F, sites::all_inputs>({4096, 14336, 1, tokens}, 0.5);
    }

    for (const std::size_t threads : {1u, 2u}) {
        const shape gemma_3n{2048, 8192, threads, 1}; // 5 % are left behind its gate
        add_random<F, sites::dense>(gemma_3n, 1.0);
        for (const double density : {0.95, 0.9, 0.5}) {
            add_random<F, sites::all_inputs>(gemma_3n, density);
        }
        add_random<F, sites::gate>(gemma_3n, 0.05);

        const shape relu{2560, 6912, threads,
                         1}; // the neurons of Sparsing Law's 2.4B model that are left by ReLU
        add_random<F, sites::dense>(relu, 1.0);
        add_random<F, sites::gate>(relu, 0.065);
        add_random<F, sites::neurons>(relu, 0.065);
    }
    constexpr std::size_t small[][2] = {{576, 1536}, {640, 2048}, {896, 4864}, {2048, 768}};
    for (const auto& [h, d] : small) {
        if (tamis::detail::whole_block_format<F> && h % 256 != 0) {
            continue; // half a block is none
        }
        for (const std::size_t threads : {1u, 2u}) {
            const shape s{h, d, threads, 1};
            add_random<F, sites::dense>(s, 1.0);
            for (const double density : {0.95, 0.5}) {
                add_random<F, sites::all_inputs>(s, density);
            }
            add_top_p<F>(s, 0.9);
        }
    }
    for (const std::size_t tokens : {16u, 32u, 64u, 128u}) {
        add_prefill<F>(2048, 8192, tokens);
    }
}

} // namespace

int main(int argc, char** argv) {
    settle_peers(argv);
    constexpr std::string_view min_time{"--benchmark_min_time="};
    int kept = 0; // without it, which the library would only warn of
    for (int i = 0; i < argc; ++i) {
        const std::string_view argument{argv[i]};
        if (argument.substr(0, min_time.size()) == min_time) {
            seconds_a_row = std::strtod(argument.data() + min_time.size(), nullptr);
        } else {
            argv[kept++] = argv[i];
        }
    }
    argc = kept;
    add_format<tamis::f32>();
    add_format<tamis::f16>();
    add_format<tamis::bf16>();
    add_format<tamis::int8_by_row>();
    add_format<tamis::q8_0>();
    add_format<tamis::q4_0>();
    add_format<tamis::q4_k>();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 1;
    }
    tell_what_it_was_built_for();
#ifdef TAMIS_BENCH_GGML
    benchmark::AddCustomContext("ggml", ggml_peer::description());
#else
    benchmark::AddCustomContext("ggml", "not compared: its development package was not there");
#endif
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
