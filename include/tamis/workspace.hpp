#pragma once

#include <tamis/error.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

TAMIS_BEGIN

/// The alignment of everything that is taken from a workspace: a cache line, and any vector register.
inline constexpr std::size_t workspace_alignment = 64;

/// Bytes that `count` objects of T take from a workspace.
template <class T>
constexpr std::size_t workspace_bytes_of(std::size_t count) {
    return (count * sizeof(T) + workspace_alignment - 1) / workspace_alignment * workspace_alignment;
}

/// Scratch memory of the caller, handed out from the front. It is passed BY VALUE: what a callee takes is free
/// again when it returns, so a chain of calls needs the largest of its parts, not their sum. One workspace
/// serves one thread at a time. Every function that takes one has a query beside it for the bytes it needs.
class workspace {
  public:
    constexpr workspace() = default;

    /// Memory of any alignment; the queries' sizes hold for memory aligned to workspace_alignment, so add that
    /// much if it may not be.
    explicit workspace(std::span<std::byte> memory) : next_{memory.data()}, left_{memory.size()} {
        void* start = next_;
        if (start != nullptr && std::align(workspace_alignment, 0, start, left_) != nullptr) {
            next_ = static_cast<std::byte*>(start);
        } else {
            left_ = 0;
        }
    }

    /// `count` uninitialised objects of a trivial type. Too small a workspace is the caller's error (it is said
    /// with the sizes); with the size of the query it does not happen.
    template <class T>
        requires std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>
    std::span<T> take(std::size_t count) {
        const std::size_t bytes = workspace_bytes_of<T>(count);
        if (bytes > left_) {
            fail_sizes(
                "tamis::workspace: %zu more bytes are needed, %zu are left; size it by the query beside the "
                "function (workspace_bytes)",
                bytes, left_);
        }
        T* const first = reinterpret_cast<T*>(next_);
        next_ += bytes;
        left_ -= bytes;
        return {std::uninitialized_default_construct_n(first, count) - static_cast<std::ptrdiff_t>(count),
                count};
    }

    std::size_t bytes_left() const { return left_; }

  private:
    std::byte* next_ = nullptr;
    std::size_t left_ = 0;
};

/// Uninitialised bytes of its own, aligned as a workspace's are. Movable, not copyable.
class aligned_memory {
  public:
    aligned_memory() = default;
    explicit aligned_memory(std::size_t size)
        : memory_{static_cast<std::byte*>(::operator new(size + 1, std::align_val_t{workspace_alignment}))},
          size_{size} {}

    std::span<std::byte> bytes() const { return {memory_.get(), size()}; }
    /// 0 when it has been moved from.
    std::size_t size() const { return memory_ == nullptr ? 0 : size_; }

  private:
    struct release {
        void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{workspace_alignment}); }
    };
    std::unique_ptr<std::byte, release> memory_;
    std::size_t size_ = 0;
};

/// A workspace with memory of its own, for those who have none to give: allocates once, at construction.
class owned_workspace {
  public:
    explicit owned_workspace(std::size_t bytes) : memory_{bytes} {}

    workspace view() { return workspace{memory_.bytes()}; }
    operator workspace() { return view(); }

  private:
    aligned_memory memory_;
};

TAMIS_END
