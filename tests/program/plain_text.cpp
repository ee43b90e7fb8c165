#include "input/plain_text.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

using namespace study_test;
using namespace std::string_literals;

namespace {

struct reading {
    std::string text;
    std::vector<std::string> notes;
};
reading read_plainly(const std::string& content) {
    const bytes file = bytes{}.add_text(content);
    app::remarks notes;
    std::string text = app::plain_text(file.as("a.txt"), notes);
    return {text, notes.all()};
}
std::string refusal_of(const std::string& content) {
    return error_of([&] { read_plainly(content); });
}

/// ASCII in units of so many bytes, `high` in front of or behind the letter.
std::string widened(const std::string& text, std::size_t unit, bool big_endian) {
    std::string wide;
    for (const char c : text) {
        wide += big_endian ? std::string(unit - 1, '\0') + c : c + std::string(unit - 1, '\0');
    }
    return wide;
}

} // namespace

TEST_CASE("UTF-8 with LF is read as it is, without a note") {
    for (const std::string text : {"", "a", "one\ntwo\n", "\t caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\n",
                                   "e\xcc\x81 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf", "\v\f"}) {
        const reading r = read_plainly(text);
        CHECK(r.text == text);
        CHECK(r.notes.empty());
    }
}

TEST_CASE("line ends become LF, and a note says how many and where") {
    const reading windows = read_plainly("one\r\ntwo\r\n\r\nthree");
    CHECK(windows.text == "one\ntwo\n\nthree");
    REQUIRE(windows.notes.size() == 1);
    CHECK(windows.notes[0] == "a.txt: 3 line ends CR LF (the first at byte 3, line 1, byte 4) read as LF");
    const reading old = read_plainly("one\rtwo\r");
    CHECK(old.text == "one\ntwo\n");
    CHECK(has(old.notes.at(0), "2 carriage returns without LF"));
    const reading both = read_plainly("a\r\r\nb\r");
    CHECK(both.text == "a\n\nb\n");
    CHECK(both.notes.size() == 2);
}

TEST_CASE("byte order marks are left out, wherever files were joined") {
    const reading one = read_plainly("\xef\xbb\xbfthe cat");
    CHECK(one.text == "the cat");
    CHECK(has(one.notes.at(0), "a.txt: 1 byte order mark (the first at byte 0, line 1, byte 1) left out"));
    const reading two = read_plainly("\xef\xbb\xbf"s + "a\n\xef\xbb\xbf" + "b");
    CHECK(two.text == "a\nb");
    CHECK(has(two.notes.at(0), "2 byte order marks"));
}

TEST_CASE("what an earlier conversion left is noted and kept") {
    const reading lost = read_plainly("caf\xef\xbf\xbd\n\xef\xbf\xbd");
    CHECK(lost.text == "caf\xef\xbf\xbd\n\xef\xbf\xbd");
    CHECK(has(lost.notes.at(0), "2 characters U+FFFD (the first at byte 3, line 1, byte 4)"));
    for (const std::string control : {"\x1a", "\x1b", "\x01", "\x7f", "\xc2\x93"}) {
        CHECK(has(read_plainly("a\n" + control).notes.at(0),
                  "1 control character (the first at byte 2, line 2, byte 1)"));
    }
    CHECK(read_plainly("a\xc2\xa0z").notes.empty()); // a space that does not break
}

TEST_CASE("other encodings are refused by name, with their mark and without") {
    const std::string text = "the cat and the hat\n";
    const std::string le16 = widened(text, 2, false), be16 = widened(text, 2, true);
    const std::string le32 = widened(text, 4, false), be32 = widened(text, 4, true);
    CHECK(refusal_of("\xff\xfe" + le16) ==
          "a.txt: a text in UTF-16LE; UTF-8 is needed (iconv -f UTF-16LE -t UTF-8)");
    CHECK(has(refusal_of(le16), "a text in UTF-16LE"));
    CHECK(has(refusal_of("\xfe\xff" + be16), "a text in UTF-16BE"));
    CHECK(has(refusal_of(be16), "a text in UTF-16BE"));
    CHECK(has(refusal_of("\xff\xfe\0\0"s + le32), "a text in UTF-32LE"));
    CHECK(has(refusal_of(le32), "a text in UTF-32LE"));
    CHECK(has(refusal_of("\0\0\xfe\xff"s + be32), "a text in UTF-32BE"));
    CHECK(has(refusal_of(be32), "a text in UTF-32BE"));
    CHECK(has(refusal_of("\xff\xfe"), "UTF-16LE")); // nothing but its mark
    // Letters whose high byte is no zero: spaces tell.
    std::string cyrillic;
    for (const char c : "word word word word word"s) {
        cyrillic += c == ' ' ? " \0"s : std::string{static_cast<char>(c - 0x30), '\x04'};
    }
    CHECK(has(refusal_of(cyrillic), "UTF-16LE"));
}

TEST_CASE("what is no UTF-8 is refused with its place and how much of it there is") {
    CHECK(
        has(refusal_of("one\ncaf\xe9 cr\xe8me\n"),
            "a.txt: no UTF-8: byte E9 is part of no character at byte 7 (line 2, byte 4), the first of 2;"));
    for (const std::string wrong :
         {"\x80", "\xc3(", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xe2\x82(", "\xf0\x9f\x98 "}) {
        CAPTURE(app::hexadecimal(wrong));
        CHECK(has(refusal_of("ab" + wrong + "cd"), "at byte 2 (line 1, byte 3)"));
    }
    for (const std::string part :
         {"\xc3", "\xe2", "\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x98", "\xed", "\xe0"}) {
        CAPTURE(app::hexadecimal(part));
        CHECK(refusal_of("ab\n" + part) ==
              "a.txt: cut off: it ends within a character, at byte 3 (line 2, byte 1)");
    }
}

TEST_CASE("a pointer to a file is not the file") {
    CHECK(has(refusal_of("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"),
              "a.txt: a pointer of Git LFS"));
}

TEST_CASE("zeros are no text") {
    CHECK(refusal_of("the cat and the hat sat on\0the mat"s) ==
          "a.txt: no text: a NUL at byte 26 (line 1, byte 27)");
    CHECK(has(refusal_of(std::string(50, '\0')), "at byte 0 (line 1, byte 1), the first of 50"));
}
