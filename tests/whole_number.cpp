// Arguments that count: shares and negative numbers, which C++ would convert without a word, are refused.
#include <tamis/whole_number.hpp>

#include "support/message.hpp"

#include <tamis/executor.hpp>
#include <tamis/mask/mask.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/select_block.hpp>
#include <tamis/values.hpp>

#include <doctest/doctest.h>
#include <array>
#include <limits>

using tamis::whole_number;

namespace {

enum small_count : short { three_entries = 3 };
enum class no_count { one };
struct as_int {
    constexpr operator int() const { return 5; }
};
struct as_double {
    operator double() const { return 5; }
};

template <class... T>
constexpr bool count_as_whole = (std::is_convertible_v<T, whole_number> && ...);
template <class... T>
constexpr bool count_as_nothing = !(std::is_convertible_v<T, whole_number> || ...);

constexpr std::size_t value_of(whole_number n) { return n.or_fail("n"); }
// beyond what a signed integer holds, from a class too
static_assert(value_of(std::integral_constant<std::size_t, ~std::size_t{0}>{}) == ~std::size_t{0} &&
              value_of(~0ull) == ~0ull);
const auto run_nothing = [](std::size_t, auto&&) {};
using pool = tamis::executor_of<std::remove_const_t<decltype(run_nothing)>>;
using least = tamis::at_least<tamis::top_p>;
using most = tamis::at_most<tamis::top_p>;
using words = std::span<std::uint64_t>;

} // namespace

static_assert(count_as_whole<int, unsigned, short, std::size_t, std::ptrdiff_t, signed char, std::uint64_t,
                             small_count, as_int, std::integral_constant<int, 4>>);
static_assert(count_as_nothing<float, double, long double, bool, no_count, as_double, int*, std::nullptr_t>);
static_assert(value_of(0) == 0 && value_of(7u) == 7 && value_of(std::ptrdiff_t{9}) == 9 &&
              value_of(three_entries) == 3 && value_of(as_int{}) == 5 &&
              value_of(std::integral_constant<int, 4>{}) == 4 &&
              value_of(~std::size_t{0}) == std::numeric_limits<std::size_t>::max());

// In parentheses, where C++ itself says nothing.
static_assert(!std::is_constructible_v<tamis::top_k, double> &&
              !std::is_constructible_v<tamis::top_k, float>);
static_assert(!std::is_constructible_v<least, double, tamis::top_p> &&
              std::is_constructible_v<least, int, tamis::top_p>);
static_assert(!std::is_constructible_v<most, float, tamis::top_p> &&
              std::is_constructible_v<most, long, tamis::top_p>);
static_assert(!std::is_constructible_v<tamis::mask, double> && std::is_constructible_v<tamis::mask, int>);
static_assert(!std::is_constructible_v<tamis::mask_view, words, double> &&
              !std::is_constructible_v<tamis::mask_span, words, double>);
static_assert(!std::is_constructible_v<tamis::strided<float>, float*, double, int> &&
              !std::is_constructible_v<tamis::strided<float>, float*, int, double> &&
              std::is_constructible_v<tamis::strided<float>, float*, int, int>);
static_assert(!std::is_constructible_v<tamis::block<float>, float*, double, int> &&
              !std::is_constructible_v<tamis::block<float>, float*, int, double> &&
              !std::is_constructible_v<tamis::block<float>, float*, int, int, double> &&
              std::is_constructible_v<tamis::block<float>, float*, int, long, unsigned>);
static_assert(!std::is_constructible_v<tamis::mask_block, double, int> &&
              !std::is_constructible_v<tamis::mask_block, int, double> &&
              !std::is_constructible_v<tamis::mask_block_span, words, int, double>);
static_assert(!std::is_constructible_v<pool, double, decltype(run_nothing)>);

TEST_CASE("integers of any type count") {
    const std::array v{4.0f, 1.0f, 2.0f, 0.0f};
    const int k = 2;
    CHECK(tamis::top_k{k}(v).count() == 2);
    CHECK(tamis::top_k(three_entries)(v).count() == 3);
    CHECK(tamis::at_least(1L, tamis::top_p{0})(v).count() == 1);
    CHECK(tamis::at_most(std::uint8_t{1}, tamis::top_p{1})(v).count() == 1);
    CHECK(tamis::mask(3).size() == 3);
    CHECK(tamis::strided(v.data(), 2, 2).size() == 2);
    CHECK(pool{0, run_nothing}.width() == 1);
    CHECK(pool{3, run_nothing}.width() == 3);
}

TEST_CASE("words for every number of entries, the greatest too") {
    CHECK(tamis::mask_words(0) == 0);
    CHECK(tamis::mask_words(1) == 1);
    CHECK(tamis::mask_words(64) == 1);
    CHECK(tamis::mask_words(65) == 2);
    CHECK(tamis::mask_words(~std::size_t{0}) == std::size_t{1} << 58);
}

#if defined(__cpp_exceptions)
TEST_CASE("a negative count is refused with the argument's name and its value") {
    std::array<std::uint64_t, 1> memory{};
    std::array<float, 1> value{};
    const auto refused = [](const char* argument, auto&& call) {
        CHECK(message_of(call) == std::string{argument} + " must be a whole number from 0 on, got -1");
    };
    refused("tamis::top_k: k", [] { tamis::top_k{-1}; });
    refused("tamis::at_least: k", [] { tamis::at_least(-1, tamis::top_p{0.9}); });
    refused("tamis::at_most: k", [] { tamis::at_most(-1L, tamis::top_p{0.9}); });
    refused("tamis::mask: n", [] { tamis::mask{-1}; });
    refused("tamis::mask_view: n", [&] { tamis::mask_view(memory, -1); });
    refused("tamis::mask_span: n", [&] { tamis::mask_span(memory, static_cast<short>(-1)); });
    refused("tamis::strided: the count", [&] { tamis::strided(value.data(), -1, 1); });
    refused("tamis::block: rows", [&] { tamis::block(value.data(), -1, 1); });
    refused("tamis::block: columns", [&] { tamis::block(value.data(), 1, -1); });
    refused("tamis::block: stride", [&] { tamis::block(value.data(), 1, 1, -1); });
    refused("tamis::mask_block: rows", [] { tamis::mask_block(-1, 1); });
    refused("tamis::mask_block: columns", [] { tamis::mask_block(1, -1); });
    refused("tamis::mask_block_span: columns", [&] { tamis::mask_block_span(memory, 1, -1); });
    refused("tamis::executor_of: width", [] { pool(-1, run_nothing); });
    CHECK(message_of([] {
              tamis::top_k{std::numeric_limits<std::ptrdiff_t>::min()};
          }).find("got -9223372036854775808") != std::string::npos);
}

TEST_CASE("more entries than words hold are refused, however many") {
    std::array<std::uint64_t, 1> memory{};
    CHECK(message_of([&] { tamis::mask_view(memory, ~std::size_t{0}); }).find("got 1") != std::string::npos);
    CHECK(message_of([&] { tamis::mask_span(memory, ~std::size_t{0}); }).find("got 1") != std::string::npos);
}
#endif
