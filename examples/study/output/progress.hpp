#pragma once

#include "output/files.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include <unistd.h>

namespace app {

/// "1 h 05 min", "2 min 07 s", "9 s"
inline std::string duration(double seconds) {
    const auto s = static_cast<long>(seconds + 0.5);
    if (s >= 3600) {
        return line(s / 3600, " h ", s / 60 % 60 < 10 ? "0" : "", s / 60 % 60, " min");
    }
    return s >= 60 ? line(s / 60, " min ", s % 60 < 10 ? "0" : "", s % 60, " s") : line(s, " s");
}

/// The line that says what is running, how far it is and how long it will take. On a terminal it is written over;
/// elsewhere nothing moves, and a caller that wants plain lines gets one as each step begins.
class progress {
    using clock = std::chrono::steady_clock;

  public:
    explicit progress(bool plain_lines)
        : terminal_{isatty(STDERR_FILENO) != 0}, plain_{plain_lines && !terminal_} {}
    ~progress() { clear(); }
    progress(const progress&) = delete;
    progress& operator=(const progress&) = delete;

    void begin(std::string step) {
        const std::lock_guard lock{guard_};
        step_ = std::move(step);
        pass_ = 1;
        most_ = all_ = 0;
        last_ = {};
        started_ = clock::now();
        if (plain_) {
            std::fprintf(stderr, "%s\n", step_.c_str());
        }
    }

    /// From any thread; drawn ten times a second at most.
    void update(std::size_t done, std::size_t all) {
        if (!terminal_ || all == 0) {
            return;
        }
        const auto now = clock::now();
        const std::lock_guard lock{guard_};
        grow(done, all, now);
        if (now - last_ < std::chrono::milliseconds{100}) {
            return;
        }
        last_ = now;
        const std::chrono::duration<double> spent = now - started_;
        const std::string step = pass_ == 1 ? step_ : line(step_, ", pass ", pass_);
        std::fprintf(stderr, "\r\033[K%s", bar(step, std::max(most_, done), all, spent.count()).c_str());
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

    /// "sweep [######--------------]  30 %, 1 min 10 s left"; the time from half a second on.
    static std::string bar(const std::string& step, std::size_t done, std::size_t all, double seconds) {
        constexpr std::size_t width = 20;
        const std::size_t full = done * width / all;
        std::string text = step + " [" + std::string(full, '#') + std::string(width - full, '-') + "] " +
                           line(done * 100 / all) + " %";
        if (done > 0 && seconds > 0.5) {
            text += ", " + duration(seconds * static_cast<double>(all - done) / static_cast<double>(done)) +
                    " left";
        }
        return text;
    }

    /// Which pass over the text a step is in, 1 at first. Threads report late, so that a report may be behind another: what is shown
    /// never falls, and a step that begins anew is another pass.
    std::size_t pass() const { return pass_; }
    std::size_t shown() const { return most_; }
    void grow(std::size_t done, std::size_t all, clock::time_point now) {
        const bool ended = most_ >= all_, other = all != all_ && all_ != 0;
        if (other || (ended && 2 * done <= all_ && all_ != 0)) {
            ++pass_;
            most_ = 0;
            started_ = now;
        }
        all_ = all;
        most_ = std::max(most_, done);
    }

  private:
    std::size_t pass_ = 1, most_ = 0, all_ = 0;
    bool terminal_, plain_, shown_ = false;
    std::string step_;
    clock::time_point last_{}, started_{};
    std::mutex guard_;
};

} // namespace app
