#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace app {

/// One line from its parts: line("token ", 7, " of ", name).
template <class... Parts>
std::string line(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

/// What is wrong and where, in one line. main prints it to stderr and ends with exit code 2.
struct error : std::runtime_error {
    template <class... Parts>
    explicit error(const Parts&... parts) : std::runtime_error{line(parts...)} {}
};

} // namespace app
