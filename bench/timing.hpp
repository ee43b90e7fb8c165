#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

// Times of single calls, of which the median is told: benchmarks take turns within a row, so that ratios hold while the
// machine's speed drifts.

using clock_type = std::chrono::steady_clock;

class samples {
  public:
    void add(double value) { all_.push_back(value); }
    bool empty() const { return all_.empty(); }
    std::size_t size() const { return all_.size(); }
    double median() {
        const auto middle = all_.begin() + static_cast<std::ptrdiff_t>(all_.size() / 2);
        std::nth_element(all_.begin(), middle, all_.end());
        return *middle;
    }

  private:
    std::vector<double> all_;
};

template <class F>
double raw_seconds_of(F&& f) {
    const auto start = clock_type::now();
    f();
    benchmark::ClobberMemory();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// Without the clock's own time.
template <class F>
double seconds_of(F&& f) {
    static const double clock = [] {
        samples all;
        for (int i = 0; i < 10'001; ++i) {
            all.add(raw_seconds_of([] {}));
        }
        return all.median();
    }();
    return std::max(raw_seconds_of(f) - clock, 0.0);
}
