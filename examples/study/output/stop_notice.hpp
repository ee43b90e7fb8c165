#pragma once

#include <atomic>
#include <csignal>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include <unistd.h>

namespace app {

/// The last line of a run that is stopped from outside (Ctrl-C, a scheduler's signal). Before set() there is none.
class stop_notice {
  public:
    stop_notice() {
        for (std::size_t i = 0; i < count; ++i) {
            before_[i] = std::signal(signals[i], &say);
        }
    }
    stop_notice(const stop_notice&) = delete;
    stop_notice& operator=(const stop_notice&) = delete;
    ~stop_notice() {
        for (std::size_t i = 0; i < count; ++i) {
            std::signal(signals[i], before_[i]);
        }
        current.store(nullptr);
    }

    /// From any thread, but one at a time.
    void set(std::string last_line) {
        texts_.push_back(std::move(last_line) + "\n"); // the handler may be reading the one before
        current.store(texts_.back().c_str());
    }

  private:
    static constexpr int signals[]{SIGINT, SIGTERM, SIGHUP};
    static constexpr std::size_t count = 3;
    inline static std::atomic<const char*> current{nullptr};

    /// Only what a signal handler may call.
    static void say(int signal) {
        const auto put = [](const char* text) {
            [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
        };
        if (const char* const text = current.load()) {
            if (::isatty(STDERR_FILENO) != 0) {
                put("\r\033[K"); // the bar
            }
            put(text);
        }
        std::signal(signal, SIG_DFL);
        ::raise(signal);
    }

    void (*before_[count])(int){};
    std::deque<std::string> texts_;
};

} // namespace app
