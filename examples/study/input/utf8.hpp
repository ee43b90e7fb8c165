#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace app {

// What bytes are, when they are to be a text: all that the reader of a text asks.

/// Bytes of the UTF-8 character at `at`; 0 where there is none: stray and missing continuation bytes, overlong forms,
/// surrogates, beyond U+10FFFF.
inline std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const unsigned lead = byte(0);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    // The second byte alone tells what is overlong, a surrogate, or too large.
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at >= text.size() || lead > 0xF4 || (size > 1 && (byte(1) < least || byte(1) > most))) {
        return 0;
    }
    for (std::size_t i = 2; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/// Whether the text ends before the character at `at` does: it was cut off there.
inline bool utf8_cut_off(std::string_view text, std::size_t at) {
    const std::size_t left = text.size() - at;
    if (left == 0 || left > 3) {
        return false;
    }
    for (const char* rest : {"\x80", "\x80\x80", "\x80\x80\x80", "\xA0\x80", "\x90\x80\x80"}) {
        const std::string whole = std::string{text.substr(at)} + rest;
        if (utf8_length(whole, 0) == whole.size()) {
            return true;
        }
    }
    return false;
}

/// The name of an encoding that is not UTF-8, told by a byte order mark or by where the zeros are; "" if nothing tells.
inline std::string foreign_encoding(std::string_view bytes) {
    using namespace std::string_view_literals;
    struct mark {
        std::string_view bytes;
        const char* name;
    };
    for (const mark& m : {mark{"\xFF\xFE\0\0"sv, "UTF-32LE"}, mark{"\0\0\xFE\xFF"sv, "UTF-32BE"},
                          mark{"\xFF\xFE"sv, "UTF-16LE"}, mark{"\xFE\xFF"sv, "UTF-16BE"}}) {
        if (bytes.starts_with(m.bytes)) {
            return m.name;
        }
    }
    std::array<std::size_t, 4> zeros{}; // by place modulo 4
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        zeros[i % 4] += bytes[i] == '\0' ? 1 : 0;
    }
    const std::size_t even = zeros[0] + zeros[2], odd = zeros[1] + zeros[3], all = even + odd;
    const std::size_t characters = bytes.size() / 4;
    if (characters > 0 && zeros[3] >= characters && zeros[2] * 10 >= characters * 9 &&
        zeros[0] * 2 < characters) {
        return "UTF-32LE";
    }
    if (characters > 0 && zeros[0] >= characters && zeros[1] * 10 >= characters * 9 &&
        zeros[3] * 2 < characters) {
        return "UTF-32BE";
    }
    if (all < 2 || all * 20 < bytes.size() || (std::max)(even, odd) * 10 < all * 9) {
        return {};
    }
    return odd > even ? "UTF-16LE" : "UTF-16BE";
}

/// "C3 A9"
inline std::string hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char b : bytes) {
        char two[4];
        std::snprintf(two, sizeof two, "%02X", static_cast<unsigned>(static_cast<unsigned char>(b)));
        text.append(text.empty() ? "" : " ").append(two);
    }
    return text;
}

/// "line 3, byte 14": where a byte is, both counted from 1.
inline std::string place_in(std::string_view text, std::size_t at) {
    const std::string_view before = text.substr(0, at);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t start = before.rfind('\n') + 1; // npos + 1 is 0
    return "line " + std::to_string(lines + 1) + ", byte " + std::to_string(at - start + 1);
}

} // namespace app
