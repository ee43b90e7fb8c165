#include "arguments.hpp"
#include "formats.hpp"
#include "pool.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>

// Does it pay here? Times the reader's own FFN on this machine, and says from which density down masks are quicker.

namespace {

using clock_type = std::chrono::steady_clock;
using tamis::weight_layout;

template <class Call>
double seconds_of(Call&& call) {
    const auto start = clock_type::now();
    call();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}
double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Copies of three matrices behind each other, more than caches hold.
class rotation {
  public:
    explicit rotation(const arguments& a) : a_{a} {
        const auto bytes = [&](std::size_t rows, std::size_t columns) {
            return rows * a.format->row_bytes(columns);
        };
        const std::size_t most = (std::max)(bytes(a.neurons, a.hidden), bytes(a.hidden, a.neurons));
        stride_ = (most + 4095) / 4096 * 4096;
        copies_ = (std::max)((a.memory << 20) / (3 * stride_), std::size_t{2});
        memory_.reset(new std::byte[total() + tamis::huge_page]);
        first_ = memory_.get() +
                 (tamis::huge_page - reinterpret_cast<std::uintptr_t>(memory_.get()) % tamis::huge_page);
        huge_pages_ = a.huge_pages && tamis::ask_for_huge_pages({first_, total()});
        // A few rows, again and again: times do not depend on what the weights are.
        std::mt19937 random{1};
        const std::size_t row = a.format->row_bytes(a.hidden);
        std::vector<std::byte> rows(row * 8);
        for (std::size_t i = 0; i < 8; ++i) {
            a.format->fill(rows.data() + i * row, a.hidden, 1 / std::sqrt(static_cast<float>(a.hidden)),
                           random);
        }
        for (std::size_t at = 0; at < total(); at += rows.size()) {
            std::memcpy(first_ + at, rows.data(), (std::min)(rows.size(), total() - at));
        }
    }
    std::size_t copies() const { return copies_; }
    bool huge_pages() const { return huge_pages_; }
    std::size_t total() const { return 3 * stride_ * copies_; }

    /// The FFN of a copy: as in a checkpoint, or so that masks at all inputs skip weights.
    template <class... Policies>
    ffn_of_any_format ffn(std::size_t copy, bool skips, Policies... policies) const {
        const auto part = [&](std::size_t i) { return first_ + (3 * copy + i) * stride_; };
        const auto up = [&](std::size_t i) {
            return skips ? matrix(weight_layout::input_major, part(i), a_.hidden, a_.neurons)
                         : matrix(weight_layout::neuron_major, part(i), a_.neurons, a_.hidden);
        };
        const auto down = skips ? matrix(weight_layout::neuron_major, part(2), a_.neurons, a_.hidden)
                                : matrix(weight_layout::output_major, part(2), a_.hidden, a_.neurons);
        return {tamis::any_glu_weights{up(0), up(1), down}, tamis::silu{}, policies...};
    }
    /// Bytes a second of reading a copy.
    double stream(std::size_t copy, pool& threads) const {
        const std::size_t words = 3 * stride_ / sizeof(std::uint64_t) / 64 / threads.width() * 64;
        const auto* const from = reinterpret_cast<const std::uint64_t*>(first_ + 3 * copy * stride_);
        static std::atomic<std::uint64_t> kept{0}; // or there would be nothing to read for
        const auto part = [&](std::size_t i) {
            std::uint64_t sums[8] = {};
            for (std::size_t k = i * words; k < (i + 1) * words; k += 8) {
                for (std::size_t lane = 0; lane < 8; ++lane) {
                    sums[lane] += from[k + lane];
                }
            }
            kept = sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
        };
        const double took = seconds_of([&] { threads.run(threads.width(), part); });
        return static_cast<double>(words * threads.width() * sizeof(std::uint64_t)) / took;
    }

  private:
    tamis::any_matrix matrix(weight_layout l, const std::byte* at, std::size_t rows,
                             std::size_t columns) const {
        return {a_.format->name, l, at, rows, columns};
    }

    const arguments& a_;
    std::size_t stride_ = 0, copies_ = 0;
    std::unique_ptr<std::byte[]> memory_;
    bool huge_pages_ = false;
    std::byte* first_ = nullptr;
};

/// Random masks of a density, taken in turn.
class random_masks {
  public:
    random_masks(std::size_t n, double density, std::mt19937& random) {
        std::bernoulli_distribution keep{density};
        for (int k = 0; k < 17; ++k) {
            tamis::mask m{n};
            for (std::size_t i = 0; i < n; ++i) {
                m.set(i, keep(random));
            }
            masks_.push_back(std::move(m));
        }
    }
    void copy_next(tamis::mask_span out) {
        const auto words = masks_[turn_++ % masks_.size()].words();
        std::copy(words.begin(), words.end(), out.words().begin());
    }

  private:
    std::vector<tamis::mask> masks_;
    std::size_t turn_ = 0;
};
struct next_mask {
    random_masks* masks;
    void select(std::span<const float>, tamis::mask_span out, tamis::workspace) const {
        masks->copy_next(out);
    }
    static std::size_t selection_bytes(std::size_t) { return 0; }
};

/// One line of the table.
struct line {
    double density = 1; // 2: top_p, whose density x decides
    std::unique_ptr<random_masks> of_inputs, of_neurons;
    std::vector<double> times;
    tamis::traffic read{};
};

const char* built_for() {
#if defined(__AVX512BW__)
    return "AVX-512";
#elif defined(__AVX2__)
    return "AVX2";
#elif defined(__SSE4_2__)
    return "SSE4.2";
#elif defined(__SSE2__) || defined(_M_X64)
    return "SSE2 alone";
#elif defined(__aarch64__)
    return "64-bit ARM";
#else
    return "this compiler's default";
#endif
}
/// What the processor has beyond that.
const char* left_unused() {
#if defined(__GNUC__) && defined(__x86_64__)
#ifndef __AVX2__
    if (__builtin_cpu_supports("avx2")) {
        return "AVX2";
    }
#endif
#ifndef __AVX512BW__
    if (__builtin_cpu_supports("avx512bw")) {
        return "AVX-512";
    }
#endif
#endif
    return nullptr;
}

/// The largest density at which masks take no longer than the dense form, on lines between the measured ones; 0 if none.
double break_even(const std::vector<line>& lines, double dense) {
    double found = 0;
    double before = 0; // density 0 takes no time
    double before_time = 0;
    for (auto l = lines.rbegin(); l != lines.rend(); ++l) {
        if (l->density > 1) {
            continue;
        }
        const double time = median(l->times);
        if (time <= dense) {
            found = l->density;
        } else if (before_time <= dense) {
            found = before + (l->density - before) * (dense - before_time) / (time - before_time);
        }
        before = l->density;
        before_time = time;
    }
    return found;
}

void run(const arguments& a) {
    const rotation weights{a};
    pool team{a.threads};
    const tamis::executor_of threads{team.width(),
                                     [&](std::size_t count, auto&& task) { team.run(count, task); }};
    std::mt19937 random{2};
    std::normal_distribution<float> normal;
    std::vector<float> x(a.hidden * a.tokens);
    std::vector<float> y(a.hidden * a.tokens);
    for (float& value : x) {
        value = normal(random);
    }

    std::vector<line> lines;
    for (const double density : {1.0, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1}) {
        lines.push_back({density,
                         std::make_unique<random_masks>(a.hidden, density, random),
                         std::make_unique<random_masks>(a.neurons, density, random),
                         {},
                         {}});
    }
    lines.push_back({2, nullptr, nullptr, {}, {}});

    const tamis::top_p rule{0.9};
    const auto ffn_of = [&](const line& l, std::size_t copy) {
        return l.density > 1 ? weights.ffn(copy, true, tamis::at_input(rule), tamis::at_intermediate(rule))
                             : weights.ffn(copy, true, tamis::at_input(next_mask{l.of_inputs.get()}),
                                           tamis::at_intermediate(next_mask{l.of_neurons.get()}));
    };
    const ffn_of_any_format dense = weights.ffn(0, false);
    const std::size_t needed = (std::max)({dense.workspace_bytes(threads, a.tokens),
                                           ffn_of(lines[0], 0).workspace_bytes(threads, a.tokens),
                                           ffn_of(lines.back(), 0).workspace_bytes(threads, a.tokens)});
    tamis::owned_workspace scratch{needed};
    const auto timed = [&](const ffn_of_any_format& ffn, tamis::traffic& read) {
        return seconds_of([&] {
            read += ffn(tamis::block<const float>{x.data(), a.tokens, a.hidden},
                        tamis::block<float>{y.data(), a.tokens, a.hidden}, scratch, threads);
        });
    };

    std::printf("An FFN of %zu x %zu in %s: %.1f MB of weights; %zu token%s in a call, %zu thread%s.\n",
                a.hidden, a.neurons, std::string{a.format->name}.c_str(),
                static_cast<double>(dense.bytes()) * 1e-6, a.tokens, a.tokens == 1 ? "" : "s", a.threads,
                a.threads == 1 ? "" : "s");
    std::printf(
        "Compiled for %s. Workspace %.0f KiB. %zu copies of the weights are taken in turn (%.0f MiB).\n",
        built_for(), static_cast<double>(needed) / 1024, weights.copies(),
        static_cast<double>(weights.total()) / (1 << 20));
    if (const char* const more = left_unused()) {
        std::printf("This processor has %s, which this program was not compiled for (-march=native).\n",
                    more);
    }

    // All take turns, so that ratios hold while the machine's speed drifts.
    std::vector<double> dense_times, rates;
    tamis::traffic dense_read{};
    std::size_t copy = 0;
    const auto next = [&] { return copy = (copy + 1) % weights.copies(); };
    const auto begin = clock_type::now();
    for (int turn = 0;
         turn < 4 || std::chrono::duration<double>(clock_type::now() - begin).count() < a.seconds; ++turn) {
        if (turn == 1) { // the first warms up
            dense_times.clear();
            rates.clear();
        }
        rates.push_back(weights.stream(next(), team));
        dense_times.push_back(timed(weights.ffn(next(), false), dense_read));
        for (line& l : lines) {
            if (turn == 1) {
                l.times.clear();
                l.read = {};
            }
            l.times.push_back(timed(ffn_of(l, next()), l.read));
        }
    }

    const double dense_time = median(dense_times);
    const double rate = median(rates);
    std::printf("A plain sum reads memory at %.1f GB/s%s.\n\n", rate * 1e-9,
                weights.huge_pages() ? " (huge pages were asked for)" : "");
    std::printf(
        "| density | time, us | over dense | read, MB | GB/s | of the plain sum's |\n|---|---|---|---|---|---|\n");
    const auto print = [&](const char* name, double time, double bytes) {
        std::printf("| %s | %.1f | %.2f | %.1f | %.1f | %.0f %% |\n", name, time * 1e6, time / dense_time,
                    bytes * 1e-6, bytes / time * 1e-9, 100 * bytes / time / rate);
    };
    print("dense", dense_time, static_cast<double>(dense.bytes()));
    for (const line& l : lines) {
        const double bytes = static_cast<double>(l.read.bytes_read) / static_cast<double>(l.times.size());
        char name[48];
        if (l.density > 1) {
            std::snprintf(name, sizeof name, "top_p{0.9}, %.2f",
                          bytes / static_cast<double>(
                                      dense.bytes())); // and the time that finding the masks takes
        } else {
            std::snprintf(name, sizeof name, "%.2f", l.density);
        }
        print(name, median(l.times), bytes);
    }

    const double even = break_even(lines, dense_time);
    const double half = median(lines[5].times) / dense_time;
    if (even <= 0) {
        std::printf("\nIt does not pay here: no density was quicker than the dense form.\n");
    } else if (even >= 1) {
        std::printf(
            "\nFrom any density below 1 down it pays here: half of the entries take %.2f of the dense time.\n",
            half);
    } else {
        std::printf(
            "\nFrom density %.2f down it pays here: half of the entries take %.2f of the dense time.\n", even,
            half);
    }
}

} // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (std::string_view{argv[i]} == "--help" || std::string_view{argv[i]} == "-h") {
            std::fputs(help, stdout);
            return 0;
        }
    }
    try {
        run(parse(argc, argv));
        return 0;
    } catch (const std::bad_alloc&) {
        std::fprintf(stderr,
                     "does_it_pay: that does not fit into memory; a smaller --memory, or a smaller FFN\n");
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "does_it_pay: %s\n", problem.what());
    }
    return 1;
}
