#pragma once

#include <tamis/detail/config.hpp>

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

TAMIS_BEGIN

namespace detail {

/// A double, in C's notation whatever the locale is.
inline bool read_double(std::string_view text, double& value) {
#if defined(__cpp_lib_to_chars)
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
#else // libc++ before 20
    const std::string copy{text};
    char* end = nullptr;
    value = std::strtod(copy.c_str(), &end);
    return !copy.empty() && end == copy.c_str() + copy.size();
#endif
}

} // namespace detail

TAMIS_END
