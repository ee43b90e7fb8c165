#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/kernel/tuning.hpp>
#include <tamis/whole_number.hpp>

#include <concepts>
#include <cstddef>
#include <utility>
#if defined(TAMIS_HARDENED)
#include <atomic>
#include <memory>
#endif

TAMIS_BEGIN

/// The caller's threads. `run(count, task)` calls task(i) once for each i < count, from any thread and in any order,
/// and returns when all are done; `width()` tells how many it may run at the same time. Tasks neither throw nor wait
/// for each other. What they write does not depend on the number of threads.
/// Models: serial, executor_of; openmp, on_tbb and team (an engine's threads) in <tamis/exec/...>.
template <class E>
concept executor = requires(const E& e, std::size_t count, void (*task)(std::size_t)) {
    e.run(count, task);
    { e.width() } -> std::convertible_to<std::size_t>;
};

/// How many may run at the same time, as the library counts: an executor that says 0 is taken for one thread. Refuses a
/// negative number.
template <executor E>
constexpr std::size_t width_of(const E& threads) {
    const std::size_t width = whole_number{threads.width()}.or_fail("tamis: an executor's width()");
    return width == 0 ? 1 : width;
}

/// The calling thread alone.
struct serial {
    static constexpr std::size_t width() { return 1; }
    template <class Task>
    constexpr void run(std::size_t count, Task&& task) const {
        for (std::size_t i = 0; i < count; ++i) {
            task(i);
        }
    }
};

/// A pool of one's own: `executor_of{width, [&](std::size_t count, auto&& task) { ... }}`.
template <class Run>
class executor_of {
  public:
    /// A width of 0 counts as 1: the caller's thread. Refuses a negative one.
    constexpr executor_of(whole_number width, Run run)
        : width_{width.or_fail("tamis::executor_of: width")}, run_{std::move(run)} {
        if (width_ == 0) {
            width_ = 1;
        }
    }

    constexpr std::size_t width() const { return width_; }
    template <class Task>
    constexpr void run(std::size_t count, Task&& task) const {
        run_(count, task);
    }

  private:
    std::size_t width_;
    Run run_;
};

/// Threads, and what was measured to suit the processor that they run on: `ffn(x, y, memory, tuned{threads, by})`.
template <executor Threads>
class tuned {
  public:
    /// Both are copied.
    constexpr tuned(Threads threads, const tuning& by) : threads_{std::move(threads)}, by_{by} {}

    constexpr std::size_t width() const { return width_of(threads_); }
    template <class Task>
    constexpr void run(std::size_t count, Task&& task) const {
        threads_.run(count, task);
    }
    /// What was measured.
    constexpr const tuning& kernels() const { return by_; }

  private:
    Threads threads_;
    tuning by_;
};

namespace detail {

/// What an executor says of the processor; most say nothing.
template <class Threads>
constexpr tuning tuning_of(const Threads& threads) {
    if constexpr (requires {
                      { threads.kernels() } -> std::convertible_to<tuning>;
                  }) {
        return threads.kernels();
    } else {
        return {};
    }
}

/// All tasks by an executor. TAMIS_HARDENED refuses one that has left out a task or run it twice.
template <executor E, class Task>
void run_each(const E& threads, std::size_t count, Task&& task) {
#if defined(TAMIS_HARDENED)
    const auto times = std::make_unique<std::atomic<std::size_t>[]>(count);
    threads.run(count, [&](std::size_t i) {
        need_index("tamis: an executor was given %zu tasks, but ran task %zu", i, count);
        if (times[i].fetch_add(1) == 0) { // a second run would write what another thread reads
            task(i);
        }
    });
    for (std::size_t i = 0; i < count; ++i) {
        if (times[i].load() != 1) {
            fail_sizes("tamis: an executor has to run each task once, but task %zu was run %zu times", i,
                       times[i].load());
        }
    }
#else
    threads.run(count, task);
#endif
}

} // namespace detail

TAMIS_END
