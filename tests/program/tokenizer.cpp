#include "model/tokenizer.hpp"

#include "support.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>

using namespace study_test;
using app::token;

namespace {

app::tokenizer read_pieces(const bytes& file, std::size_t vocabulary = 290) {
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
    const auto t = read_pieces(make_tokenizer());
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
    const auto t = read_pieces(make_tokenizer());
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
    const auto t = read_pieces(make_tokenizer());
    std::string text;
    for (int i = 0; i < 50000; ++i) {
        text += "the cat and ";
    }
    CHECK(t.decode(t.encode(text)) == " " + text); // the plain rescan would take hours
}

TEST_CASE("a tokenizer file that does not fit is refused") {
    const bytes good = make_tokenizer();
    const auto error = [&](const bytes& file, std::size_t vocabulary = 290) {
        return error_of([&] { read_pieces(file, vocabulary); });
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

namespace {

/// A tokenizer file of any pieces; what is not said is as make_tokenizer has it.
struct tokenizer_file {
    std::vector<std::string> all;
    std::vector<float> scores;
    std::int32_t longest = 6;

    tokenizer_file() {
        all = {"<unk>", "\n<s>\n", "\n</s>\n"};
        for (int byte = 0; byte < 256; ++byte) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", static_cast<unsigned>(byte));
            all.emplace_back(name);
        }
        all.insert(all.end(), pieces().begin(), pieces().end());
        for (std::size_t i = 0; i < all.size(); ++i) {
            scores.push_back(-static_cast<float>(i));
        }
    }
    bytes file() const {
        bytes b;
        b.add(longest);
        for (std::size_t i = 0; i < all.size(); ++i) {
            b.add(scores[i]).add(static_cast<std::int32_t>(all[i].size())).add_text(all[i]);
        }
        return b;
    }
    app::tokenizer read_pieces() const { return {file().as("t.bin"), all.size()}; }
    std::string note() const {
        std::string notes;
        const app::tokenizer loaded = read_pieces();
        for (const auto& sentence : loaded.notes().all()) {
            notes += sentence + "\n";
        }
        return notes;
    }
};

std::vector<token> ids_of(const tokenizer_file& file, const std::string& text) {
    return file.read_pieces().encode(text);
}

} // namespace

TEST_CASE("a byte is a token only where the token is called so") {
    tokenizer_file named;
    CHECK(named.note() == "");
    CHECK(ids_of(named, "\xc3\xa8") == std::vector<token>{1, 259, 0xc3 + 3, 0xa8 + 3});
    tokenizer_file lower = named, raw = named;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02x>", static_cast<unsigned>(byte));
        lower.all[byte + 3] = name;
        raw.all[byte + 3] = std::string(1, static_cast<char>(byte));
    }
    for (const auto& file : {lower, raw}) {
        CHECK(file.note() == "");
        CHECK(ids_of(file, "x\xc3\xa8") == std::vector<token>{1, 259, 'x' + 3, 0xc3 + 3, 0xa8 + 3});
        CHECK(ids_of(file, "the cat") == ids_of(named, "the cat")); // letters are letters, not bytes
        CHECK(file.read_pieces().decode(file.read_pieces().encode("\xc3\xa8x\n")) == " \xc3\xa8x\n");
    }
}

TEST_CASE("older files call a byte by the character of its number, which is not the character") {
    tokenizer_file older;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        older.all[byte + 3] = byte < 0x80 ? std::string(1, static_cast<char>(byte))
                                          : std::string{static_cast<char>(0xC0 | byte >> 6),
                                                        static_cast<char>(0x80 | (byte & 0x3F))};
    }
    const tokenizer_file named;
    for (const std::string text : {"the cat\n", "\xc3\xa9", "\xc3\xa8 x", "\xc2\x80\xf0\x9f\x98\x80"}) {
        CHECK(ids_of(older, text) == ids_of(named, text));
    }
}

TEST_CASE("a character without tokens is refused with its place, or is <unk> where there is one") {
    tokenizer_file file;
    file.all[0xa9 + 3] = "zz";
    file.all[0xe8 + 3] = "yy";                                               // of no byte below
    CHECK(ids_of(file, "\xc3\xa9") == ids_of(tokenizer_file{}, "\xc3\xa9")); // it is a piece
    const std::string text = "the\ncat \xe2\x82\xa9 on\xe2\x82\xa9";
    CHECK(
        error_of([&] { ids_of(file, text); }) ==
        "line 2, byte 5 of the text: the tokenizer has no token for \"\xe2\x82\xa9\" (bytes E2 82 A9): token 172, which "
        "should be the byte A9, is \"zz\"");
    std::vector<std::size_t> places;
    const auto ids = file.read_pieces().encode(text, [&](std::size_t at, std::string_view character) {
        places.push_back(at);
        CHECK(character == "\xe2\x82\xa9");
    });
    CHECK(places == std::vector<std::size_t>{8, 14});
    CHECK(std::count(ids.begin(), ids.end(), 0) == 2);
    CHECK(file.read_pieces().has_unknown());
    file.all[0] = "u";
    CHECK(!file.read_pieces().has_unknown());
}

TEST_CASE("each byte is looked at by itself") {
    for (std::size_t byte = 0; byte < 0x80; ++byte) {
        tokenizer_file file;
        file.all[byte + 3] = "<zz>";
        const std::string letter(1, static_cast<char>(byte));
        const bool piece = std::find(pieces().begin(), pieces().end(), letter) != pieces().end();
        CHECK(error_of([&] { ids_of(file, letter); }).empty() == piece);
        CHECK(error_of([&] { ids_of(file, std::string(1, static_cast<char>(byte ^ 1))); }).empty());
    }
}

TEST_CASE("a tokenizer that can be read, but is odd, says so") {
    tokenizer_file twice;
    twice.all[270] = "the";
    twice.all[280] = "the";
    CHECK(has(twice.note(),
              "t.bin: 2 tokens repeat another's text (the first is 271, \"the\", which token 270 is)"));
    tokenizer_file empty;
    empty.all[285] = "";
    CHECK(has(empty.note(), "t.bin: 1 token is empty (the first is 285)"));
    tokenizer_file longer;
    longer.longest = 90;
    CHECK(has(longer.note(), "t.bin: its longest token has 6 bytes, not 90 as its head says"));
    tokenizer_file begin;
    begin.all[1] = "x";
    CHECK(has(begin.note(), "t.bin: token 1, with which every text begins, is \"x\", not <s>"));
    tokenizer_file flat;
    std::fill(flat.scores.begin(), flat.scores.end(), 0.0f);
    CHECK(has(flat.note(), "t.bin: all merges have the score 0"));
    tokenizer_file spaceless;
    spaceless.all[259] = "_";
    CHECK(has(spaceless.note(), "no token for a space"));
}

TEST_CASE("a tokenizer of another model is refused with the number of its tokens") {
    const tokenizer_file file;
    const auto why = [&](std::size_t vocabulary) {
        return error_of([&] { read_pieces(file.file(), vocabulary); });
    };
    CHECK(has(why(289), "a vocabulary of 289 (the checkpoint's; here are 290 tokens, of another model)"));
    CHECK(
        has(why(300), "truncated: token 290 of a vocabulary of 300 (the checkpoint's; here are 290 tokens"));
    bytes cut = file.file();
    cut.data.resize(cut.data.size() - 1);
    CHECK(has(error_of([&] { read_pieces(cut); }),
              "t.bin: truncated: token 289 of a vocabulary of 290 (the checkpoint's) needs 2"));
    for (const float score : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        tokenizer_file wrong;
        wrong.scores[260] = score;
        CHECK(has(error_of([&] { wrong.read_pieces(); }),
                  "token 260 of a vocabulary of 290 (the checkpoint's) has a score that is no"));
    }
}
