#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

// Threads that stay: the caller and width - 1 others, who take tasks one by one. As an executor for tamis:
//     tamis::executor_of{pool.width(), [&](std::size_t count, auto&& task) { pool.run(count, task); }}

class pool {
  public:
    explicit pool(std::size_t width) {
        for (std::size_t i = 1; i < width; ++i) {
            others_.emplace_back([this] { serve(); });
        }
    }
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;
    ~pool() {
        done_ = true;
        wake();
        for (std::thread& other : others_) {
            other.join();
        }
    }

    std::size_t width() const { return others_.size() + 1; }

    template <class Task>
    void run(std::size_t count, Task& task) {
        call_ = [](void* of, std::size_t i) { (*static_cast<Task*>(of))(i); };
        task_ = const_cast<void*>(static_cast<const void*>(&task)); // a Task again above, const as it was
        count_ = count;
        next_ = 0;
        busy_ = others_.size();
        wake();
        work();
        while (busy_.load(std::memory_order_acquire) != 0) { // what is left is short
        }
    }

  private:
    void wake() {
        calls_.fetch_add(1, std::memory_order_release);
        calls_.notify_all();
    }
    void work() {
        for (std::size_t i = next_++; i < count_; i = next_++) {
            call_(task_, i);
        }
    }
    void serve() {
        unsigned seen = 0;
        for (;;) {
            for (int spins = 0; spins < 20'000 && calls_.load(std::memory_order_acquire) == seen; ++spins) {
            }
            calls_.wait(seen, std::memory_order_acquire);
            ++seen;
            if (done_) {
                return;
            }
            work();
            busy_.fetch_sub(1, std::memory_order_release);
        }
    }

    void (*call_)(void*, std::size_t) = nullptr;
    void* task_ = nullptr;
    std::size_t count_ = 0;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> busy_{0};
    std::atomic<unsigned> calls_{0};
    std::atomic<bool> done_{false};
    std::vector<std::thread> others_;
};
