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
