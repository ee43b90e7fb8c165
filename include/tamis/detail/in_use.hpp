#pragma once

#include <tamis/error.hpp>

#include <cstddef>
#if defined(TAMIS_CHECKED)
#include <algorithm>
#include <functional>
#include <mutex>
#include <span>
#include <vector>
#endif

TAMIS_BEGIN

// Memory that a call works in. With TAMIS_CHECKED defined, a second call that takes any of it before the first has
// returned (from another thread, or from an observer) is refused; without, nothing is kept of it.

namespace detail {

#if defined(TAMIS_CHECKED)

class in_use {
  public:
    explicit in_use(std::span<const std::byte> memory) : memory_{memory} {
        const std::lock_guard lock{mutex()};
        constexpr std::less<const std::byte*> before;
        for (const auto& other : all()) {
            if (!memory.empty() && before(other.data(), memory.data() + memory.size()) &&
                before(memory.data(), other.data() + other.size())) {
                fail("tamis: two calls use one workspace at the same time: give each thread its own");
            }
        }
        all().push_back(memory_);
    }
    in_use(const in_use&) = delete;
    in_use& operator=(const in_use&) = delete;
    ~in_use() {
        const std::lock_guard lock{mutex()};
        const auto mine = std::find_if(all().begin(), all().end(), [&](std::span<const std::byte> other) {
            return other.data() == memory_.data() && other.size() == memory_.size();
        });
        all().erase(mine);
    }

  private:
    static std::mutex& mutex() {
        static std::mutex one;
        return one;
    }
    static std::vector<std::span<const std::byte>>& all() {
        static std::vector<std::span<const std::byte>> ranges;
        return ranges;
    }

    std::span<const std::byte> memory_;
};

#else

struct in_use {
    template <class Memory>
    constexpr explicit in_use(const Memory&) {}
};

#endif

} // namespace detail

TAMIS_END
