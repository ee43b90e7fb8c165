#pragma once

#include <tamis/error.hpp>

#include <cstddef>
#include <cstdint>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>

// What belongs to memory that others own: which of it overlaps, and that it outlives what is kept of it.

TAMIS_BEGIN

namespace detail {

/// False, of a template's argument: for what must not be instantiated.
template <class>
inline constexpr bool never = false;

/// A range that takes its elements with it when it goes: a vector that nobody has named, not a span.
template <class R>
concept unnamed_owner =
    !std::is_lvalue_reference_v<R> && std::ranges::contiguous_range<R> && !std::ranges::borrowed_range<R>;

/// A span of what keeps it: one of a temporary is refused.
template <class T>
class kept_span : public std::span<const T> {
  public:
    constexpr kept_span() = default;
    constexpr kept_span(const T* data, std::size_t size) : std::span<const T>{data, size} {}
    template <class R>
        requires std::is_convertible_v<R, std::span<const T>>
    constexpr kept_span(R&& range) : std::span<const T>(std::forward<R>(range)) {
        static_assert(
            !unnamed_owner<R>,
            "tamis: these values are kept, but this temporary is gone at the end of the expression: "
            "give it a name that lives as long");
    }
};

/// Rows of bytes, each `stride` behind the one before.
struct byte_rows {
    const void* first;
    std::size_t rows, bytes, stride;
};

/// Whether any row has a byte in a run of memory. O(1).
inline bool overlap(const byte_rows& a, const void* memory, std::size_t bytes) {
    const auto from = reinterpret_cast<std::uintptr_t>(a.first);
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    if (a.rows == 0 || a.bytes == 0 || bytes == 0 || begin + bytes <= from) {
        return false;
    }
    if (begin <= from) {
        return true;
    }
    const std::size_t stride = a.rows == 1 ? a.bytes : a.stride;
    const std::size_t row = (begin - from) / stride;
    return row < a.rows && ((begin - from) % stride < a.bytes ||
                            (row + 1 < a.rows && begin + bytes > from + (row + 1) * stride));
}
/// Whether any two rows do. O(1) where one lies behind the other as a whole, else O(rows).
inline bool overlap(const byte_rows& a, const byte_rows& b) {
    if (b.rows == 0 || b.bytes == 0 ||
        !overlap(byte_rows{b.first, 1, (b.rows - 1) * b.stride + b.bytes, 0}, a.first,
                 a.rows == 0 ? 0 : (a.rows - 1) * a.stride + a.bytes)) {
        return false;
    }
    for (std::size_t i = 0; i < b.rows; ++i) {
        if (overlap(a, static_cast<const std::byte*>(b.first) + i * b.stride, b.bytes)) {
            return true;
        }
    }
    return false;
}

} // namespace detail

TAMIS_END

template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<tamis::detail::kept_span<T>> = true;
