#pragma once

#include <tamis/executor.hpp>

#ifndef _OPENMP
#error "tamis/exec/openmp.hpp: compile with OpenMP (-fopenmp; in CMake link OpenMP::OpenMP_CXX)"
#endif

#include <omp.h>

TAMIS_BEGIN

/// OpenMP's threads: `ffn(x, y, workspace, tamis::openmp{4})`. Tasks are handed out one by one. Whether idle threads spin
/// is OpenMP's own setting: OMP_WAIT_POLICY=passive in the environment lets them sleep.
class openmp {
  public:
    /// As many as OpenMP would take, or so many (0 counts as 1); refuses a negative number.
    openmp() : openmp(omp_get_max_threads()) {}
    /// So many threads; 0 counts as 1. Refuses a negative number.
    explicit openmp(whole_number threads) : threads_{threads.or_fail("tamis::openmp: threads")} {
        if (threads_ == 0) {
            threads_ = 1;
        }
    }

    std::size_t width() const { return threads_; }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        const auto end = static_cast<std::ptrdiff_t>(count);
#pragma omp parallel for num_threads(static_cast<int>(threads_)) schedule(dynamic, 1)
        for (std::ptrdiff_t i = 0; i < end; ++i) {
            task(static_cast<std::size_t>(i));
        }
    }

  private:
    std::size_t threads_;
};

TAMIS_END
