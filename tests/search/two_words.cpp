// The 128-bit integer of machines without one, against the compiler's; and exact sums and products made of it.
#include <tamis/detail/uint128.hpp>

#include "support/generate.hpp"

#include <doctest/doctest.h>

#if defined(__SIZEOF_INT128__)

namespace {

__extension__ typedef unsigned __int128 wide;

constexpr tamis::detail::two_words words_of(wide x) {
    return (tamis::detail::two_words{static_cast<std::uint64_t>(x >> 64)} << 64) |
           tamis::detail::two_words{static_cast<std::uint64_t>(x)};
}

// At compile time, where a shift by too much is no constant.
using tamis::detail::two_words;
constexpr wide some = static_cast<wide>(0xfedcba9876543210u) << 64 | 0x0123456789abcdefu;
static_assert((words_of(some) >> 100) == words_of(some >> 100) &&
              (words_of(some) >> 64) == words_of(some >> 64));
static_assert((words_of(some) << 100) == words_of(some << 100) &&
              (words_of(some) << 64) == words_of(some << 64));
static_assert((words_of(some) >> 1) == words_of(some >> 1) &&
              (words_of(some) << 127) == words_of(some << 127));
static_assert(tamis::detail::bit_length(static_cast<wide>(0)) == 0 &&
              tamis::detail::bit_length(static_cast<wide>(1)) == 1);
static_assert(tamis::detail::bit_length(static_cast<wide>(~std::uint64_t{0})) == 64 &&
              tamis::detail::bit_length(static_cast<wide>(1) << 64) == 65 &&
              tamis::detail::bit_length(some) == 128);

/// Few ones, many ones, or any.
std::uint64_t some_word(engine& random) {
    const std::uint64_t bits = random();
    switch (below(random, 4)) {
        case 0: return bits & random() & random() & random();
        case 1: return bits | random() | random() | random();
        case 2: return std::uint64_t{0} - below(random, 3);
        default: return bits;
    }
}

} // namespace

TEST_CASE("two words are one integer") {
    engine random{12};
    bool good = true;
    for (int round = 0; round < 20000; ++round) {
        const std::uint64_t a = some_word(random);
        const std::uint64_t b = some_word(random);
        const wide x = static_cast<wide>(a) << 64 | b;
        const wide y = static_cast<wide>(some_word(random)) << 64 | some_word(random);
        const int by = static_cast<int>(below(random, 128));
        good = good && two_words{a} * two_words{b} == words_of(static_cast<wide>(a) * b);
        good = good && words_of(x) + words_of(y) == words_of(x + y);
        good = good && (words_of(x) << by) == words_of(x << by) && (words_of(x) >> by) == words_of(x >> by);
        good = good && ~words_of(x) == words_of(~x) && (words_of(x) | words_of(y)) == words_of(x | y);
        good = good && static_cast<std::uint64_t>(words_of(x)) == b;
    }
    CHECK(good);
    CHECK(bool(words_of(static_cast<wide>(1) << 64) != words_of(1)));
}

#endif
