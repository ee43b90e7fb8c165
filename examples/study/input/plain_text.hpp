#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/utf8.hpp"
#include "remarks.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace app {

namespace detail {

/// Counts what is found in a text, and knows where the first was.
struct finds {
    std::size_t count = 0, first = 0;
    void add(std::size_t at) { first = count++ == 0 ? at : first; }
};

/// Refuses what is no UTF-8.
inline void check_utf8(const source& from, std::string_view bytes) {
    if (const std::string name = foreign_encoding(bytes); !name.empty()) {
        throw error(from.name, ": a text in ", name, "; UTF-8 is needed (iconv -f ", name, " -t UTF-8)");
    }
    if (bytes.starts_with("version https://git-lfs.github.com/")) {
        throw error(from.name, ": a pointer of Git LFS in place of the file (git lfs pull fetches it)");
    }
    finds zeros, wrong;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = utf8_length(bytes, at);
        if (size == 0) {
            wrong.add(at);
        } else if (bytes[at] == '\0') {
            zeros.add(at);
        }
        at += size == 0 ? 1 : size;
    }
    const auto where = [&](const finds& f) {
        return line("at byte ", f.first, " (", place_in(bytes, f.first), ')',
                    f.count > 1 ? line(", the first of ", f.count) : std::string{});
    };
    if (wrong.count > 0 && utf8_cut_off(bytes, wrong.first)) {
        throw error(from.name, ": cut off: it ends within a character, ", where({1, wrong.first}));
    }
    if (wrong.count > 0) {
        throw error(from.name, ": no UTF-8: byte ", hexadecimal(bytes.substr(wrong.first, 1)),
                    " is part of no character ", where(wrong),
                    "; from another encoding iconv makes UTF-8 (iconv -f WINDOWS-1252 -t UTF-8)");
    }
    if (zeros.count > 0) {
        throw error(from.name, ": no text: a NUL ", where(zeros));
    }
}

} // namespace detail

/// A file's text as models were taught it: UTF-8, lines ended by LF, no byte order marks. What had to be changed for that,
/// and what was lost before, is noted; another encoding is refused with its name, what is no UTF-8 with its place.
inline std::string plain_text(const source& from, remarks& notes) {
    const std::string bytes = from.text();
    detail::check_utf8(from, bytes);
    constexpr std::string_view mark = "\xEF\xBB\xBF", replacement = "\xEF\xBF\xBD";
    detail::finds marks, pairs, returns, replacements, controls;
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const std::string_view c = std::string_view{bytes}.substr(at, utf8_length(bytes, at));
        const unsigned code = c.size() == 1                     ? static_cast<unsigned char>(c[0])
                              : c.size() == 2 && c[0] == '\xC2' ? static_cast<unsigned char>(c[1])
                                                                : 0x100; // only controls are of interest
        if (c == mark) {
            marks.add(at);
        } else if (c == "\r") {
            const bool pair = at + 1 < bytes.size() && bytes[at + 1] == '\n';
            (pair ? pairs : returns).add(at);
            if (!pair) {
                text += '\n';
            }
        } else {
            if (c == replacement) {
                replacements.add(at);
            } else if ((code < 0x20 && (code < '\t' || code > '\f')) || (code >= 0x7F && code < 0xA0)) {
                controls.add(at);
            }
            text += c;
        }
        at += c.size();
    }
    const auto say = [&](const detail::finds& f, const char* one, const char* several, const char* what) {
        if (f.count > 0) {
            notes.add(from.name, ": ", f.count, ' ', f.count == 1 ? one : several, " (the first at byte ",
                      f.first, ", ", place_in(bytes, f.first), ") ", what);
        }
    };
    say(marks, "byte order mark", "byte order marks", "left out");
    say(pairs, "line end CR LF", "line ends CR LF", "read as LF");
    say(returns, "carriage return without LF", "carriage returns without LF", "read as LF");
    say(replacements, "character U+FFFD", "characters U+FFFD", "where an earlier conversion lost something");
    say(controls, "control character", "control characters", "in the text, kept");
    return text;
}

} // namespace app
