#pragma once

#include "error.hpp"
#include "input/file.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace app {

using token = std::int32_t;

/// A byte-pair tokenizer as llama2.c stores it: int32 longest token, then for each token of the vocabulary
/// float score, int32 length, bytes. Token 1 begins a text; tokens 3 .. 258 are the 256 bytes.
class tokenizer {
  public:
    static constexpr token bos = 1;
    static constexpr token first_byte = 3;

    tokenizer(const source& from, std::size_t vocab_size) {
        const std::string vocabulary = line("a vocabulary of ", vocab_size, " (the checkpoint's)");
        if (vocab_size < first_byte + 256) {
            throw error(from.name, ": ", vocabulary, " has no room for the 256 byte tokens");
        }
        const auto foreign = [&](const auto&... why) {
            return error(from.name, ": not a llama2.c tokenizer: ", why...);
        };
        reader in{from};
        const auto longest = in.take<std::int32_t>("the longest token's length");
        if (longest < 1 || longest > 4096) {
            throw foreign("longest token of ", longest, " bytes (int32 at byte 0)");
        }
        for (std::size_t id = 0; id < vocab_size; ++id) {
            const std::string entry = line("token ", id, " of ", vocabulary);
            scores_.push_back(in.take<float>(entry));
            if (!std::isfinite(scores_.back())) {
                throw foreign(entry, " has a score that is no number, at byte ", in.offset() - 4);
            }
            const auto length = in.take<std::int32_t>(entry);
            if (length < 0 || length > longest) {
                throw foreign(entry, " has length ", length, " at byte ", in.offset() - 4,
                              ", the longest is ", longest);
            }
            const auto bytes = in.take_bytes(static_cast<std::size_t>(length), entry);
            pieces_.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        }
        in.expect_end(vocabulary);
        index();
    }

    /// BOS, a leading space, then the text: characters (unknown ones as bytes), merged by best score.
    std::vector<token> encode(std::string_view text) const {
        std::vector<token> tokens{bos};
        if (text.empty()) {
            return tokens;
        }
        if (const token space = find(" "); space >= 0) {
            tokens.push_back(space);
        }
        for (std::size_t at = 0; at < text.size();) {
            const std::string_view character = text.substr(at, character_length(text, at));
            if (const token whole = find(character); whole >= 0) {
                tokens.push_back(whole);
            } else {
                for (const char byte : character) {
                    tokens.push_back(first_byte + static_cast<unsigned char>(byte));
                }
            }
            at += character.size();
        }
        merge(tokens);
        return tokens;
    }

    /// The text of tokens from encode, its leading space included.
    std::string decode(const std::vector<token>& tokens) const {
        std::string text;
        for (const token t : tokens) {
            if (t == bos) {
                continue;
            }
            if (t >= first_byte && t < first_byte + 256) {
                text += static_cast<char>(t - first_byte);
            } else {
                text += pieces_.at(static_cast<std::size_t>(t));
            }
        }
        return text;
    }

    std::size_t vocab_size() const { return pieces_.size(); }

  private:
    /// Finds pieces by text, and the result of each possible merge by its pair of tokens.
    void index() {
        for (std::size_t id = 0; id < pieces_.size(); ++id) {
            ids_.try_emplace(pieces_[id], static_cast<token>(id));
        }
        for (const std::string& piece : pieces_) {
            for (std::size_t cut = 1; cut < piece.size(); ++cut) {
                const token left = find(std::string_view{piece}.substr(0, cut));
                const token right = find(std::string_view{piece}.substr(cut));
                if (left >= 0 && right >= 0) {
                    merged_.try_emplace(pair_key(left, right), find(piece));
                }
            }
        }
    }

    token find(std::string_view piece) const {
        const auto found = ids_.find(std::string{piece});
        return found == ids_.end() ? -1 : found->second;
    }

    static std::uint64_t pair_key(token left, token right) {
        return (static_cast<std::uint64_t>(left) << 32) | static_cast<std::uint32_t>(right);
    }

    /// Bytes of the UTF-8 character at `at`: its head, then continuation bytes (10xxxxxx), four at most.
    static std::size_t character_length(std::string_view text, std::size_t at) {
        std::size_t length = 1;
        while (length < 4 && at + length < text.size() && (text[at + length] & 0xC0) == 0x80) {
            ++length;
        }
        return length;
    }

    /// Again and again the neighbours whose merge scores best become one token, the leftmost of equals first.
    /// A queue of candidates and a linked list make this n log n; a plain rescan per merge gives the same.
    void merge(std::vector<token>& tokens) const {
        struct candidate {
            float score;
            std::size_t at;    // position of the left token
            token left, right; // what stood there: a candidate that no longer fits is stale
            token result;
            bool operator<(const candidate& other) const { // the queue's top is its largest
                return score != other.score ? score < other.score : at > other.at;
            }
        };
        const std::size_t end = tokens.size();
        std::vector<std::size_t> next(end), previous(end);
        for (std::size_t i = 0; i < end; ++i) {
            next[i] = i + 1;
            previous[i] = i - 1; // wraps at 0 and is not used there: BOS merges with nothing
        }
        std::priority_queue<candidate> queue;
        const auto offer = [&](std::size_t at) {
            if (next[at] >= end) {
                return;
            }
            const token left = tokens[at], right = tokens[next[at]];
            const auto found = merged_.find(pair_key(left, right));
            if (found == merged_.end()) {
                return;
            }
            queue.push({scores_[static_cast<std::size_t>(found->second)], at, left, right, found->second});
        };
        for (std::size_t i = 1; i < end; ++i) {
            offer(i);
        }
        constexpr token gone = -1;
        while (!queue.empty()) {
            const candidate best = queue.top();
            queue.pop();
            const std::size_t at = best.at, right = next[at];
            if (tokens[at] != best.left || right >= end || tokens[right] != best.right) {
                continue;
            }
            tokens[at] = best.result;
            tokens[right] = gone;
            next[at] = next[right];
            if (next[at] < end) {
                previous[next[at]] = at;
            }
            if (previous[at] >= 1) {
                offer(previous[at]);
            }
            offer(at);
        }
        std::erase(tokens, gone);
    }

    std::vector<float> scores_;
    std::vector<std::string> pieces_;
    std::unordered_map<std::string, token> ids_;
    std::unordered_map<std::uint64_t, token> merged_;
};

} // namespace app
