#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>

// A block of tokens is its tokens, one after the other: bit for bit, with masks of their own.

namespace {

constexpr std::size_t h_of_block = 19;
constexpr std::size_t d_of_block = 43;
constexpr std::size_t tokens_of_block = 5;

struct padded {
    std::size_t stride;
    std::vector<float> memory;

    padded(std::size_t row_stride, float fill)
        : stride{row_stride}, memory(tokens_of_block * row_stride, fill) {}
    std::span<float> row(std::size_t i) { return std::span{memory}.subspan(i * stride, h_of_block); }
};

template <std::size_t Subset>
void check(std::size_t x_gap, std::size_t y_gap) {
    engine random{x_gap};
    const problem p = random_problem(h_of_block, d_of_block, true, 1);
    const auto weights = store_glu<7, 1>(p);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};

    padded x{h_of_block + x_gap, nan_of<float>};
    padded y{h_of_block + y_gap, 77.0f};
    padded expected = y;
    for (std::size_t i = 0; i < tokens_of_block; ++i) {
        const std::vector<float> token = coarse_values(h_of_block, random);
        std::copy(token.begin(), token.end(), x.row(i).begin());
    }

    recorder one_by_one;
    tamis::traffic sum;
    for (std::size_t i = 0; i < tokens_of_block; ++i) {
        sum += ffn(x.row(i), expected.row(i), memory, one_by_one);
    }
    recorder seen;
    const tamis::traffic told =
        ffn(tamis::block<const float>{x.memory.data(), tokens_of_block, h_of_block, x.stride},
            tamis::block<float>{y.memory.data(), tokens_of_block, h_of_block, y.stride},
            tamis::tokens_at_a_time{1, memory}, seen);

    CHECK(same_bits(y.memory, expected.memory)); // what lies between the rows too
    CHECK(told.bytes_read == sum.bytes_read);
    CHECK(told.bytes_dense == sum.bytes_dense);
    CHECK(told.bytes_shared == 0);
    CHECK(told.bytes_dense == tokens_of_block * weights.view().bytes());
    REQUIRE(seen.seen.size() == 4 * tokens_of_block);
    for (std::size_t i = 0; i < seen.seen.size(); ++i) {
        CAPTURE(i);
        CHECK(seen.seen[i].token == i / 4);
        CHECK(seen.seen[i].where == one_by_one.seen[i].where);
        CHECK(seen.seen[i].mask == one_by_one.seen[i].mask);
        CHECK(same_bits(seen.seen[i].values, one_by_one.seen[i].values));
    }
}

} // namespace

TEST_CASE("a block equals its tokens one by one") {
    check<0>(0, 0);
    check<9>(0, 0);
    check<15>(0, 0);
}

TEST_CASE("a block with a stride: nothing between the rows is read or written") {
    check<9>(3, 0);
    check<9>(0, 5);
    check<15>(13, 7);
}

TEST_CASE("an empty block reads nothing") {
    const problem p = random_problem(h_of_block, d_of_block, false, 2);
    const auto weights = store_glu<7, 0>(p);
    const auto ffn = make_glu<9>(weights.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    const tamis::traffic told = ffn(tamis::block<const float>{nullptr, 0, h_of_block},
                                    tamis::block<float>{nullptr, 0, h_of_block}, memory);
    CHECK(told.bytes_read == 0);
    CHECK(told.bytes_dense == 0);
}
