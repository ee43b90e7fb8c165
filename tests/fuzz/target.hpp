#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

// What the fuzz targets share. A target takes any bytes and either returns, or calls wrong(): a result that is not right. A
// crash, a sanitizer's finding and memory without bound are found by who runs it.

namespace fuzz {

/// Bytes from the front; zeros when there are none left.
class input {
  public:
    explicit input(std::span<const std::uint8_t> bytes) : left_{bytes} {}

    template <class T>
        requires std::is_trivially_copyable_v<T>
    T take() {
        T value{};
        const std::size_t count = std::min(sizeof value, left_.size());
        if (count != 0) {
            std::memcpy(&value, left_.data(), count);
        }
        left_ = left_.subspan(count);
        return value;
    }
    /// 0 .. bound - 1.
    std::size_t below(std::size_t bound) { return take<std::uint16_t>() % bound; }
    std::span<const std::uint8_t> rest() const { return left_; }
    std::string text() const { return {reinterpret_cast<const char*>(left_.data()), left_.size()}; }

  private:
    std::span<const std::uint8_t> left_;
};

[[noreturn]] inline void wrong(const std::string& what) {
    std::fprintf(stderr, "WRONG: %s\n", what.c_str());
    std::abort();
}
inline void need(bool right, const char* what) {
    if (!right) {
        wrong(what);
    }
}

// The first byte of an input says which: a letter, so that a corpus can be read.
void masks(input in);       // m
void ffns(input in);        // f
void checkpoint(input in);  // c
void tokenizer(input in);   // t
void tasks(input in);       // q
void plain_text(input in);  // p
void calibration(input in); // j
void meter_words(input in); // w
void names(input in);       // n
void rule_text(input in);   // x
void site_text(input in);   // @
void gating_text(input in); // g
void nbits(input in);       // b
// Those of tests/fuzz/study.cpp, which takes the study's library; TAMIS_FUZZ_NO_STUDY leaves them out.
void resumed_rows(input in); // r
void settings(input in);     // s
void law_rows(input in);     // l

struct target {
    char key;
    const char* name;
    void (*run)(input);
};
inline constexpr target targets[] = {{'m', "masks", masks},
                                     {'f', "ffns", ffns},
                                     {'c', "checkpoint", checkpoint},
                                     {'t', "tokenizer", tokenizer},
                                     {'q', "tasks", tasks},
                                     {'p', "plain_text", plain_text},
                                     {'j', "calibration", calibration},
                                     {'w', "meter_words", meter_words},
                                     {'n', "names", names},
                                     {'x', "rule_text", rule_text},
                                     {'@', "site_text", site_text},
                                     {'g', "gating_text", gating_text},
                                     {'b', "nbits", nbits}
#if !defined(TAMIS_FUZZ_NO_STUDY)
                                     ,
                                     {'r', "resumed_rows", resumed_rows},
                                     {'s', "settings", settings},
                                     {'l', "law_rows", law_rows}
#endif
};

/// False for bytes that are no target's.
inline bool run(std::span<const std::uint8_t> bytes) {
    for (const target& t : targets) {
        if (!bytes.empty() && static_cast<char>(bytes[0]) == t.key) {
            t.run(input{bytes.subspan(1)});
            return true;
        }
    }
    return false;
}

} // namespace fuzz
