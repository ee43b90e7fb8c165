#pragma once

#include <tamis/executor.hpp>

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace app {

/// An executor of std::threads that are made for a call: its tasks are long here. tamis::study::sweep catches what they
/// throw.
struct fresh_threads {
    std::size_t count;

    std::size_t width() const { return count; }
    template <class Task>
    void run(std::size_t tasks, Task&& task) const {
        std::vector<std::jthread> others; // joined at the end
        for (std::size_t t = 1; t < tasks; ++t) {
            others.emplace_back([&task, t] { task(t); });
        }
        if (tasks > 0) {
            task(0);
        }
    }
};

} // namespace app
