#pragma once

#include <tamis/executor.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <type_traits>

TAMIS_BEGIN

/// The threads of an engine that all come to the same place of its graph, each with its number, and serve one call there: for
/// engines whose threads may not be handed a task, but run every node together (ggml's custom ops, say).
///
///     tamis::team team{8};                                            // made once; at most so many threads
///     team.enter(ith, nth, [&](const tamis::team::members& threads) { // by each of nth threads
///         ffn(x, y, memory, threads);                                 // which thread 0 alone runs
///     });
///
/// Thread 0 runs the call and takes its share of the work; the others do tasks until it is over. Nobody waits for a thread that
/// comes late or not at all, and a step of fewer parts than threads leaves some without: none hangs. When thread 0 returns, the
/// call is done; the others may need a moment to see it, so the team outlives them, as what an engine keeps between two nodes
/// does. Calls may follow each other at once; every thread enters each of them. nth may differ from call to call. Threads that
/// wait spin, and yield after a while. Refuses ith >= nth, and nth > most.
class team {
  public:
    /// The executor that a call is given.
    class members {
      public:
        /// Made by enter and of.
        members(team& of, std::size_t width) : of_{&of}, width_{width} {}

        std::size_t width() const { return width_; }
        template <class Task>
        void run(std::size_t count, Task&& task) const {
            using type = std::remove_reference_t<Task>;
            if (width_ == 1 || count < 2) {
                return serial{}.run(count, task);
            }
            const auto call = [](void* held, std::size_t i) { (*static_cast<type*>(held))(i); };
            // Rounds of what the ticket counts: in practice one.
            for (std::size_t first = 0; first < count; first += most_parts) {
                of_->share({call, const_cast<void*>(static_cast<const void*>(std::addressof(task))), first,
                            (std::min)(most_parts, count - first)});
            }
        }

      private:
        team* of_;
        std::size_t width_;
    };

    /// Allocates; nothing else does. Refuses a negative number; 0 counts as 1.
    explicit team(whole_number most)
        : most_{(std::max)(most.or_fail("tamis::team: threads"), std::size_t{1})},
          calls_of_{std::make_unique<calls_seen[]>(most_)} {}
    team(const team&) = delete;
    team& operator=(const team&) = delete;

    /// At most so many threads enter.
    std::size_t most() const { return most_; }
    /// To ask how much workspace a call of so many threads needs.
    members of(whole_number nth) { return {*this, nth.or_fail("tamis::team: threads")}; }

    /// Thread ith of nth: thread 0 runs call(members), the others help.
    template <class Call>
    void enter(std::size_t ith, std::size_t nth, Call&& call) {
        if (nth > most_) {
            fail_sizes("tamis::team: it is for at most %zu threads, but %zu enter", most_, nth);
        }
        if (ith >= nth) {
            fail_sizes("tamis::team: of %zu threads, one is number %zu; they count from 0", nth, ith);
        }
        if (ith != 0) {
            return serve(calls_of_[ith].count);
        }
        const leaving when_done{*this, nth}; // an exception, too, lets the others go
        call(members{*this, nth});
    }

  private:
    static constexpr std::size_t most_parts = 0xffffffff;

    struct step {
        void (*task)(void*, std::size_t);
        void* held;
        std::size_t first, count;
    };
    struct alignas(64) calls_seen {
        std::atomic<std::uint64_t> count{0};
    };
    struct leaving {
        team& of;
        std::size_t nth;
        ~leaving() { of.close(nth); }
    };

    /// One more turn of a loop that waits for another thread.
    static void pause(unsigned& turns) {
        if (++turns % 1024 == 0) {
            std::this_thread::yield();
        }
#if defined(__x86_64__) && defined(__GNUC__)
        __builtin_ia32_pause();
#endif
    }

    // The ticket is the number of the step (high half) and the parts of it that nobody has taken (low half), in one word: who
    // takes a part by exchanging it has one of the step that he saw, and that step can not be replaced before the part is done.
    void share(const step& s) {
        step_ = s;
        done_.store(0, std::memory_order_relaxed);
        const std::uint64_t number = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
        ticket_.store(number << 32 | s.count, std::memory_order_release);
        while (take_part()) {
        }
        for (unsigned turns = 0; done_.load(std::memory_order_acquire) != s.count;) {
            pause(turns);
        }
    }
    /// Does one part of the step, if there is one left.
    bool take_part() {
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        while ((ticket & most_parts) != 0) {
            if (ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                              std::memory_order_acquire)) {
                const step& s = step_;
                s.task(s.held, s.first + s.count - (ticket & most_parts));
                done_.fetch_add(1, std::memory_order_release);
                return true;
            }
        }
        return false;
    }
    void serve(std::atomic<std::uint64_t>& seen) {
        const std::uint64_t mine = seen.load(std::memory_order_relaxed);
        for (unsigned turns = 0; closed_.load(std::memory_order_acquire) <= mine;) {
            if (take_part()) {
                turns = 0;
            } else {
                pause(turns);
            }
        }
        seen.store(mine + 1, std::memory_order_relaxed);
    }
    /// Ends the call, also for those who are not of it.
    void close(std::size_t nth) {
        const std::uint64_t calls = closed_.load(std::memory_order_relaxed) + 1;
        for (std::size_t i = nth; i < most_; ++i) {
            calls_of_[i].count.store(calls, std::memory_order_relaxed);
        }
        closed_.store(calls, std::memory_order_release);
    }

    std::size_t most_;
    std::unique_ptr<calls_seen[]> calls_of_;
    step step_{};
    alignas(64) std::atomic<std::uint64_t> ticket_{0};
    alignas(64) std::atomic<std::size_t> done_{0};
    alignas(64) std::atomic<std::uint64_t> closed_{0}; // calls that are over
};

TAMIS_END
