#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/select.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

using namespace tamis;

namespace {

/// Selects with the smallest workspace that the query allows, in memory with a guard around all of it.
template <class S, class T>
void select_tightly(const S& s, const std::vector<T>& values, const mask& expected) {
    const std::size_t n = values.size();
    const std::size_t bytes = selection_bytes(s, n);
    constexpr auto guard = std::byte{0xa5};
    std::vector<std::byte> scratch(bytes + 3 * workspace_alignment, guard);
    void* start = scratch.data() + workspace_alignment;
    std::size_t room = bytes + workspace_alignment;
    std::align(workspace_alignment, bytes, start, room);
    std::byte* const first = static_cast<std::byte*>(start);

    std::vector<std::uint64_t> words(mask_words(n) + 2, 0xa5a5a5a5a5a5a5a5ull);
    const mask_span out{std::span{words}.subspan(1), n};
    select(s, values, out, workspace{std::span{first, bytes}});

    CHECK(mask{out} == expected);
    CHECK(is_clear_behind(out));
    CHECK(words.front() == 0xa5a5a5a5a5a5a5a5ull);
    CHECK(words.back() == 0xa5a5a5a5a5a5a5a5ull);
    CHECK(std::all_of(scratch.data(), first, [](std::byte b) { return b == guard; }));
    CHECK(
        std::all_of(first + bytes, scratch.data() + scratch.size(), [](std::byte b) { return b == guard; }));
}

} // namespace

TEST_CASE_TEMPLATE("the query's bytes are enough, and nothing around the caller's memory is touched", T,
                   float, double, std::int16_t) {
    engine random{41};
    for (std::size_t n = 0; n < 200; ++n) {
        if (!takes_turn()) {
            continue;
        }
        const auto values = generate<T>(shapes[n % shapes.size()], n, random);
        CAPTURE(n);
        const auto check = [&](const auto& s) { select_tightly(s, values, select(s, values)); };
        check(nonzero{});
        check(top_p{0.9});
        check(top_k{n / 2});
        check(tail_budget{1.0});
        check(top_p{0.9} & top_k{5});
        check(at_least{3, at_most{9, top_p{0.5}}});
        check(guarded{100, top_p{0.9}});
        check(guarded{100, guarded{10, top_p{0.9} | top_k{2}}});
        check(scored{centred{0.5}, top_p{0.9}});
        check(scored{centred{0.5}, tail_budget{3.0}});
        check(scored{centred{0.5}, at_most{n / 2, tail_budget{0.25}}});
        check(scored{centred{0.5}, guarded{10, top_p{0.9}}} & top_k{n / 2});
        check((scored{centred{0.5}, top_p{0.9}} | top_k{1}) & (top_p{0.99} | scored{centred{1}, nonzero{}}));
        mask all{n};
        check(always_active{all, top_p{0.9} & scored{centred{0.5}, top_k{3}}});
    }
}

TEST_CASE("values may begin at any element") {
    engine random{42};
    const auto values = generate<float>(shape::normal, 200, random);
    for (std::size_t offset = 0; offset < 20; ++offset) {
        const std::span part = std::span{values}.subspan(offset, 150);
        const std::vector<float> copy(part.begin(), part.end());
        CHECK(select(top_p{0.8}, part) == select(top_p{0.8}, copy));
    }
}

TEST_CASE("strided values give the mask of their copy") {
    engine random{43};
    const auto values = generate<double>(shape::specials, 300, random);
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
        std::vector<double> copy;
        for (std::size_t i = 0; i < 40; ++i) {
            copy.push_back(values[i * step]);
        }
        const strided column{values.data(), 40, static_cast<std::ptrdiff_t>(step)};
        CHECK(select(top_p{0.8}, column) == select(top_p{0.8}, copy));
        CHECK(select(scored{centred{0.5}, top_p{0.8}} & top_k{9}, column) ==
              select(scored{centred{0.5}, top_p{0.8}} & top_k{9}, copy));
    }
}

TEST_CASE("selecting leaves the values alone") {
    engine random{44};
    for (const shape s : shapes) {
        auto values = generate<float>(s, 100, random);
        std::vector<std::uint32_t> before;
        for (const float v : values) {
            before.push_back(std::bit_cast<std::uint32_t>(v));
        }
        select(guarded{10, top_p{0.9}} & top_k{50}, values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            CHECK(std::bit_cast<std::uint32_t>(values[i]) == before[i]);
        }
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("a mask of another size, and too small a workspace, are refused with both numbers") {
    const std::vector<double> values(100, 1.0);
    mask out{99};
    owned_workspace memory{selection_bytes(top_p{0.9}, 100)};
    CHECK(message_of([&] { select(top_p{0.9}, values, out.span(), memory); }) ==
          "tamis::select: a mask over 100 entries is needed, got one over 99");
    mask right{100};
    owned_workspace small{64};
    const std::string message = message_of([&] { select(top_p{0.9}, values, right.span(), small); });
    CHECK(message.find("more bytes are needed, 64 are left") != std::string::npos);
}
#endif
