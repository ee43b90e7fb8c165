#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include <unistd.h>

namespace study {

/// The line that says what is running. On a terminal it is written over; elsewhere nothing moves, and a
/// caller that wants plain lines gets one as each step begins.
class progress {
  public:
    explicit progress(bool plain_lines)
        : terminal_{isatty(STDERR_FILENO) != 0}, plain_{plain_lines && !terminal_} {}
    ~progress() { clear(); }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    void begin(std::string step) {
        const std::lock_guard lock{guard_};
        step_ = std::move(step);
        last_ = {};
        if (plain_) {
            std::fprintf(stderr, "%s\n", step_.c_str());
        }
    }

    /// From any thread; drawn ten times a second at most.
    void update(std::size_t done, std::size_t all) {
        if (!terminal_) {
            return;
        }
        const auto now = std::chrono::steady_clock::now();
        const std::lock_guard lock{guard_};
        if (now - last_ < std::chrono::milliseconds{100}) {
            return;
        }
        last_ = now;
        std::fprintf(stderr, "\r\033[K%s: %zu of %zu", step_.c_str(), done, all);
        std::fflush(stderr);
        shown_ = true;
    }

    void clear() {
        const std::lock_guard lock{guard_};
        if (std::exchange(shown_, false)) {
            std::fputs("\r\033[K", stderr);
            std::fflush(stderr);
        }
    }

  private:
    bool terminal_, plain_, shown_ = false;
    std::string step_;
    std::chrono::steady_clock::time_point last_{};
    std::mutex guard_;
};

} // namespace study
