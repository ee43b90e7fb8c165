#pragma once

#include "error.hpp"
#include "input/file.hpp"
#include "model/checkpoint.hpp"
#include "model/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

// A model of a few kilobytes with every feature of the format, made of pseudo-random numbers.

namespace study_test {

class bytes {
  public:
    template <class T>
        requires std::is_trivially_copyable_v<T>
    bytes& add(T value) {
        const auto* first = reinterpret_cast<const std::byte*>(&value);
        data.insert(data.end(), first, first + sizeof value);
        return *this;
    }
    bytes& add_text(const std::string& text) {
        for (const char c : text) {
            data.push_back(static_cast<std::byte>(c));
        }
        return *this;
    }
    std::string text() const { return {reinterpret_cast<const char*>(data.data()), data.size()}; }
    app::source as(const std::string& name) const { return {name, data}; }

    std::vector<std::byte> data;
};

struct header {
    std::int32_t dim = 16, hidden_dim = 40, n_layers = 2, n_heads = 4, n_kv_heads = 2, vocab_size = 290,
                 seq_len = 64;
};

/// Weights of a size that leaves no layer without effect. A negative vocab_size: a classifier of its own.
inline bytes make_checkpoint(const header& h = {}) {
    bytes file;
    for (const std::int32_t v :
         {h.dim, h.hidden_dim, h.n_layers, h.n_heads, h.n_kv_heads, h.vocab_size, h.seq_len}) {
        file.add(v);
    }
    const int kv = h.dim / h.n_heads * h.n_kv_heads, vocab = h.vocab_size < 0 ? -h.vocab_size : h.vocab_size;
    const int floats =
        vocab * h.dim * (h.vocab_size < 0 ? 2 : 1) + h.dim + h.seq_len * (h.dim / h.n_heads) +
        h.n_layers * (2 * h.dim + 2 * h.dim * h.dim + 2 * h.dim * kv + 3 * h.dim * h.hidden_dim);
    std::mt19937 random{7};
    for (int i = 0; i < floats; ++i) {
        file.add((static_cast<float>(random() >> 8) / 8388608.0f - 1.0f) * 0.7f);
    }
    return file;
}

/// The specials, the bytes, and 31 pieces.
inline const std::vector<std::string>& pieces() {
    static const std::vector<std::string> all{" ",  "t",    "h",        "e",    "a",   "b",   "c",    "d",
                                              "o",  "n",    "\xc3\xa9", "th",   "the", " t",  " th",  " the",
                                              "he", "an",   "and",      " and", "at",  "cat", " cat", "ca",
                                              "aa", "aaaa", "on",       "en",   "dd",  "oo",  "ee"};
    return all;
}
inline bytes make_tokenizer() {
    bytes file;
    file.add(std::int32_t{6});
    const auto entry = [&](float score, const std::string& piece) {
        file.add(score).add(static_cast<std::int32_t>(piece.size())).add_text(piece);
    };
    entry(0, "<unk>");
    entry(0, "\n<s>\n");
    entry(0, "</s>");
    for (int byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", byte);
        entry(0, name);
    }
    for (std::size_t i = 0; i < pieces().size(); ++i) {
        // Scores repeat, so that ties among merges occur.
        entry(-static_cast<float>(i / 2), pieces()[i]);
    }
    return file;
}

/// The message of the app::error that f throws; "" when it throws none.
template <class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const app::error& e) {
        return e.what();
    }
    return {};
}
inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A folder of its own under the system's temporary one, removed at the end.
class temporary_folder {
  public:
    temporary_folder()
        : path_{std::filesystem::temp_directory_path() /
                ("tamis-study-" + std::to_string(std::random_device{}()))} {
        std::filesystem::create_directories(path_);
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

} // namespace study_test
