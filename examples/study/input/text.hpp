#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "model/tokenizer.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace app {

/// The text without white space at both ends.
inline std::string_view strip(std::string_view text) {
    constexpr std::string_view white = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(white);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

/// The stories of a text: split at <|endoftext|>, stripped, empty ones left out.
inline std::vector<std::string_view> split_stories(std::string_view text) {
    constexpr std::string_view separator = "<|endoftext|>";
    std::vector<std::string_view> stories;
    for (;;) {
        const std::size_t end = text.find(separator);
        if (const auto story = strip(text.substr(0, end)); !story.empty()) {
            stories.push_back(story);
        }
        if (end == std::string_view::npos) {
            return stories;
        }
        text.remove_prefix(end + separator.size());
    }
}

/// Stories first .. last - 1, written "A:B"; an end left out ("A:", ":B") is the text's.
struct story_range {
    std::size_t first = 0, last = 0;

    static story_range parse(std::string_view text, std::size_t stories, const std::string& name) {
        const auto bad = [&](const auto&... why) {
            return error("--stories ", text, ": ", why..., " (", name, " has ", stories, " stories)");
        };
        const std::size_t colon = text.find(':');
        if (colon == std::string_view::npos) {
            throw bad("A:B is needed, a half-open range");
        }
        const auto number = [&](std::string_view digits, std::size_t otherwise) {
            if (digits.empty()) {
                return otherwise;
            }
            std::size_t value = 0;
            const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
            if (code != std::errc{} || end != digits.data() + digits.size()) {
                throw bad("\"", digits, "\" is no story number");
            }
            return value;
        };
        const story_range range{number(text.substr(0, colon), 0), number(text.substr(colon + 1), stories)};
        if (range.first >= range.last) {
            throw bad("the range is empty");
        }
        if (range.last > stories) {
            throw bad("the range ends behind the last story");
        }
        return range;
    }
};

/// A text as token blocks, each cut at seq_len.
inline std::vector<std::vector<token>> encode_stories(std::span<const std::string_view> stories,
                                                      const tokenizer& tokens, std::size_t seq_len) {
    std::vector<std::vector<token>> blocks;
    for (const auto story : stories) {
        blocks.push_back(tokens.encode(story));
        blocks.back().resize(std::min(blocks.back().size(), seq_len));
    }
    return blocks;
}

} // namespace app
