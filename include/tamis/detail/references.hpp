#pragma once

#include <tamis/executor.hpp>
#include <tamis/ffn/observer.hpp>

#include <type_traits>

TAMIS_BEGIN

namespace detail {

// Threads and observers behind a pointer to a function, for what is compiled once for all of them. Borrowed.

class executor_reference {
    struct task {
        const void* held;
        void (*call)(const void*, std::size_t);
        void operator()(std::size_t i) const { call(held, i); }
    };

  public:
    template <executor E>
    explicit executor_reference(const E& e)
        : held_{&e},
          run_{[](const void* held, std::size_t count, const task& t) {
              static_cast<const E*>(held)->run(count, t);
          }},
          width_{width_of(e)} {}

    std::size_t width() const { return width_; }
    template <class Task>
    void run(std::size_t count, Task&& t) const {
        using type = std::remove_reference_t<Task>;
        run_(held_, count, task{&t, [](const void* held, std::size_t i) {
                                    (*static_cast<type*>(const_cast<void*>(held)))(i);
                                }});
    }

  private:
    const void* held_;
    void (*run_)(const void*, std::size_t, const task&);
    std::size_t width_;
};

class observer_reference {
  public:
    template <class O>
    explicit observer_reference(O& o) {
        if constexpr (!std::is_same_v<std::remove_const_t<O>, no_observer>) {
            held_ = &o;
            see_ = [](const void* held, const sighting& s) {
                (*static_cast<O*>(const_cast<void*>(held)))(s);
            };
        }
    }
    void operator()(const sighting& s) const {
        if (see_ != nullptr) {
            see_(held_, s);
        }
    }

  private:
    const void* held_ = nullptr;
    void (*see_)(const void*, const sighting&) = nullptr;
};

} // namespace detail

TAMIS_END
