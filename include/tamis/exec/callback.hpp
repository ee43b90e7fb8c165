#pragma once

#include <tamis/executor.hpp>

#include <type_traits>

TAMIS_BEGIN

/// An engine's threads behind a C function, as an executor: what an interface without templates has. `run` calls
/// t(argument, i) once for each i < count, from any threads, at most `width` at a time, and returns when all are done.
///     void run_on_pool(void* pool, std::size_t count, void (*t)(void*, std::size_t), void* argument);
///     ffn(x, y, memory, tamis::callback{width, run_on_pool, pool});
/// Without a function it is the calling thread.
class callback {
  public:
    /// A task, which is given what it works on.
    using task = void (*)(void* argument, std::size_t i);
    /// Runs them.
    using function = void (*)(void* context, std::size_t count, task t, void* argument);

    /// A width of 0 counts as 1; the context is handed to the function as it is.
    constexpr callback(std::size_t threads, function all, void* context)
        : width_{all == nullptr || threads == 0 ? 1 : threads}, run_{all}, context_{context} {}

    constexpr std::size_t width() const { return width_; }
    template <class Task>
    void run(std::size_t count, Task&& t) const {
        if (run_ == nullptr) {
            return serial{}.run(count, t);
        }
        using type = std::remove_reference_t<Task>;
        run_(
            context_, count, [](void* held, std::size_t i) { (*static_cast<type*>(held))(i); },
            const_cast<void*>(static_cast<const void*>(&t)));
    }

  private:
    std::size_t width_;
    function run_;
    void* context_;
};

TAMIS_END
