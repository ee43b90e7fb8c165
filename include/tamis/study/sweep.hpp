#pragma once

#include <tamis/executor.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <span>
#include <vector>

TAMIS_BEGIN

namespace study {

/// What one measurement adds up: exact in any order (see meter.hpp), so that no figure depends on the threads.
template <class R>
concept mergeable_result = std::copy_constructible<R> && requires(R& r, const R& other) { r.merge(other); };

/// How far a sweep is: from any thread, never from two at a time.
struct sweep_progress {
    std::size_t done = 0, all = 0; ///< pairs of a trial and a part
};

namespace sweep_detail {

/// The trials' results while they are incomplete, and the claims on what is left to do.
template <mergeable_result Result, class Finished, class Progress>
class ledger {
  public:
    ledger(std::size_t trials, std::size_t parts, const Result& fresh, Finished& finished, Progress& progress)
        : results_(trials, fresh),
          left_(trials, parts),
          parts_{parts},
          finished_{finished},
          progress_{progress} {}

    struct claim {
        std::size_t trial, first, last; ///< parts [first, last) of the trial; none when first == last
    };
    /// The next run of parts. Trials are taken in order, so that early results are complete early.
    claim next(std::size_t at_once) {
        const std::lock_guard lock{guard_};
        if (stopped_ || trial_ == results_.size() || parts_ == 0) {
            return {0, 0, 0};
        }
        const claim c{trial_, part_, (std::min)(parts_, part_ + at_once)};
        part_ = c.last;
        if (part_ == parts_) {
            part_ = 0;
            ++trial_;
        }
        return c;
    }
    void add(const claim& c, const Result& sum) {
        const std::lock_guard lock{guard_};
        results_[c.trial].merge(sum);
        left_[c.trial] -= c.last - c.first;
        done_ += c.last - c.first;
        progress_(sweep_progress{done_, results_.size() * parts_});
        for (; handed_ < results_.size() && left_[handed_] == 0; ++handed_) {
            finished_(handed_, std::as_const(results_[handed_]));
        }
    }
    void stop() {
        const std::lock_guard lock{guard_};
        stopped_ = true;
    }
    std::vector<Result> take() { return std::move(results_); }

  private:
    std::mutex guard_;
    std::vector<Result> results_;
    std::vector<std::size_t> left_;
    std::size_t parts_, trial_ = 0, part_ = 0, done_ = 0, handed_ = 0;
    bool stopped_ = false;
    Finished& finished_;
    Progress& progress_;
};

} // namespace sweep_detail

/// Measures every trial (a plan, a value, a layer alone: the caller's) on every part (a story, a batch), both spread over
/// the threads. `make_worker()` is called once a thread and gives `work(trial, part, Result& sum)`, with whatever a thread
/// needs of its own inside. Behind a trial's last part `finished(trial, const Result&)` is called, in the order of the
/// trials and by one thread at a time: there the caller prints, and saves what a later run is not to repeat (a resumed sweep
/// is a sweep of the trials that are left). `progress(sweep_progress)` is called every few parts. Returns the results in the
/// order of the trials. The first exception of a worker ends the sweep and comes out here.
template <mergeable_result Result, executor Executor, class MakeWorker, class Finished, class Progress>
std::vector<Result> sweep(std::size_t trials, std::size_t parts, const Result& fresh, const Executor& threads,
                          MakeWorker&& make_worker, Finished&& finished, Progress&& progress) {
    sweep_detail::ledger<Result, std::remove_reference_t<Finished>, std::remove_reference_t<Progress>> open{
        trials, parts, fresh, finished, progress};
    const std::size_t width = std::max<std::size_t>(1, threads.width());
    const std::size_t at_once = std::clamp<std::size_t>(parts / (4 * width), 1, 16);
    const auto work_through = [&] {
        auto work = make_worker();
        for (;;) {
            const auto c = open.next(at_once);
            if (c.first == c.last) {
                return;
            }
            Result sum{fresh};
            for (std::size_t part = c.first; part < c.last; ++part) {
                work(c.trial, part, sum);
            }
            open.add(c, sum);
        }
    };
#if defined(__cpp_exceptions)
    std::exception_ptr failure;
    std::mutex failure_guard;
    threads.run(width, [&](std::size_t) {
        try {
            work_through();
        } catch (...) {
            open.stop();
            const std::lock_guard lock{failure_guard};
            failure = failure ? failure : std::current_exception();
        }
    });
    if (failure) {
        std::rethrow_exception(failure);
    }
#else
    threads.run(width, [&](std::size_t) { work_through(); });
#endif
    return open.take();
}

} // namespace study

TAMIS_END
