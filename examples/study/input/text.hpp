#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/utf8.hpp"
#include "input/windows.hpp"
#include "model/tokenizer.hpp"
#include "remarks.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
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

inline constexpr std::string_view story_separator = "<|endoftext|>";

/// The text without the begin of a separator at its end ("<|endofte"), where a file was cut off.
inline std::string_view without_half_separator(std::string_view text) {
    for (std::size_t part = story_separator.size() - 1; part > 1; --part) {
        if (text.ends_with(story_separator.substr(0, part))) {
            return text.substr(0, text.size() - part);
        }
    }
    return text;
}

/// The stories of a text: split at <|endoftext|>, stripped, empty ones left out.
inline std::vector<std::string_view> split_stories(std::string_view text) {
    std::vector<std::string_view> stories;
    for (;;) {
        const std::size_t end = text.find(story_separator);
        if (const auto story = strip(text.substr(0, end)); !story.empty()) {
            stories.push_back(story);
        }
        if (end == std::string_view::npos) {
            return stories;
        }
        text.remove_prefix(end + story_separator.size());
    }
}

/// Stories first .. last - 1, written "A:B"; an end left out ("A:", ":B") is the text's.
struct story_range {
    std::size_t first = 0, last = 0;

    static story_range parse(std::string_view text, std::size_t stories, const std::string& name,
                             const char* option = "--stories", const char* what = "stories") {
        const auto bad = [&](const auto&... why) {
            return error(option, ' ', text, ": ", why..., " (", name, " has ", stories, ' ', what, ")");
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
inline std::vector<story> encode_stories(std::span<const std::string_view> stories, const tokenizer& tokens,
                                         std::size_t seq_len) {
    std::vector<story> blocks;
    text_use ignored;
    for (const auto text : stories) {
        add_windows(tokens.encode(text), seq_len, {}, blocks, ignored);
    }
    return blocks;
}

/// A text's stories as what the model reads.
struct encoded_text {
    std::vector<story> windows;
    text_use use;
};

namespace detail {

/// The chunks of a whole text, which is one story, and of them those of a range. Says where BOS stands and what is left over.
inline encoded_text encode_chunks(std::string_view text, const std::string& name, const std::string* range,
                                  const char* range_option, const tokenizer& tokens, std::size_t seq_len,
                                  remarks& notes) {
    const foreign_tokens* const own = tokens.foreign();
    const token begin = own != nullptr ? own->begin() : tokenizer::bos;
    const std::vector<token> ids = own != nullptr ? own->encode(text, false) : tokens.encode(text);
    encoded_text result;
    add_chunks(ids, seq_len, begin, result.windows, result.use);
    if (result.windows.empty()) {
        throw error(name, ": too short: ", ids.size(), " tokens, and a window has ", seq_len,
                    " (--context takes shorter ones)");
    }
    const std::size_t there = result.windows.size();
    if (range != nullptr) {
        const story_range taken = story_range::parse(*range, there, name, range_option, "windows");
        result.windows.assign(result.windows.begin() + static_cast<std::ptrdiff_t>(taken.first),
                              result.windows.begin() + static_cast<std::ptrdiff_t>(taken.last));
        result.use.used = result.windows.size() * seq_len;
    }
    notes.add(name, ": ", ids.size(), " tokens, ", there, there == 1 ? " window of " : " windows of ",
              seq_len, ", ", ids.size() - there * seq_len, " tokens left over at the end",
              result.windows.size() == there ? std::string{}
                                             : line("; ", result.windows.size(), " windows are read"),
              begin < 0 ? "; the model has no BOS, so each window begins with the text"
                        : "; BOS takes the place of each window's first token",
              own != nullptr && begin >= 0 && !own->adds_begin()
                  ? ", though the model's file does not ask for one"
                  : "");
    return result;
}

} // namespace detail

/// Of a text (plain_text made it) with this name the stories of a range, written as the option has it: refused with their
/// place are characters that the tokenizer cannot encode, and texts that predict nothing. Notes say what is not read.
inline encoded_text encode_text(std::string_view text, const std::string& name, const std::string* range,
                                const char* range_option, const tokenizer& tokens, std::size_t seq_len,
                                windowing how, remarks& notes) {
    const bool whole_text = tokens.foreign() != nullptr && how.how == windowing::cut &&
                            text.find(story_separator) == std::string_view::npos;
    if (how.how == windowing::chunks || whole_text) {
        return detail::encode_chunks(text, name, range, range_option, tokens, seq_len, notes);
    }
    const std::string_view whole = without_half_separator(text);
    if (whole.size() < text.size()) {
        notes.add(name, ": ends with \"", text.substr(whole.size()),
                  "\", which is left out: the file was cut off");
    }
    const std::vector<std::string_view> stories = split_stories(whole);
    if (stories.empty()) {
        throw error(name, ": no story in its ", text.size(), " bytes",
                    text.empty() ? "" : ", which are white space and separators");
    }
    story_range taken{0, stories.size()};
    if (range != nullptr) {
        taken = story_range::parse(*range, stories.size(), name, range_option);
    }
    encoded_text result;
    std::size_t lacking = 0;
    std::string first_lack;
    for (std::size_t i = taken.first; i < taken.last; ++i) {
        const auto ids = tokens.encode(stories[i], [&](std::size_t at, std::string_view character) {
            const auto story_begin = static_cast<std::size_t>(stories[i].data() - text.data());
            const std::string what = line(place_in(text, story_begin + at), ": ", tokens.lack_of(character));
            if (!tokens.has_unknown()) {
                throw error(name, ": ", what);
            }
            first_lack = lacking++ == 0 ? what : first_lack;
        });
        add_windows(ids, seq_len, how, result.windows, result.use);
    }
    const text_use& use = result.use;
    if (lacking > 0) {
        notes.add(name, ": ", lacking, lacking == 1 ? " character is" : " characters are",
                  " read as <unk>; the first in ", first_lack);
    }
    if (std::all_of(result.windows.begin(), result.windows.end(),
                    [](const story& w) { return w.predictions() == 0; })) {
        throw error(name, ": nothing to predict: no story has two tokens within the model's seq_len ",
                    seq_len);
    }
    if (use.cut > 0) {
        char share[16];
        std::snprintf(share, sizeof share, "%.1f",
                      100 * static_cast<double>(use.used) / static_cast<double>(use.tokens));
        notes.add(name, ": ", use.cut, " of ", use.stories, (use.stories == 1 ? " story" : " stories"),
                  use.cut == 1 ? " is" : " are", " longer than the model's context of ", seq_len,
                  " tokens and cut there: ", use.used, " of ", use.tokens, " tokens (", share,
                  " %) are used; --windows disjoint or --windows ", std::max<std::size_t>(1, seq_len / 2),
                  " takes all",
                  stories.size() == 1 ? line(" (there is no ", story_separator, " between stories)")
                                      : std::string{});
    }
    return result;
}

} // namespace app
