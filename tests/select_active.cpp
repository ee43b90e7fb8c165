#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/select_active.hpp>

#include "support/formats.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>
#include <cstring>

using namespace tamis;

namespace {

/// Indices, entries and zeros by a selector are those of its mask.
template <class T, class S>
void check(const S& selector, const std::vector<T>& values) {
    const std::size_t n = values.size();
    owned_workspace memory{active_selection_bytes(selector, n)};
    const mask expected = select(selector, values);
    const std::vector<std::uint32_t> active = active_indices(expected);

    std::vector<std::uint32_t> indices(n);
    REQUIRE(select_indices(selector, values, indices, memory) == active.size());
    CHECK(std::equal(active.begin(), active.end(), indices.begin()));

    if constexpr (std::is_same_v<real_of<T>, float>) {
        std::vector<entry> entries(n);
        REQUIRE(select_entries(selector, values, entries, memory) == active.size());
        bool right = true;
        for (std::size_t k = 0; k < active.size(); ++k) {
            const float value = to_real(values[active[k]]);
            right = right && entries[k].index == active[k] &&
                    (magnitude_bits(entries[k].value) == magnitude_bits(value) ||
                     (is_nan(entries[k].value) && is_nan(value)));
        }
        CHECK(right);
    }
    auto zeroed = values;
    auto expected_values = values;
    select_in_place(selector, zeroed, memory);
    zero_inactive(expected_values, expected);
    CHECK((n == 0 || std::memcmp(zeroed.data(), expected_values.data(), n * sizeof(T)) == 0));
}

} // namespace

TEST_CASE_TEMPLATE("what is active, without a mask between", T, float, double, Eigen::half, Eigen::bfloat16,
                   std::int8_t AND_FLOAT16) {
    engine random{33};
    const std::vector<float> norms = generate<float>(shape::relu, 1200, random);
    for (std::size_t n = 0; n < 1200; n += n < 70 ? 1 : 113) {
        const auto values = generate<T>(shapes[n % shapes.size()], n, random);
        const weighted score{std::span{norms}.first(n)};
        CAPTURE(n);
        check(top_p{0.9}, values);
        check(top_k{n / 3}, values);
        check(guarded{64, max_p{0.25}}, values);
        check(scored{score, top_p{0.8}}, values);
        check(top_p{0.5} | scored{score, max_p{0.5}}, values); // no single cut
    }
}

TEST_CASE("the worked example, as indices and entries") {
    const std::vector<float> values{4, -1, .5f, .3f, .2f};
    owned_workspace memory{active_selection_bytes(top_p{0.9}, 5)};
    std::vector<entry> entries(5);
    REQUIRE(select_entries(top_p{0.9}, values, entries, memory) == 3);
    CHECK(entries[0] == entry{0, 4});
    CHECK(entries[1] == entry{1, -1});
    CHECK(entries[2] == entry{2, .5f});
}

#if defined(__cpp_exceptions)
TEST_CASE("too little room is said with the sizes") {
    const std::vector<float> values{4, -1, .5f};
    owned_workspace memory{active_selection_bytes(top_p{0.9}, 3)};
    std::vector<std::uint32_t> indices(2);
    CHECK(message_of([&] { select_indices(top_p{0.9}, values, indices, memory); }).find("all 3 entries") !=
          std::string::npos);
}

TEST_CASE("more values than 32 bits can name are refused before any is read") {
    constexpr std::size_t most = std::size_t{1} << 32;
    const std::string message =
        "tamis: indices have 32 bits and name 4294967296 entries, got 4294967297; make a mask, "
        "or take the values in parts";
    const float value = 1;
    std::uint32_t index = 7;
    entry place{7, 7};
    std::uint64_t word = ~std::uint64_t{0};
    // They say how long they are; only the first element is there.
    const std::span<const float> values{&value, most + 1};
    const std::span indices{&index, most + 1};
    const std::span entries{&place, most + 1};
    const mask_view mask{std::span<const std::uint64_t>{&word, mask_words(most + 1)}, most + 1};
    const scores<float> s{values};
    const auto cut = tamis::cut<float>::everything();
    CHECK(message_of([&] { select_indices(top_k{1}, values, indices, workspace{}); }) == message);
    CHECK(message_of([&] {
              select_indices(top_k{1}, strided{&value, most + 1, 0}, indices, workspace{});
          }) == message);
    CHECK(message_of([&] { select_entries(top_k{1}, values, entries, workspace{}); }) == message);
    CHECK(message_of([&] { active_indices(mask, indices); }) == message);
    CHECK(message_of([&] { active_indices(mask); }) == message);
    CHECK(message_of([&] { plain_active_indices(mask, indices); }) == message);
    CHECK(message_of([&] { write_indices(cut, s, indices); }) == message);
    CHECK(message_of([&] { plain_write_indices(cut, s, indices); }) == message);
    CHECK(message_of([&] { write_entries(cut, s, values, entries); }) == message);
    CHECK(message_of([&] { plain_write_entries(cut, s, values, entries); }) == message);
    CHECK(index == 7);
    // The last that can be named is not refused for this: here the room is too small.
    CHECK(message_of([&] {
              select_indices(top_k{1}, values.first(most), indices.first(1), workspace{});
          }).find("needs room for all 4294967296") != std::string::npos);
}
#endif
