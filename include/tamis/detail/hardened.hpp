#pragma once

#include <tamis/error.hpp>

#include <cstddef>

TAMIS_BEGIN

// What a build with -DTAMIS_HARDENED checks beyond what is checked always: preconditions whose check would cost more than a
// few comparisons a call, or stands in a loop. docs/contracts.md has the table. It implies TAMIS_CHECKED.

namespace detail {

#if defined(TAMIS_HARDENED)
inline constexpr bool hardened = true;
#else
inline constexpr bool hardened = false;
#endif

/// Refuses an index that is not below `size`; `format` has two %zu, the size and the index. Callers ask for `hardened` first,
/// so that a plain build without optimisation has no call here either.
constexpr void need_index(const char* format, std::size_t i, std::size_t size) {
    if (i >= size) {
        fail_sizes(format, size, i);
    }
}

} // namespace detail

TAMIS_END
