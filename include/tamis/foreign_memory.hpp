#pragma once

#include <tamis/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

TAMIS_BEGIN

// What another language hands over, pointers and sizes that no type of C++ vouches for, checked as far as numbers tell: for those who
// write an interface to one. What can not be seen is whether memory is as long as it is said to be. Each refuses by fail(), with the
// argument's name and its value. Allocates a text where it refuses, and nothing else.

#if defined(__cpp_exceptions)
/// Memory of the caller that is too small: what need_room throws.
struct room_error : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};
#endif

/// More bytes than any machine has; sums and products of a few sizes below it do not overflow.
inline constexpr std::size_t most_bytes = ~std::size_t{0} >> (sizeof(std::size_t) > 4 ? 18 : 2);

namespace detail {

[[noreturn]] inline void refuse_foreign(std::string_view name, const std::string& what) {
    fail(("tamis: " + std::string{name} + what).c_str());
}

} // namespace detail

/// Refuses more than `most`.
inline void need_at_most(std::string_view name, std::size_t value, std::size_t most) {
    if (value > most) {
        detail::refuse_foreign(name, " is " + std::to_string(value) + ", and may be " + std::to_string(most) +
                                         " at most");
    }
}

/// Refuses fewer bytes than are needed, by a room_error, of which ending_of makes too_small.
inline void need_room(std::string_view name, std::size_t bytes, std::size_t needed) {
    if (bytes < needed) {
        const std::string text = "tamis: " + std::string{name} + " needs " + std::to_string(needed) +
                                 " bytes, got " + std::to_string(bytes) +
                                 "; ask the query beside the function";
#if defined(__cpp_exceptions)
        throw room_error{text};
#else
        fail(text.c_str());
#endif
    }
}

/// a * b. Refuses a product above most_bytes.
inline std::size_t checked_product(std::string_view name, std::size_t a, std::size_t b) {
    if (b != 0 && a > most_bytes / b) {
        detail::refuse_foreign(name, ": sizes and strides of " + std::to_string(a) + " times " +
                                         std::to_string(b) + " are more than memory has");
    }
    return a * b;
}

/// Bytes from the first to the last of rows x columns numbers of `each` bytes; entry j of row i lies i * stride + j * step numbers behind
/// the first. 0 without any. Refuses what overflows.
inline std::size_t checked_extent(std::string_view name, std::size_t rows, std::size_t stride,
                                  std::size_t columns, std::size_t step, std::size_t each) {
    if (rows == 0 || columns == 0) {
        return 0;
    }
    const std::size_t last =
        checked_product(name, rows - 1, stride) + checked_product(name, columns - 1, step);
    return checked_product(name, last + 1, each);
}

/// Memory of the caller, by its address and size. Borrowed, as is the name.
class foreign_memory {
  public:
    /// Refuses bytes at a null pointer, an address that is no multiple of the alignment (of a null pointer, too, where there is none),
    /// and more bytes than there can be behind it.
    foreign_memory(std::string_view name, const void* first, std::size_t bytes, std::size_t alignment = 1)
        : name_{name}, first_{reinterpret_cast<std::uintptr_t>(first)}, bytes_{bytes} {
        if (first == nullptr && bytes != 0) {
            detail::refuse_foreign(name, " is a null pointer");
        }
        if (first_ % alignment != 0) {
            detail::refuse_foreign(name,
                                   " lies at an address that is no multiple of " + std::to_string(alignment));
        }
        if (bytes > most_bytes || first_ + bytes < first_) {
            detail::refuse_foreign(name,
                                   " has " + std::to_string(bytes) + " bytes, which reach beyond all memory");
        }
    }
    /// Of so many objects of a type, aligned as these are.
    template <class T>
    static foreign_memory of(std::string_view name, const T* first, std::size_t count) {
        return {name, first, checked_product(name, count, sizeof(T)), alignof(T)};
    }

    /// As it was given.
    std::string_view name() const { return name_; }
    /// How many.
    std::size_t bytes() const { return bytes_; }
    /// Whether both have a byte.
    bool overlaps(const foreign_memory& other) const {
        return bytes_ != 0 && other.bytes_ != 0 && first_ < other.first_ + other.bytes_ &&
               other.first_ < first_ + bytes_;
    }

  private:
    std::string_view name_;
    std::uintptr_t first_;
    std::size_t bytes_;
};

/// One object at an address. Refuses a null pointer, and one that is not aligned.
template <class T>
T& need_object(std::string_view name, T* p) {
    (void)foreign_memory::of(name, p, 1);
    return *p;
}
/// `count` objects, or none where the pointer is null. Refuses what foreign_memory does.
template <class T>
std::span<T> need_objects_or_none(std::string_view name, T* p, std::size_t count) {
    (void)foreign_memory::of(name, p, p == nullptr ? 0 : count);
    return {p, p == nullptr ? 0 : count};
}
/// A struct that begins with its size, `size`, as the caller compiled it. Refuses another than it has here.
template <class T>
const T& need_sized(std::string_view name, const T* p) {
    if (need_object(name, p).size != sizeof(T)) {
        detail::refuse_foreign(name, ".size is " + std::to_string(p->size) + ", but this library has " +
                                         std::to_string(sizeof(T)) +
                                         ": set it to sizeof, and use the library's header");
    }
    return *p;
}
/// A text that ends with a zero. Refuses a null pointer.
inline std::string_view need_text(std::string_view name, const char* text) {
    return &need_object(name, text);
}

/// Refuses any two that overlap.
inline void need_apart(std::initializer_list<foreign_memory> all) {
    for (const foreign_memory* a = all.begin(); a != all.end(); ++a) {
        for (const foreign_memory* b = a + 1; b != all.end(); ++b) {
            if (a->overlaps(*b)) {
                detail::refuse_foreign(a->name(), " and " + std::string{b->name()} +
                                                      " overlap: give each memory of its own");
            }
        }
    }
}

/// Refuses masks of `entries` each, one behind the other, in which bits behind the last entry are not 0: they would be entries that there
/// are not.
inline void need_clear_behind(std::string_view name, std::span<const std::uint64_t> words,
                              std::size_t entries) {
    const std::size_t each = entries / 64 + 1;
    for (std::size_t last = each; entries % 64 != 0 && last <= words.size(); last += each) {
        if (words[last - 1] >> (entries % 64) != 0) {
            detail::refuse_foreign(name, ": bits behind the last of " + std::to_string(entries) +
                                             " entries have to be 0");
        }
    }
}

TAMIS_END
