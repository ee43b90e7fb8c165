// What needs real ranks: mpirun -n RANKS ranks masks SPANS | sweep | ffn [h d] | lost. Exit code 0: right. The last two lines of
// `masks`, `sweep` and `ffn` are figures.

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/mpi.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/sweep_over.hpp>

#include "support/sharded_spans.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

using namespace tamis;

namespace {

using steady = std::chrono::steady_clock;
double seconds_since(steady::time_point start) {
    return std::chrono::duration<double>(steady::now() - start).count();
}

/// Counts what goes over it.
struct counted {
    const mpi_communicator* ranks;
    mutable std::size_t operations = 0, bytes = 0;

    std::size_t rank() const { return ranks->rank(); }
    std::size_t size() const { return ranks->size(); }
    template <class T>
    void sum(std::span<T> all) const {
        count(all.size_bytes());
        ranks->sum(all);
    }
    void largest(std::span<std::uint64_t> all) const {
        count(all.size_bytes());
        ranks->largest(all);
    }
    void count(std::size_t more) const {
        ++operations;
        bytes += more;
    }
};
static_assert(communicator<counted> && messenger<mpi_communicator>);

std::uint64_t of_all(const mpi_communicator& ranks, std::uint64_t word) {
    ranks.sum(std::span{&word, 1});
    return word;
}

int masks(const mpi_communicator& ranks, std::size_t spans) {
    const counted counting{&ranks};
    const auto start = steady::now();
    std::size_t wrong = wrong_masks<float>(counting, spans / 2, 600, 1);
    wrong += wrong_masks<double>(counting, spans - spans / 2, 600, 2);
    wrong = of_all(ranks, wrong);
    if (ranks.rank() == 0) {
        std::printf("%zu spans on %zu ranks: %zu wrong masks; %zu reductions, %.1f MB a rank, %.1f s\n",
                    spans, ranks.size(), wrong, counting.operations,
                    static_cast<double>(counting.bytes) * 1e-6, seconds_since(start));
    }
    return wrong == 0 ? 0 : 1;
}

struct numbers {
    study::exact_total sum;
    void merge(const numbers& other) { sum.merge(other.sum); }
    template <class Archive>
    void state(Archive& a) {
        a(sum);
    }
};

int sweep(const mpi_communicator& ranks) {
    const auto work = [](std::size_t trial, std::size_t part, numbers& to) {
        double x = 0.5;
        for (int i = 0; i < 400000 + static_cast<int>(part) * 20000; ++i) { // parts of different length
            x = 3.9 * x * (1 - x);
        }
        to.sum.add(x * static_cast<double>(trial + 1));
    };
    constexpr auto finished = [](std::size_t, const numbers&) {};
    constexpr auto progress = [](const study::sweep_progress&) {};
    double alone_takes = 0;
    std::vector<numbers> expected;
    if (ranks.rank() == 0) { // the others wait in the sum
        const auto start = steady::now();
        expected = study::sweep(
            16, 40, numbers{}, serial{}, [&] { return work; }, finished, progress);
        alone_takes = seconds_since(start);
    }
    of_all(ranks, 0);
    const auto start = steady::now();
    const auto got = study::sweep_over(
        ranks, 16, 40, numbers{}, [&] { return work; }, finished, progress);
    const double together = seconds_since(start);
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        wrong += expected[i].sum.sum() == got[i].sum.sum() && got[i].sum.count() == 40 ? 0 : 1;
    }
    if (ranks.rank() == 0) {
        std::printf("sweep of 640 parts: %.2f s on one rank, %.2f s on %zu: %.2f times as fast; %d wrong\n",
                    alone_takes, together, ranks.size(), alone_takes / together, static_cast<int>(wrong));
    }
    return of_all(ranks, wrong) == 0 ? 0 : 1;
}

int ffn(const mpi_communicator& ranks, std::size_t h, std::size_t d) {
    const counted counting{&ranks};
    const auto own = even_shard(d, ranks.rank(), ranks.size());
    engine random(7);
    const auto x = generate<float>(shape::normal, h, random);
    // The same neurons whoever has them: weights from the number of the neuron.
    const auto weights = [&](std::uint64_t matrix_number) {
        std::vector<float> all(own.size() * h);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::uint64_t place = (own.first * h + i) * 3 + matrix_number;
            const std::uint64_t hash = detail::hash_of(1, place);
            all[i] = static_cast<float>(static_cast<std::int64_t>(hash >> 40) - (1 << 23)) * 0x1p-23f;
        }
        return all;
    };
    const auto gate = weights(0), up = weights(1), down = weights(2);
    const auto part = [&](const std::vector<float>& all) {
        return matrix<f32, neuron_major>{all.data(), own.size(), h};
    };
    const glu_ffn f{glu_weights{part(gate), part(up), part(down)}, silu{},
                    at_gate(sharded{top_p{0.8}, counting})};
    std::vector<float> y(h);
    owned_workspace memory{f.workspace_bytes(serial{}, 1)};
    double best = 1e9;
    std::uint64_t bytes = 0;
    for (int turn = 0; turn < 9; ++turn) {
        counting.operations = counting.bytes = 0;
        of_all(ranks, 0);
        const auto start = steady::now();
        bytes = f(x, y, memory).bytes_read;
        counting.sum(std::span{y});
        best = std::min(best, seconds_since(start));
    }
    bytes = of_all(ranks, bytes);
    double sum = 0;
    for (const float one : y) {
        sum += static_cast<double>(one) * static_cast<double>(one);
    }
    if (ranks.rank() == 0) {
        std::printf(
            "FFN %zu x %zu, top-p .8 at the gate, %zu ranks: %.3f ms; %.1f MB of weights read in all; %zu "
            "reductions, %.1f KB a rank; |y| = %.9g\n",
            h, d, ranks.size(), best * 1e3, static_cast<double>(bytes) * 1e-6, counting.operations,
            static_cast<double>(counting.bytes) * 1e-3, std::sqrt(sum));
    }
    return 0;
}

/// A rank dies in the middle of a sweep: mpirun ends the others, none waits for ever.
int lost(const mpi_communicator& ranks) {
    study::sweep_over(
        ranks, 4, 100, numbers{},
        [&] {
            return [&](std::size_t trial, std::size_t, numbers&) {
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                if (trial == 1 && ranks.rank() + 1 == ranks.size()) {
                    std::fprintf(stderr, "rank %zu dies\n", ranks.rank());
                    std::_Exit(3);
                }
            };
        },
        [](std::size_t, const numbers&) {}, [](const study::sweep_progress&) {});
    std::fprintf(stderr, "the sweep returned all the same\n");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    const std::string what = argc > 1 ? argv[1] : "masks";
    const auto number = [&](int at, std::size_t otherwise) {
        return argc > at ? static_cast<std::size_t>(std::strtoull(argv[at], nullptr, 10)) : otherwise;
    };
    int code = 2;
    {
        const mpi_communicator ranks{MPI_COMM_WORLD};
        code = what == "masks"   ? masks(ranks, number(2, 200))
               : what == "sweep" ? sweep(ranks)
               : what == "ffn"   ? ffn(ranks, number(2, 512), number(3, 2048))
               : what == "lost"  ? lost(ranks)
                                 : 2;
    }
    MPI_Finalize();
    return code;
}
