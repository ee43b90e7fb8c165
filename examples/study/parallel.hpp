#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace study {

/// Calls work(i) for each i in [0, count) on `threads` threads; every thread has a worker of its own, made by
/// make_worker(). Which thread takes which i is left open: results belong in slot i, to be summed in order.
/// The first exception of a worker ends the work and comes out here.
template <class MakeWorker>
void for_each_index(std::size_t count, std::size_t threads, MakeWorker make_worker) {
    std::atomic<std::size_t> next = 0;
    std::exception_ptr failure;
    std::mutex failure_guard;
    const auto run = [&] {
        try {
            auto work = make_worker();
            for (std::size_t i; (i = next++) < count;) {
                work(i);
            }
        } catch (...) {
            const std::lock_guard lock{failure_guard};
            if (!failure) {
                failure = std::current_exception();
            }
            next = count;
        }
    };
    {
        std::vector<std::jthread> others; // joined at the end of the block
        for (std::size_t t = 1; t < std::min(threads, count); ++t) {
            others.emplace_back(run);
        }
        run();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

} // namespace study
