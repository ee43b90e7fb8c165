#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#if defined(__cpp_exceptions)
#include <stdexcept>
#endif

TAMIS_BEGIN

// How the library says that an argument is wrong. Constructors and functions that are called once check and
// say: the argument, its value, the way out. Hot paths check nothing that their types or constructors ensure.

/// Throws std::invalid_argument with `message`; without exceptions prints it to stderr and aborts.
[[noreturn]] inline void fail(const char* message) {
#if defined(__cpp_exceptions)
    throw std::invalid_argument(message);
#else
    std::fprintf(stderr, "%s\n", message);
    std::abort();
#endif
}

/// The same with one number in it: `format` is printf's, with exactly one floating-point conversion for `value`.
[[noreturn]] inline void fail_value(const char* format, double value) {
    char text[256];
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    std::snprintf(text, sizeof text, format, value);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    fail(text);
}

/// The same with two sizes in it: `format` has two %zu, what was needed and what came.
[[noreturn]] inline void fail_sizes(const char* format, std::size_t needed, std::size_t came) {
    char text[256];
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    std::snprintf(text, sizeof text, format, needed, came);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    fail(text);
}

namespace detail {

/// Refuses sizes that are not the same.
inline void need(const char* format, std::size_t needed, std::size_t came) {
    if (needed != came) {
        fail_sizes(format, needed, came);
    }
}

} // namespace detail

TAMIS_END
