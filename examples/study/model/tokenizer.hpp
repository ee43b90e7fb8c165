#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "input/utf8.hpp"
#include "remarks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace app {

using token = std::int32_t;

/// The tokens of a model that brings its own.
class foreign_tokens {
  public:
    virtual ~foreign_tokens() = default;
    /// A story: BOS first, where the model has one. A plain text: as the model's own tools encode it.
    virtual std::vector<token> encode(std::string_view text, bool story) const = 0;
    virtual std::string decode(const std::vector<token>& tokens) const = 0;
    virtual std::size_t vocab_size() const = 0;
    /// BOS, or -1.
    virtual token begin() const = 0;
    /// Whether the model's own tools put it in front of a text.
    virtual bool adds_begin() const = 0;
};

/// A byte-pair tokenizer as llama2.c stores it: int32 longest token, then for each token of the vocabulary
/// float score, int32 length, bytes. Token 1 begins a text. Tokens 3 .. 258 are the 256 bytes, if they are called so ("<0xC3>",
/// or the byte itself): a vocabulary without them has "<unk>" for token 0, or cannot encode every text.
class tokenizer {
  public:
    static constexpr token unknown = 0;
    static constexpr token bos = 1;
    static constexpr token first_byte = 3;

    /// Those of a model that brings its own.
    explicit tokenizer(const foreign_tokens& from) : foreign_{&from} {}
    tokenizer(const source& from, std::size_t vocab_size) {
        const std::size_t held = tokens_in(from);
        const std::string vocabulary =
            line("a vocabulary of ", vocab_size, " (the checkpoint's",
                 held > 0 && held != vocab_size ? line("; here are ", held, " tokens, of another model)")
                                                : ")");
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
        check(from.name, static_cast<std::size_t>(longest));
    }

    /// BOS, a leading space, then the text: characters (those that are no piece as bytes), merged by best score. A character
    /// of which a byte has no token is an error that says so.
    std::vector<token> encode(std::string_view text) const {
        return encode(text, [&](std::size_t at, std::string_view character) {
            throw error(place_in(text, at), " of the text: ", lack_of(character));
        });
    }
    /// The same, but that on_unknown(place in the text, character) is called with such a character, which then becomes
    /// <unk>; without <unk> (has_unknown() is false) it has to throw.
    template <class OnUnknown>
    std::vector<token> encode(std::string_view text, OnUnknown&& on_unknown) const {
        if (foreign_ != nullptr) {
            return foreign_->encode(text, true);
        }
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
            } else if (std::all_of(character.begin(), character.end(),
                                   [&](char byte) { return byte_token(byte) >= 0; })) {
                for (const char byte : character) {
                    tokens.push_back(byte_token(byte));
                }
            } else {
                on_unknown(at, character);
                tokens.push_back(unknown);
            }
            at += character.size();
        }
        merge(tokens);
        return tokens;
    }

    /// The text of tokens from encode, its leading space included.
    std::string decode(const std::vector<token>& tokens) const {
        if (foreign_ != nullptr) {
            return foreign_->decode(tokens);
        }
        std::string text;
        for (const token t : tokens) {
            if (t == bos) {
                continue;
            }
            const std::string& piece = pieces_.at(static_cast<std::size_t>(t));
            if (is_byte(static_cast<std::size_t>(t))) {
                text += static_cast<char>(t - first_byte);
            } else {
                text += piece;
            }
        }
        return text;
    }

    std::size_t vocab_size() const { return foreign_ != nullptr ? foreign_->vocab_size() : pieces_.size(); }
    /// Null for those of a llama2.c file.
    const foreign_tokens* foreign() const { return foreign_; }
    /// Whether token 0 stands for what has no token.
    bool has_unknown() const { return foreign_ == nullptr && pieces_[unknown] == "<unk>"; }
    /// What is odd about the file, though it can be read.
    const remarks& notes() const { return notes_; }

    /// "no token for "e" (bytes C3 A9): token 198, the byte C3, is called "x"".
    std::string lack_of(std::string_view character) const {
        const auto byte =
            std::find_if(character.begin(), character.end(), [&](char b) { return byte_token(b) < 0; });
        const std::string bytes = hexadecimal(character);
        const auto id = static_cast<std::size_t>(first_byte + static_cast<unsigned char>(*byte));
        return line("the tokenizer has no token for \"", utf8_length(character, 0) > 0 ? character : "?",
                    "\" (", character.size() > 1 ? "bytes " : "byte ", bytes, "): token ", id,
                    ", which should be the byte ", hexadecimal({&*byte, 1}), ", is \"", pieces_[id], '"');
    }

  private:
    /// How many tokens a file holds; 0 if it does not end behind a token.
    static std::size_t tokens_in(const source& from) {
        const auto& bytes = from.bytes;
        std::size_t count = 0, at = sizeof(std::int32_t);
        for (; at + 8 <= bytes.size(); ++count) {
            std::int32_t length;
            std::memcpy(&length, bytes.data() + at + sizeof(float), sizeof length);
            if (length < 0 || static_cast<std::size_t>(length) > bytes.size() - at - 8) {
                return 0;
            }
            at += 8 + static_cast<std::size_t>(length);
        }
        return at == bytes.size() ? count : 0;
    }

    token byte_token(char byte) const { return byte_tokens_[static_cast<unsigned char>(byte)]; }

    /// Which of the tokens 3 .. 258 are the bytes: "<0xC3>", the byte itself or, in older files, the character of that
    /// number. In those letters are there twice, as bytes and behind them; elsewhere such a token is the character.
    void find_bytes() {
        const bool older = std::find(pieces_.begin() + first_byte + 256, pieces_.end(), "e") != pieces_.end();
        for (int byte = 0; byte < 256; ++byte) {
            const token id = first_byte + byte;
            const std::string& piece = pieces_[static_cast<std::size_t>(id)];
            char named[8];
            std::snprintf(named, sizeof named, "<0x%02X>", static_cast<unsigned>(byte));
            std::string upper = piece;
            for (char& c : upper) {
                c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
            }
            const std::string raw(1, static_cast<char>(byte));
            const std::string character = byte < 0x80 ? raw
                                                      : std::string{static_cast<char>(0xC0 | byte >> 6),
                                                                    static_cast<char>(0x80 | (byte & 0x3F))};
            const bool fits = upper == named || piece == raw || (older && piece == character);
            byte_tokens_[static_cast<std::size_t>(byte)] = fits ? id : -1;
        }
    }
    bool is_byte(std::size_t id) const {
        return id >= first_byte && id < first_byte + 256 && byte_tokens_[id - first_byte] >= 0;
    }

    /// Notes what a sound file does not have.
    void check(const std::string& name, std::size_t longest) {
        std::size_t empty = 0, first_empty = 0, twice = 0, first_twice = 0, length = 0;
        for (std::size_t id = 0; id < pieces_.size(); ++id) {
            length = std::max(length, pieces_[id].size());
            if (pieces_[id].empty()) {
                first_empty = empty++ == 0 ? id : first_empty;
            } else if (!is_byte(id) && find(pieces_[id]) != static_cast<token>(id)) {
                first_twice = twice++ == 0 ? id : first_twice;
            }
        }
        constexpr std::array begins{"<s>", "bos", "BOS", "begin", "text|>"}; // as vocabularies call it
        if (std::none_of(begins.begin(), begins.end(),
                         [&](const char* part) { return pieces_[bos].find(part) != std::string::npos; })) {
            notes_.add(name, ": token 1, with which every text begins, is \"", pieces_[bos], "\", not <s>");
        }
        if (find(" ") < 0) {
            notes_.add(name, ": there is no token for a space: texts begin without one");
        }
        if (empty > 0) {
            notes_.add(name, ": ", empty, empty == 1 ? " token is" : " tokens are", " empty (the first is ",
                       first_empty, "): no text gives ", empty == 1 ? "it" : "them");
        }
        if (twice > 0) {
            notes_.add(name, ": ", twice, twice == 1 ? " token repeats" : " tokens repeat",
                       " another's text (the first is ", first_twice, ", \"", pieces_[first_twice],
                       "\", which token ", find(pieces_[first_twice]), " is): no text gives ",
                       twice == 1 ? "it" : "them");
        }
        if (length != longest) {
            notes_.add(name, ": its longest token has ", length, " bytes, not ", longest,
                       " as its head says");
        }
        if (merged_.size() > 1 && std::all_of(merged_.begin(), merged_.end(), [&](const auto& m) {
                return score_of(m.second) == score_of(merged_.begin()->second);
            })) {
            notes_.add(name, ": all merges have the score ", score_of(merged_.begin()->second),
                       ": the leftmost comes first everywhere");
        }
    }
    float score_of(token t) const { return scores_[static_cast<std::size_t>(t)]; }

    /// Finds pieces by text, and the result of each possible merge by its pair of tokens.
    void index() {
        find_bytes();
        for (std::size_t id = 0; id < pieces_.size(); ++id) {
            if (!is_byte(id)) {
                ids_.try_emplace(pieces_[id], static_cast<token>(id));
            }
        }
        for (const token id : byte_tokens_) { // a byte by itself is a text where no other token is
            if (id >= 0 && pieces_[static_cast<std::size_t>(id)].size() == 1) {
                ids_.try_emplace(pieces_[static_cast<std::size_t>(id)], id);
            }
        }
        for (const std::string& piece : pieces_) {
            for (std::size_t cut = 1; cut < piece.size(); ++cut) {
                const token left = find(std::string_view{piece}.substr(0, cut));
                const token right = find(std::string_view{piece}.substr(cut));
                const token whole = find(piece);
                if (left >= 0 && right >= 0 && whole >= 0) {
                    merged_.try_emplace(pair_key(left, right), whole);
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
            queue.push({score_of(found->second), at, left, right, found->second});
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

    const foreign_tokens* foreign_ = nullptr;
    std::vector<float> scores_;
    std::vector<std::string> pieces_;
    std::array<token, 256> byte_tokens_{}; ///< -1: none
    remarks notes_;
    std::unordered_map<std::string, token> ids_;
    std::unordered_map<std::uint64_t, token> merged_;
};

} // namespace app
