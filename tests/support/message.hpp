#pragma once

#include <exception>
#include <string>

/// What a call says when it is refused, so that a test can look for the argument's name and its value; empty when
/// it is not refused. Only in builds with exceptions: without them a refusal ends the program.
#if defined(__cpp_exceptions)
template <class Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return {};
}
#endif
