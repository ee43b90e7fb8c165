#include <tamis/tamis.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

// A gated FFN with random masks of a given density, against the same FFN without masks in its best dense
// layout (gate and up by neurons, down by outputs). Both are timed in turns within one row, on weights that
// are rotated through at least 512 MiB, so that no cache holds them.
//
//     ffn/site:input/h:2048/d:8192/weights:bf16/density:0.50/threads:1
//
// vs_dense: dense time / time. bytes_per_second: weights read / time. bytes_read: of those of the dense FFN.

namespace {

using tamis::bf16;
using tamis::f32;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t rotated_bytes = std::size_t{512} << 20;

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

/// Matrices of one size behind each other in memory; copy c of matrix m.
class weight_memory {
  public:
    explicit weight_memory(std::size_t bytes_of_matrix)
        : stride_{(bytes_of_matrix + 4095) / 4096 * 4096},
          copies_{rotated_bytes / (3 * stride_) + 1},
          data_{new std::byte[3 * copies_ * stride_]} {
        // Bytes that are small numbers in any format: 0x3c3c, 0x3cbc and the like.
        std::uint32_t state = 1;
        for (std::size_t i = 0; i + 1 < 3 * copies_ * stride_; i += 2) {
            state = state * 1664525u + 1013904223u;
            data_[i] = static_cast<std::byte>(state >> 24);
            data_[i + 1] = static_cast<std::byte>(0x3c | (state >> 8 & 0x80));
        }
    }
    std::size_t copies() const { return copies_; }
    const std::byte* matrix(std::size_t copy, std::size_t which) const {
        return data_.get() + (3 * copy + which) * stride_;
    }

  private:
    std::size_t stride_, copies_;
    std::unique_ptr<std::byte[]> data_;
};

/// One for all rows: gibibytes are not filled twice.
const weight_memory& memory_for(std::size_t bytes_of_matrix) {
    static std::unique_ptr<weight_memory> memory;
    static std::size_t bytes = 0;
    if (bytes != bytes_of_matrix) {
        memory.reset();
        memory = std::make_unique<weight_memory>(bytes_of_matrix);
        bytes = bytes_of_matrix;
    }
    return *memory;
}

template <class F, bool ByInputs, bool ByNeurons>
auto weights_at(const weight_memory& memory, std::size_t copy, std::size_t h, std::size_t d) {
    using up_layout = std::conditional_t<ByInputs, tamis::input_major, tamis::neuron_major>;
    using down_layout = std::conditional_t<ByNeurons, tamis::neuron_major, tamis::output_major>;
    const auto up_at = [&](std::size_t which) {
        return tamis::matrix<F, up_layout>{memory.matrix(copy, which), ByInputs ? h : d, ByInputs ? d : h};
    };
    return tamis::glu_weights{up_at(0), up_at(1),
                              tamis::matrix<F, down_layout>{memory.matrix(copy, 2), ByNeurons ? d : h,
                                                            ByNeurons ? h : d}};
}

enum class sites { dense, input, gate, up, intermediate, all_inputs };
constexpr const char* names[] = {"dense", "input", "gate", "up", "intermediate", "all_inputs"};

template <class F, sites Sites>
auto ffn_at(const weight_memory& memory, std::size_t copy, std::size_t h, std::size_t d, next_mask of_inputs,
            next_mask of_neurons) {
    if constexpr (Sites == sites::input) {
        return tamis::glu_ffn{weights_at<F, true, false>(memory, copy, h, d), tamis::silu{},
                              tamis::at_input(of_inputs)};
    } else if constexpr (Sites == sites::gate) {
        return tamis::glu_ffn{weights_at<F, false, true>(memory, copy, h, d), tamis::silu{},
                              tamis::at_gate(of_neurons)};
    } else if constexpr (Sites == sites::up) {
        return tamis::glu_ffn{weights_at<F, false, true>(memory, copy, h, d), tamis::silu{},
                              tamis::at_up(of_neurons)};
    } else if constexpr (Sites == sites::intermediate) {
        return tamis::glu_ffn{weights_at<F, false, true>(memory, copy, h, d), tamis::silu{},
                              tamis::at_intermediate(of_neurons)};
    } else if constexpr (Sites == sites::all_inputs) {
        return tamis::glu_ffn{weights_at<F, true, true>(memory, copy, h, d), tamis::silu{},
                              tamis::at_input(of_inputs), tamis::at_intermediate(of_neurons)};
    } else {
        return tamis::glu_ffn{weights_at<F, false, false>(memory, copy, h, d), tamis::silu{}};
    }
}

template <class Ffn>
double seconds_of(const Ffn& ffn, const std::vector<float>& x, std::vector<float>& y, tamis::workspace w,
                  tamis::traffic& read) {
    const auto start = clock_type::now();
    read += ffn(x, y, w);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

template <class F, sites Sites>
void run(benchmark::State& state, std::size_t h, std::size_t d, double density) {
    const weight_memory& memory = memory_for(F::row_bytes(h) * d);
    random_masks input_masks{h, density};
    random_masks neuron_masks{d, density};
    const auto make = [&](std::size_t copy) {
        return ffn_at<F, Sites>(memory, copy, h, d, {&input_masks}, {&neuron_masks});
    };
    std::vector<float> x(h);
    std::vector<float> y(h);
    std::mt19937 random{1};
    std::normal_distribution<float> normal;
    for (float& value : x) {
        value = normal(random);
    }
    tamis::owned_workspace scratch{make(0).workspace_bytes()};
    double seconds = 0;
    double dense_seconds = 0;
    tamis::traffic read;
    tamis::traffic dense_read;
    std::size_t copy = 0;
    for (auto _ : state) {
        const double took = seconds_of(make(copy), x, y, scratch, read);
        copy = (copy + 1) % memory.copies();
        state.SetIterationTime(took);
        seconds += took;
        dense_seconds +=
            seconds_of(tamis::glu_ffn{weights_at<F, false, false>(memory, copy, h, d), tamis::silu{}}, x, y,
                       scratch, dense_read);
        copy = (copy + 1) % memory.copies();
    }
    state.counters["vs_dense"] = dense_seconds / seconds;
    state.counters["bytes_read"] =
        static_cast<double>(read.bytes_read) / static_cast<double>(read.bytes_dense);
    state.counters["bytes_per_second"] =
        benchmark::Counter(static_cast<double>(read.bytes_read) / seconds, benchmark::Counter::kDefaults,
                           benchmark::Counter::kIs1000);
}

template <class F, sites Sites>
void add(std::size_t h, std::size_t d, double density) {
    char name[128];
    std::snprintf(name, sizeof name, "ffn/site:%s/h:%zu/d:%zu/weights:%s/density:%.2f/threads:1",
                  names[static_cast<int>(Sites)], h, d, F::name, density);
    benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run<F, Sites>(state, h, d, density); })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

template <class F>
void add_format(std::size_t h, std::size_t d) {
    add<F, sites::dense>(h, d, 1.0);
    for (const double density : {0.5, 0.25}) {
        add<F, sites::input>(h, d, density);
        add<F, sites::gate>(h, d, density);
        add<F, sites::up>(h, d, density);
        add<F, sites::intermediate>(h, d, density);
        add<F, sites::all_inputs>(h, d, density);
    }
}

[[maybe_unused]] const bool registered = [] {
    add_format<f32>(896, 4864);
    add_format<bf16>(896, 4864);
    add_format<f32>(2048, 8192);
    add_format<bf16>(2048, 8192);
    return true;
}();

} // namespace
