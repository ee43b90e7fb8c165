#pragma once

#include <tamis/foreign_memory.hpp>

#include <cstddef>
#include <cstdio>
#include <string>
#if defined(__cpp_exceptions)
#include <exception>
#include <new>
#include <stdexcept>
#endif

TAMIS_BEGIN

/// Refuses by a text, if there is one: what a reading (read_rule, read_gating ...) has in `error`.
inline void fail_if(const std::string& error) {
    if (!error.empty()) {
        fail(error.c_str());
    }
}

/// How a call ended: what an interface says across which no exception may go.
enum class ending { done, refused, too_small, no_memory, fault };

/// Calls f. What it throws goes to `text` (of `room` bytes, or null) as a sentence that ends with a zero: what the library refuses, and
/// every std::logic_error, is refused; room_error is too_small, std::bad_alloc no_memory, all else a fault. Of a call that is done nothing is written.
///     OrtStatus* status(F&& f) { char text[512]; return ending_of(f, text, sizeof text) == ending::done ? nullptr : make(text); }
/// Without exceptions fail() has ended the program before.
template <class F>
ending ending_of(F&& f, char* text, std::size_t room) noexcept {
#if defined(__cpp_exceptions)
    const auto say = [&](ending how, const char* what) {
        if (text != nullptr && room != 0) {
            std::snprintf(text, room, "%s", what);
        }
        return how;
    };
    try {
        f();
    } catch (const std::bad_alloc&) {
        return say(ending::no_memory, "tamis: there is not enough memory");
    } catch (const room_error& e) {
        return say(ending::too_small, e.what());
    } catch (const std::logic_error& e) {
        return say(ending::refused, e.what());
    } catch (const std::exception& e) {
        return say(ending::fault, e.what());
    } catch (...) {
        return say(ending::fault, "tamis: an unknown fault");
    }
#else
    (void)text, (void)room;
    f();
#endif
    return ending::done;
}

TAMIS_END
