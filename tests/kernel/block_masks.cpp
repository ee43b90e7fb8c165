#include "kernel/support.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

namespace block_masks_test {

// Blocks in which each token wants rows of its own: against the plain loops, over densities, numbers of tokens on both sides
// of the tiles', shapes around a tile; and what does not depend on the company.

namespace {

/// Masks of a density for some tokens over n rows, and the union's rows.
struct masks_of_block {
    std::size_t words;
    std::vector<std::uint64_t> bits;
    std::vector<std::uint32_t> listed;

    masks_of_block(std::size_t tokens, std::size_t n, std::size_t tenths, engine& random)
        : words{(n + 63) / 64}, bits(tokens * words) {
        for (std::size_t i = 0; i < n; ++i) {
            bool any = false;
            for (std::size_t token = 0; token < tokens; ++token) {
                if (below(random, 10) < tenths) {
                    bits[token * words + i / 64] |= std::uint64_t{1} << (i % 64);
                    any = true;
                }
            }
            if (any) {
                listed.push_back(static_cast<std::uint32_t>(i));
            }
        }
    }
    tamis::token_masks view() const { return {bits.data(), words}; }
};

/// Calls f(tokens, rows, columns, tenths) for shapes around a tile of 15, 16 or 32 rows, of 128 or 256 columns.
template <class F>
void for_each_block(F&& f) {
    constexpr std::size_t shapes[][2] = {{15, 128}, {33, 300}, {70, 257}, {40, 1100}, {3, 31}};
    for (const auto& shape : shapes) {
        const std::size_t rows = shape[0];
        const std::size_t columns = shape[1];
        for (const std::size_t tokens : {2u, 4u, 8u, 11u, 12u, 16u}) {
            for (const std::size_t tenths : {0u, 1u, 5u, 7u, 10u}) {
                if (!takes_turn()) {
                    continue;
                }
                CAPTURE(rows);
                CAPTURE(columns);
                CAPTURE(tokens);
                CAPTURE(tenths);
                f(tokens, rows, columns, tenths);
            }
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("dot_rows_of_block: each token the rows that it wants, and zeros", F, tamis::f32,
                   tamis::bf16, tamis::int8_by_row, tamis::q4_0) {
    engine random{1};
    for_each_block([&](std::size_t tokens, std::size_t rows, std::size_t columns, std::size_t tenths) {
        const stored<F, tamis::neuron_major> w{random_dense(rows, columns, random), true, 1, 1};
        const masks_of_block masks{tokens, rows, tenths, random};
        padded_rows x{tokens, columns, 3, nan_of<float>};
        x.fill(random);
        padded_rows expected{tokens, rows, 1};
        expected.fill(random);
        padded_rows y = expected;
        const padded_rows& in = x;
        const tamis::active_rows listed{masks.listed};
        tamis::dot_rows_of_block_plain(w.view(), listed, in.view(), expected.view(), masks.view());
        tamis::dot_rows_of_block(w.view(), listed, in.view(), y.view(), masks.view());
        REQUIRE(all_close(y, expected, 100.0f));
        REQUIRE(y.is_whole_between());
        for (std::size_t token = 0; token < tokens; ++token) {
            for (const std::uint32_t row : masks.listed) {
                REQUIRE((masks.view().wants(token, row) || y.row(token)[row] == 0));
            }
        }
    });
}

TEST_CASE_TEMPLATE("sum_rows_of_block: each token the rows that it wants; by tiles its bits are its own", F,
                   tamis::f32, tamis::bf16, tamis::int8_by_row, tamis::q4_0) {
    engine random{2};
    for_each_block([&](std::size_t tokens, std::size_t columns, std::size_t rows, std::size_t tenths) {
        const stored<F, tamis::neuron_major> w{random_dense(rows, columns, random), true, 1, 1};
        const masks_of_block masks{tokens, rows, tenths, random};
        padded_rows x{tokens, rows, 3, nan_of<float>};
        x.fill(random);
        for (std::size_t token = 0; token < tokens; ++token) {
            for (std::size_t i = 0; i < rows; ++i) {
                x.row(token)[i] = masks.view().wants(token, i) ? x.row(token)[i] : 0.0f;
            }
        }
        padded_rows start{tokens, columns, 1};
        start.fill(random);
        padded_rows expected = start;
        padded_rows y = start;
        const padded_rows& in = x;
        const tamis::active_rows listed{masks.listed};
        tamis::sum_rows_of_block_plain(w.view(), listed, in.view(), expected.view());
        tamis::sum_rows_of_block(w.view(), listed, in.view(), y.view(), 0, columns);
        REQUIRE(all_close(y, expected, 400.0f));
        REQUIRE(y.is_whole_between());
        if (tokens < tamis::detail::sum_tokens_of_tiles<F>.all) {
            return;
        }
        for (std::size_t token = 1; token < tokens; ++token) { // others want all, and columns are divided
            for (float& value : x.row(token)) {
                value = 0.5f;
            }
        }
        padded_rows again = start;
        const std::size_t middle = columns / 2 / 64 * 64;
        tamis::sum_rows_of_block(w.view(), tamis::all_rows{rows}, in.view(), again.view(), 0, middle);
        tamis::sum_rows_of_block(w.view(), tamis::all_rows{rows}, in.view(), again.view(), middle, columns);
        REQUIRE(same_bits(again.row(0), y.row(0)));
    });
}

TEST_CASE("sum_rows_of_block: more columns than are summed at a time") {
    engine random{3};
    constexpr std::size_t tokens = 16, rows = 17, columns = 16500;
    REQUIRE(tamis::detail::strip_columns<tamis::f32>(tokens, columns) < columns);
    const stored<tamis::f32, tamis::neuron_major> w{random_dense(rows, columns, random), true, 1, 1};
    padded_rows x{tokens, rows, 3};
    x.fill(random);
    padded_rows expected{tokens, columns, 1};
    expected.fill(random);
    padded_rows y = expected;
    const padded_rows& in = x;
    tamis::sum_rows_of_block_plain(w.view(), tamis::all_rows{rows}, in.view(), expected.view());
    tamis::sum_rows_of_block(w.view(), tamis::all_rows{rows}, in.view(), y.view(), 0, columns);
    REQUIRE(all_close(y, expected, 400.0f));
    REQUIRE(y.is_whole_between());
}

} // namespace block_masks_test
