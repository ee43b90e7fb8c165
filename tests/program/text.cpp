#include "input/text.hpp"

#include "support.hpp"

#include <doctest/doctest.h>

using namespace study_test;

TEST_CASE("stories are what lies between the marks, stripped; empty ones are none") {
    using stories = std::vector<std::string_view>;
    CHECK(app::split_stories("a b\n<|endoftext|>\n\n c \t<|endoftext|> \n") == stories{"a b", "c"});
    CHECK(app::split_stories("a").size() == 1);
    CHECK(app::split_stories("").empty());
    CHECK(app::split_stories(" \n<|endoftext|>").empty());
}

TEST_CASE("a range of stories is half open") {
    const auto range = app::story_range::parse("2:5", 5, "x");
    CHECK(range.first == 2);
    CHECK(range.last == 5);
    CHECK(app::story_range::parse(":3", 5, "x").last == 3);
    CHECK(app::story_range::parse("3:", 5, "x").last == 5);
}

TEST_CASE("a bad range says what is wrong and how many stories there are") {
    for (const char* text : {"", "3", "a:b", "-1:2", "1:2:3", "3:3", "4:3", "0:6",
                             "0:99999999999999999999999", "0x1:3", "1 :3"}) {
        CAPTURE(text);
        const std::string why = error_of([&] { app::story_range::parse(text, 5, "t.txt"); });
        CHECK(has(why, std::string{"--stories "} + text + ": "));
        CHECK(has(why, "(t.txt has 5 stories)"));
    }
}

TEST_CASE("a story is cut at the model's length") {
    const auto file = make_tokenizer();
    const app::tokenizer tokens{file.as("t"), 290};
    const std::vector<std::string_view> stories{"xxxxxxxxxx", "x"};
    const auto blocks = app::encode_stories(stories, tokens, 5);
    CHECK(blocks[0].size() == 5);
    CHECK(blocks[1].size() == 3);
}

namespace {

struct encoding {
    app::encoded_text text;
    std::vector<std::string> notes;
};
encoding encode_here(const std::string& text, std::size_t seq_len = 64, app::windowing how = {},
                     const std::string* range = nullptr) {
    const auto file = make_tokenizer();
    const app::tokenizer tokens{file.as("t"), 290};
    app::remarks notes;
    auto encoded = app::encode_text(text, "a.txt", range, "--check-stories", tokens, seq_len, how, notes);
    return {std::move(encoded), notes.all()};
}
std::string encoding_error(const std::string& text, std::size_t seq_len = 64) {
    return error_of([&] { encode_here(text, seq_len); });
}

} // namespace

TEST_CASE("a text without a story, or without a prediction, is refused") {
    CHECK(encoding_error("") == "a.txt: no story in its 0 bytes");
    for (const char* text :
         {" ", "\n\n\t \n", "<|endoftext|>", "<|endoftext|>\n<|endoftext|>\n", "<|endoft"}) {
        CAPTURE(text);
        CHECK(has(encoding_error(text), "a.txt: no story in its "));
        CHECK(has(encoding_error(text), " bytes, which are white space and separators"));
    }
    CHECK(has(encoding_error("the cat", 1), "a.txt: nothing to predict"));
    const std::string range = "2:3";
    CHECK(has(error_of([&] { encode_here("a", 64, {}, &range); }), "--check-stories 2:3: "));
}

TEST_CASE("a text that a separator's begin ends was cut off there") {
    const encoding whole = encode_here("the cat<|endoftext|>on");
    for (const char* end : {"<|", "<|end", "<|endoftext|"}) {
        const encoding cut = encode_here(std::string{"the cat<|endoftext|>on"} + end);
        CHECK(cut.text.windows == whole.text.windows);
        CHECK(cut.notes == std::vector{std::string{"a.txt: ends with \""} + end +
                                       "\", which is left out: the file was cut off"});
    }
    CHECK(encode_here("on <").notes.empty()); // a character by itself may be meant
}

TEST_CASE("what lies behind the context is noted, and windows read it") {
    const std::string longer(30, 'x'); // BOS, a space, and a token a letter
    const encoding cut = encode_here(longer + "<|endoftext|>x", 8);
    CHECK(cut.text.windows.size() == 2);
    CHECK(cut.text.use.used == 11);
    REQUIRE(cut.notes.size() == 1);
    CHECK(cut.notes[0] ==
          "a.txt: 1 of 2 stories is longer than the model's context of 8 tokens and cut there: 11 of 35 "
          "tokens (31.4 %) are used; --windows disjoint or --windows 4 takes all");
    CHECK(has(encode_here(longer, 8).notes.at(0), "there is no <|endoftext|> between stories"));
    CHECK(encode_here("x<|endoftext|>xx", 8).notes.empty());
    for (const app::windowing how :
         {app::windowing{app::windowing::disjoint, 0}, {app::windowing::sliding, 3}}) {
        const encoding all = encode_here(longer + "<|endoftext|>x", 8, how);
        CHECK(all.notes.empty());
        CHECK(all.text.use.used == all.text.use.tokens);
        CHECK(all.text.windows.back().number == 1);
    }
}

TEST_CASE("characters without a token: their place in the text, or their number") {
    bytes file = make_tokenizer();
    std::string content = file.text();
    content.replace(content.find("<0xA8>"), 6, "(0xA8)");
    const bytes lacking = bytes{}.add_text(content);
    const app::tokenizer tokens{lacking.as("t"), 290};
    app::remarks notes;
    const auto encode = [&](const std::string& text, const app::tokenizer& by) {
        return app::encode_text(text, "a.txt", nullptr, "", by, 64, {}, notes);
    };
    encode("the\n<|endoftext|>\n\xc3\xa9 \xc3\xa8 and\n\xc3\xa8", tokens);
    CHECK(
        notes.all().at(0) ==
        "a.txt: 2 characters are read as <unk>; the first in line 3, byte 4: the tokenizer has no token for "
        "\"\xc3\xa8\" (bytes C3 A8): token 171, which should be the byte A8, is \"(0xA8)\"");
    content.replace(content.find("<unk>"), 5, "<xxx>");
    const bytes no_unknown = bytes{}.add_text(content);
    const app::tokenizer strict{no_unknown.as("t"), 290};
    CHECK(has(error_of([&] { encode("the\n<|endoftext|>\n\xc3\xa9 \xc3\xa8 and", strict); }),
              "a.txt: line 3, byte 4: the tokenizer has no token for \"\xc3\xa8\""));
    CHECK(encode("\xc3\xa9", strict).windows.size() == 1);
}
