#include <tamis/mask/mask.hpp>

#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <type_traits>
#include <vector>

using namespace tamis;

TEST_CASE("entry i is bit i % 64 of word i / 64") {
    // Unknown at compile time: g++ 12.2 with AVX512VPOPCNTDQ folds a loop of popcounts over constants to their sum.
    const volatile std::uint64_t last = 2;
    std::array<std::uint64_t, 3> words{1, 0x8000000000000000ull, last};
    const mask_view view{words, 130};
    CHECK(view[0]);
    CHECK(view[127]);
    CHECK(view[129]);
    CHECK(view.count() == 3);
    CHECK_FALSE(view[1]);
    CHECK_FALSE(view[128]);
}

TEST_CASE("set, count and for_each_active agree at every size") {
    for (std::size_t n = 0; n < 200; ++n) {
        mask m{n};
        std::vector<std::size_t> expected;
        for (std::size_t i = 0; i < n; i += 1 + i % 5) {
            m.set(i, true);
            expected.push_back(i);
        }
        if (n > 1) {
            m.set(1, true);
            m.set(1, false);
            std::erase(expected, std::size_t{1});
        }
        std::vector<std::size_t> seen;
        m.for_each_active([&](std::size_t i) { seen.push_back(i); });
        CAPTURE(n);
        CHECK(seen == expected);
        CHECK(m.count() == expected.size());
        CHECK(m.size() == n);
        CHECK(m.words().size() == mask_words(n));
        CHECK(is_clear_behind(m));
        CHECK(m.sparsity() ==
              (n == 0 ? 0.0 : static_cast<double>(n - expected.size()) / static_cast<double>(n)));
    }
}

TEST_CASE("fill and clear_behind leave the bits behind the last entry zero") {
    for (std::size_t n = 0; n < 200; ++n) {
        std::vector<std::uint64_t> words(mask_words(n) + 1, 0x5555555555555555ull);
        const mask_span span{words, n};
        CAPTURE(n);
        span.fill(true);
        CHECK(span.count() == n);
        CHECK(is_clear_behind(span));
        for (std::uint64_t& word : span.words()) {
            word = ~std::uint64_t{0};
        }
        span.clear_behind();
        CHECK(span.count() == n);
        span.fill(false);
        CHECK(span.count() == 0);
        CHECK(words.back() == 0x5555555555555555ull); // more words than needed stay the caller's
    }
}

TEST_CASE("a mask starts empty, copies, compares by size and entries") {
    mask a{70};
    CHECK(a.count() == 0);
    a.set(69, true);
    const mask copy{static_cast<mask_view>(a)};
    CHECK(copy == a);
    a.set(69, false);
    CHECK_FALSE(copy == a);
    CHECK(copy[69]);
    CHECK_FALSE(mask{64} == mask{63});
    CHECK(mask{} == mask{0});
    CHECK(mask_view{}.size() == 0);
    CHECK(mask_span{}.count() == 0);
}

static_assert(std::is_convertible_v<mask, mask_view> && std::is_convertible_v<mask_span, mask_view>);
static_assert(!std::is_convertible_v<mask_view, mask_span>, "reading does not become writing");
static_assert(!std::is_convertible_v<mask_view, mask>, "owning copies are made on purpose");

#if defined(__cpp_exceptions)
TEST_CASE("too few words are refused with both numbers") {
    std::array<std::uint64_t, 1> words{};
    CHECK(message_of([&] {
              mask_view{words, 65};
          }) == "tamis::mask_view: needs 2 words (mask_words(n)), got 1");
    CHECK(message_of([&] {
              mask_span{words, 129};
          }) == "tamis::mask_span: needs 3 words (mask_words(n)), got 1");
    CHECK_NOTHROW(mask_view{words, 64});
    CHECK_NOTHROW(mask_span{{}, 0});
}
#endif
