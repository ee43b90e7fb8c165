#pragma once

#include <tamis/executor.hpp>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

TAMIS_BEGIN

/// oneTBB's threads, in an arena of the caller's: `tbb::task_arena arena{4}; ffn(x, y, workspace, tamis::on_tbb{arena})`.
/// Idle threads sleep.
class on_tbb {
  public:
    /// An arena of yours, borrowed.
    explicit on_tbb(tbb::task_arena& arena) : arena_{&arena} { arena.initialize(); }

    std::size_t width() const { return static_cast<std::size_t>(arena_->max_concurrency()); }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        arena_->execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>{0, count, 1},
                [&](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t i = range.begin(); i != range.end(); ++i) {
                        task(i);
                    }
                },
                tbb::simple_partitioner{});
        });
    }

  private:
    tbb::task_arena* arena_;
};

TAMIS_END
