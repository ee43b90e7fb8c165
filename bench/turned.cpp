#include <tamis/detail/memory.hpp>
#include <tamis/ffn/int8_product.hpp>
#include <tamis/tamis.hpp>

#include "timing.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <random>
#include <vector>

// Sums of active rows of W_down, of 4096 outputs, of random neurons of a density: with blocks along the rows (as repack has them,
// each rounded once more) and down the columns (turned: the checkpoint's weights), in floats and in integers, in turns, one thread.
// Of 14336 neurons the matrices lie in 1200 MiB that are gone through, and of 256 in one place, which a second cache holds.
//
//   gb_per_s         bytes of the columns' rows and numbers over the time by columns, in floats (of which the row's time is)
//   rows             time by rows / that time
//   rows_int8, columns_int8   the same of those in integers: above 1 is slower than by columns in floats

namespace {

constexpr std::size_t h = 4096;

/// Memory of some random bits, in which all matrices lie: their weights do not matter, if they are finite.
const tamis::aligned_memory& some_memory() {
    static const tamis::aligned_memory memory = [] {
        tamis::aligned_memory made{std::size_t{1200} << 20};
        std::uint64_t state = 1;
        for (std::size_t i = 0; i + 8 <= made.size(); i += 8) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const std::uint64_t bits = ((state >> 7 ^ state) & 0x3b3b3b3b3b3b3b3bu) | 0x0202020202020202u;
            std::memcpy(made.bytes().data() + i, &bits, sizeof bits);
        }
        return made;
    }();
    return memory;
}

template <class F>
tamis::matrix<F, tamis::neuron_major> next_matrix(std::size_t d, std::size_t bytes) {
    static std::size_t turn = 0;
    const auto all = some_memory().bytes();
    bytes = (bytes + 4095) / 4096 * 4096 + 64 * 1024;
    const std::size_t places = d == 256 ? 1 : all.size() / bytes;
    return {all.data() + turn++ % places * bytes, d, h};
}

template <class F>
void run(benchmark::State& state, std::size_t d, double density) {
    using columns = tamis::column_blocks<F>;
    std::mt19937 random{4};
    std::bernoulli_distribution is_kept{density};
    std::normal_distribution<float> normal;
    std::vector<float> x(d);
    std::vector<float> y(h);
    std::vector<std::uint32_t> kept;
    for (std::uint32_t i = 0; i < d; ++i) {
        if (is_kept(random)) {
            kept.push_back(i);
            x[i] = normal(random);
        }
    }
    const std::size_t bytes =
        std::max(F::row_bytes(h) * d, columns::block_bytes(h) * ((d + columns::block - 1) / columns::block));
    const auto timed = [&]<class G>(std::type_identity<G>) {
        const auto w = next_matrix<G>(d, bytes);
        return seconds_of([&] {
            sum_rows(w, tamis::active_rows{kept}, x, y, 0, h);
            benchmark::DoNotOptimize(y.data());
        });
    };
    std::array<samples, 4> of;
    std::size_t turn = 0;
    for (auto _ : state) { // each of them first in its turn
        for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t which = (k + turn) % 4;
            of[which].add(which == 0   ? timed(std::type_identity<columns>{})
                          : which == 1 ? timed(std::type_identity<F>{})
                          : which == 2 ? timed(std::type_identity<tamis::detail::added_in_int8<F>>{})
                                       : timed(std::type_identity<tamis::detail::added_in_int8<columns>>{}));
        }
        ++turn;
        state.SetIterationTime(of[0].median());
    }
    const double columns_time = of[0].median();
    const auto read = static_cast<double>(next_matrix<columns>(d, bytes).bytes_of(tamis::active_rows{kept}));
    state.counters["gb_per_s"] = read / columns_time * 1e-9;
    state.counters["rows"] = of[1].median() / columns_time;
    state.counters["rows_int8"] = of[2].median() / columns_time;
    state.counters["columns_int8"] = of[3].median() / columns_time;
}

template <class F>
void add_format() {
    for (const std::size_t d : {std::size_t{256}, std::size_t{14336}}) {
        for (const double density : {1.0, 0.5, 0.3, 0.1}) {
            char name[96];
            std::snprintf(name, sizeof name, "turned/weights:%s/neurons:%zu/density:%.1f", F::name, d,
                          density);
            benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { run<F>(state, d, density); })
                ->UseManualTime()
                ->Iterations(d == 256 ? 201 : 12)
                ->Unit(benchmark::kMicrosecond);
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    add_format<tamis::q8_0>();
    add_format<tamis::q4_0>();
    add_format<tamis::q4_1>();
    add_format<tamis::q5_0>();
    add_format<tamis::mxfp4>();
    return true;
}();

} // namespace
