#include "model/tokenizer.hpp"

#include "support.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <map>

using namespace study_test;
using app::token;

namespace {

app::tokenizer load(const bytes& file, std::size_t vocabulary = 290) {
    return {file.as("t.bin"), vocabulary};
}

/// llama2.c's encode as it is written there: at each step all neighbours are tried, the first best pair merges.
std::vector<token> encode_plainly(const std::string& text) {
    std::map<std::string, token> ids;
    std::vector<std::string> piece(3 + 256, "?");
    piece.insert(piece.end(), pieces().begin(), pieces().end());
    for (std::size_t i = 259; i < piece.size(); ++i) {
        ids[piece[i]] = static_cast<token>(i);
    }
    std::vector<token> tokens{1, ids[" "]};
    for (std::size_t i = 0; i < text.size();) {
        std::size_t n = 1;
        while (i + n < text.size() && n < 4 && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) {
            ++n;
        }
        if (const auto found = ids.find(text.substr(i, n)); found != ids.end()) {
            tokens.push_back(found->second);
        } else {
            for (std::size_t k = 0; k < n; ++k) {
                tokens.push_back(static_cast<unsigned char>(text[i + k]) + 3);
            }
        }
        i += n;
    }
    for (;;) {
        float best = -1e10f;
        std::size_t at = 0;
        for (std::size_t i = 1; i + 1 < tokens.size(); ++i) {
            const auto found = ids.find(piece[static_cast<std::size_t>(tokens[i])] +
                                        piece[static_cast<std::size_t>(tokens[i + 1])]);
            if (found != ids.end() && -static_cast<float>((found->second - 259) / 2) > best) {
                best = -static_cast<float>((found->second - 259) / 2);
                at = i;
            }
        }
        if (at == 0) {
            return tokens;
        }
        tokens[at] = ids[piece[static_cast<std::size_t>(tokens[at])] +
                         piece[static_cast<std::size_t>(tokens[at + 1])]];
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

} // namespace

TEST_CASE("a text is BOS, a leading space, and merges by best score") {
    const auto t = load(make_tokenizer());
    CHECK(t.encode("") == std::vector<token>{1});
    const auto id = [](const std::string& piece) {
        return static_cast<token>(259 +
                                  (std::find(pieces().begin(), pieces().end(), piece) - pieces().begin()));
    };
    CHECK(t.encode("e") == std::vector<token>{1, id(" "), id("e")});
    CHECK(t.encode("x") == std::vector<token>{1, id(" "), 'x' + 3}); // unknown: its byte
    CHECK(t.encode("\xc3\xa9") ==
          std::vector<token>{1, id(" "), id("\xc3\xa9")}); // one character of two bytes
    CHECK(t.encode("\xc3\xa8") == std::vector<token>{1, id(" "), 0xc3 + 3, 0xa8 + 3});
}

TEST_CASE("the queue of merges gives what the plain rescan gives, and decoding gives the text back") {
    const auto t = load(make_tokenizer());
    std::mt19937 random{3};
    const std::string alphabet = "thea bcdon \xc3\xa9x\n";
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (std::size_t n = 1 + random() % 40; n > 0; --n) {
            text += alphabet[random() % alphabet.size()];
        }
        CAPTURE(text);
        CHECK(t.encode(text) == encode_plainly(text));
        CHECK(t.decode(t.encode(text)) == " " + text);
    }
}

TEST_CASE("a long text takes time in proportion") {
    const auto t = load(make_tokenizer());
    std::string text;
    for (int i = 0; i < 50000; ++i) {
        text += "the cat and ";
    }
    CHECK(t.decode(t.encode(text)) == " " + text); // the plain rescan would take hours
}

TEST_CASE("a tokenizer file that does not fit is refused") {
    const bytes good = make_tokenizer();
    const auto error = [&](const bytes& file, std::size_t vocabulary = 290) {
        return error_of([&] { load(file, vocabulary); });
    };
    CHECK(error(good).empty());
    CHECK(has(error(good, 289), "t.bin: 10 trailing bytes: a vocabulary of 289"));
    CHECK(has(error(good, 291), "t.bin: truncated: token 290 of a vocabulary of 291"));
    CHECK(has(error(good, 200), "no room for the 256 byte tokens"));
    CHECK(has(error({}), "truncated"));
    CHECK(has(error(bytes{}.add_text("Some text that is no tokenizer")),
              "not a llama2.c tokenizer: longest token"));
    CHECK(has(error(bytes{}.add(std::int32_t{6}).add(0.0f).add(std::int32_t{7})),
              "has length 7 at byte 8, the longest is 6"));
    CHECK(has(error(bytes{}.add(std::int32_t{6}).add(std::int32_t{0x7fc00000})), "no number"));
}
