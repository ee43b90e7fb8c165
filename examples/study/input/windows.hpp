#pragma once

#include "error.hpp"
#include "model/tokenizer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace app {

/// Tokens that the model reads at once: a story, or a window of one that is longer than the model's context. It is a vector
/// of tokens that knows which of them count: those before first_scored are context, predicted and counted elsewhere.
struct story : std::vector<token> {
    using std::vector<token>::vector;
    story() = default;
    story(std::vector<token> tokens) : std::vector<token>(std::move(tokens)) {}

    std::size_t first_scored = 1; ///< the first token whose prediction counts; none predicts the one in front
    std::size_t number = 0;       ///< of the story among those that are used
    std::size_t begin_in_story = 0;
    bool chunk = false; ///< one of windowing::chunks

    std::size_t predictions() const { return size() > first_scored ? size() - first_scored : 0; }
    /// The first token at which what the model does counts: the one that predicts first_scored.
    std::size_t first_seen() const { return first_scored - 1; }
};

/// What becomes of a story that is longer than the model's context. With windows every token of it but the first is predicted
/// once: the first window counts all its predictions, each other one those of the tokens that no window before it had.
/// Chunks are windows as llama.cpp's perplexity tool cuts a text: one behind the other, each with BOS in place of its first token,
/// and what is left at the end is not read.
struct windowing {
    enum kind { cut, disjoint, sliding, chunks };
    kind how = cut;
    std::size_t stride = 0; ///< of sliding: tokens from one window's begin to the next one's

    /// "chunks", "disjoint", or a stride.
    static windowing parse(const std::string& text) {
        if (text == "chunks") {
            return {chunks, 0};
        }
        if (text == "disjoint") {
            return {disjoint, 0};
        }
        const bool digits =
            !text.empty() && text.size() < 8 && text.find_first_not_of("0123456789") == std::string::npos;
        const std::size_t stride = digits ? std::stoul(text) : 0;
        if (stride == 0) {
            throw error(
                "--windows \"", text,
                "\": chunks or disjoint is needed, or a stride in tokens from 1 to less than the model's context");
        }
        return {sliding, stride};
    }
    /// Tokens between the windows' begins. Neighbours share a token at least: a window's first is not predicted in it.
    std::size_t stride_for(std::size_t seq_len) const {
        const std::size_t most = seq_len - 1;
        if (most < 1 || (how == sliding && stride > most)) {
            throw error("--windows ", how == sliding ? std::to_string(stride) : std::string{"disjoint"},
                        ": a stride from 1 to ", most, " is needed, less than the model's context of ",
                        seq_len, " tokens");
        }
        return how == sliding ? stride : most;
    }
};

/// What is read of a text.
struct text_use {
    std::size_t stories = 0, cut = 0;   ///< cut: longer than what is read of them
    std::uint64_t tokens = 0, used = 0; ///< of all stories, BOS included; used: in a window
};

/// Appends the chunks of a text; `begin` takes the place of the first token of each, unless it is -1.
inline void add_chunks(const std::vector<token>& tokens, std::size_t seq_len, token begin,
                       std::vector<story>& to, text_use& use) {
    const std::size_t number = use.stories++, size = tokens.size();
    std::size_t at = 0;
    for (; at + seq_len <= size; at += seq_len) {
        story window{tokens.begin() + static_cast<std::ptrdiff_t>(at),
                     tokens.begin() + static_cast<std::ptrdiff_t>(at + seq_len)};
        window.front() = begin < 0 ? window.front() : begin;
        window.number = number;
        window.begin_in_story = at;
        window.chunk = true;
        to.push_back(std::move(window));
    }
    use.tokens += size;
    use.used += at;
    use.cut += at < size ? 1 : 0;
}

/// Appends the windows of a story.
inline void add_windows(const std::vector<token>& tokens, std::size_t seq_len, windowing how,
                        std::vector<story>& to, text_use& use) {
    const std::size_t number = use.stories++, size = tokens.size();
    const std::size_t stride = how.how == windowing::cut ? size : how.stride_for(seq_len);
    std::size_t scored = 1; // tokens that are predicted, or have no prediction
    for (std::size_t begin = 0; begin == 0 || (scored < size && begin < size); begin += stride) {
        const std::size_t end = std::min(size, begin + seq_len);
        story window{tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                     tokens.begin() + static_cast<std::ptrdiff_t>(end)};
        window.first_scored = scored - begin;
        window.number = number;
        window.begin_in_story = begin;
        to.push_back(std::move(window));
        scored = std::max(scored, end);
    }
    use.tokens += size;
    use.used += std::min(size, scored);
    use.cut += scored < size ? 1 : 0;
}

} // namespace app
