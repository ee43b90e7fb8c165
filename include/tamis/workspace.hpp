#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/detail/lifetimebound.hpp>
#include <tamis/error.hpp>
#include <tamis/huge_pages.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

TAMIS_BEGIN

/// The alignment of everything that is taken from a workspace: a cache line, and any vector register.
inline constexpr std::size_t workspace_alignment = 64;

/// Bytes that `count` objects of T take from a workspace.
template <class T>
constexpr std::size_t workspace_bytes_of(std::size_t count) {
    return (count * sizeof(T) + workspace_alignment - 1) / workspace_alignment * workspace_alignment;
}

TAMIS_END

TAMIS_BEGIN_SHARED

/// Scratch memory of the caller, handed out from the front. It is passed BY VALUE: what a callee takes is free
/// again when it returns, so a chain of calls needs the largest of its parts, not their sum. One workspace
/// serves one thread at a time. Every function that takes one has a query beside it for the bytes it needs.
class workspace {
  public:
    TAMIS_KEYED constexpr workspace() = default;

    /// Memory of any alignment; the queries' sizes hold for memory aligned to workspace_alignment, so add that
    /// much if it may not be.
    TAMIS_KEYED explicit workspace(std::span<std::byte> memory TAMIS_LIFETIMEBOUND)
        : next_{memory.data()}, left_{memory.size()} {
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
    TAMIS_KEYED std::span<T> take(std::size_t count) {
        if constexpr (detail::hardened) { // its bytes may be too many for a number
            constexpr std::size_t most = (~std::size_t{0} - workspace_alignment) / sizeof(T);
            if (count > most) {
                fail_sizes("tamis::workspace: at most %zu objects of this size can be, asked for were %zu",
                           most, count);
            }
        }
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
        if constexpr (!std::is_trivially_default_constructible_v<T>) {
            for (std::size_t i = 0; i < count; ++i) {
                ::new (static_cast<void*>(first + i)) T;
            }
        }
        return {first, count};
    }

    /// Bytes that may still be taken.
    TAMIS_KEYED std::size_t bytes_left() const { return left_; }
    /// What the next is taken from.
    TAMIS_KEYED std::span<const std::byte> memory_left() const { return {next_, left_}; }

  private:
    std::byte* next_ = nullptr;
    std::size_t left_ = 0;
};

/// Uninitialised bytes of its own, aligned as a workspace's are; 4 MiB and more are aligned to huge pages, which are asked for
/// (ask_for_huge_pages). Movable, not copyable.
class aligned_memory {
  public:
    TAMIS_KEYED aligned_memory() = default;
    /// So many bytes, uninitialised.
    TAMIS_KEYED explicit aligned_memory(std::size_t size)
        : first_{static_cast<std::byte*>(::operator new(size + 1, alignment_of(size)))}, size_{size} {
        if (alignment_of(size) == std::align_val_t{huge_page}) {
            ask_for_huge_pages({first_, size});
        }
    }
    /// The other has none then.
    TAMIS_KEYED aligned_memory(aligned_memory&& other) noexcept
        : first_{std::exchange(other.first_, nullptr)}, size_{std::exchange(other.size_, 0)} {}
    /// The other has none then.
    TAMIS_KEYED aligned_memory& operator=(aligned_memory&& other) noexcept {
        aligned_memory old{std::move(other)};
        std::swap(first_, old.first_);
        std::swap(size_, old.size_);
        return *this;
    }
    TAMIS_KEYED ~aligned_memory() { ::operator delete(first_, alignment_of(size_)); }

    /// All of them.
    TAMIS_KEYED std::span<std::byte> bytes() const& TAMIS_LIFETIMEBOUND { return {first_, size_}; }
    TAMIS_KEYED void bytes() const&& = delete; // tamis: these bytes go with a temporary; name that
    /// 0 when it has been moved from.
    TAMIS_KEYED std::size_t size() const { return size_; }

  private:
    TAMIS_KEYED static constexpr std::align_val_t alignment_of(std::size_t size) {
        return std::align_val_t{sizeof(void*) == 8 && size >= 2 * huge_page ? huge_page
                                                                            : workspace_alignment};
    }

    std::byte* first_ = nullptr;
    std::size_t size_ = 0;
};

/// A workspace with memory of its own, for those who have none to give: allocates once, at construction.
class owned_workspace {
  public:
    /// So many bytes.
    TAMIS_KEYED explicit owned_workspace(std::size_t bytes) : memory_{bytes} {}
    TAMIS_KEYED owned_workspace(owned_workspace&&) = default;
    TAMIS_KEYED owned_workspace& operator=(owned_workspace&&) = default;
    TAMIS_KEYED ~owned_workspace() = default;

    /// Good as an argument even of a temporary; a workspace that is kept needs an owned_workspace with a name.
    TAMIS_KEYED workspace view() TAMIS_LIFETIMEBOUND { return workspace{memory_.bytes()}; }
    /// The same as view().
    TAMIS_KEYED operator workspace() TAMIS_LIFETIMEBOUND { return view(); }

  private:
    aligned_memory memory_;
};

TAMIS_END
