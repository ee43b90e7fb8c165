#pragma once

#include <tamis/foreign_memory.hpp>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

TAMIS_BEGIN

/// A word of up to eight letters as a number.
constexpr std::uint64_t kind_of_handle(std::string_view word) {
    std::uint64_t kind = 0;
    for (const char letter : word.substr(0, 8)) {
        kind = kind << 8 | static_cast<unsigned char>(letter);
    }
    return kind;
}

/// What is behind an opaque pointer of another language. It begins with what it is, so that one kind of handle, or another pointer to eight
/// bytes at least, is not taken for another. (Memory that was freed can not be asked.)
///     struct my_rule : tamis::foreign_handle<tamis::kind_of_handle("rule"), text_rule> {};
///     *made = new_handle<my_rule>(text_rule);
///     need_handle("rule", given).select(...);
///     free_handle(given);
template <std::uint64_t Kind, class Held>
struct foreign_handle {
    std::uint64_t kind; ///< Kind; 0 when it is freed
    Held held;          ///< what it is a handle of

    /// Of this kind.
    static constexpr std::uint64_t right = Kind;
};

/// A new one, which free_handle ends.
template <class Handle, class Held>
Handle* new_handle(Held&& what) {
    return new Handle{{Handle::right, std::forward<Held>(what)}};
}
/// Whether what a pointer points at, eight bytes at least, is a handle of that kind.
template <class Handle>
bool is_handle(const Handle* h) {
    std::uint64_t found = 0;
    std::memcpy(&found, static_cast<const void*>(h), sizeof found);
    return found == Handle::right;
}
/// What a handle holds. Refuses null, an address that is not aligned, and another kind.
template <class Handle>
const auto& need_handle(std::string_view name, const Handle* h) {
    if (!is_handle(&need_object(name, h))) {
        detail::refuse_foreign(name, " is no handle of this kind, or was freed");
    }
    return h->held;
}
/// Ends one that was made by new. Of null and of another kind nothing becomes.
template <class Handle>
void free_handle(Handle* h) {
    if (h != nullptr && is_handle(h)) {
        h->kind = 0;
        delete h;
    }
}

TAMIS_END
