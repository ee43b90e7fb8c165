#include "kernel/support.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

namespace dot_rows_of_block_test {

// Dot products for several tokens against the plain loop: every number of tokens, rows around a pass's, values with
// a stride.

namespace {

template <class F>
void check(std::size_t tokens, std::size_t width, std::size_t count, std::size_t gap, engine& random) {
    if (!takes_turn()) {
        return;
    }
    CAPTURE(tokens);
    CAPTURE(width);
    CAPTURE(count);
    CAPTURE(gap);
    const std::size_t n = count + 3;
    const stored<F, tamis::neuron_major> w{random_dense(n, width, random), true, gap, gap};
    const auto listed = some_rows(count, n, random);
    padded_rows x{tokens, width, gap, nan_of<float>};
    x.fill(random);
    padded_rows expected{tokens, n, 2 * gap}; // rows that are not listed keep what is there
    expected.fill(random);
    padded_rows y = expected;
    const padded_rows& in = x;
    tamis::dot_rows_of_block_plain(w.view(), tamis::active_rows{listed}, in.view(), expected.view());
    tamis::dot_rows_of_block(w.view(), tamis::active_rows{listed}, in.view(), y.view());
    REQUIRE(all_close(y, expected, 20.0f));
    REQUIRE(y.is_whole_between());

    tamis::dot_rows_of_block_plain(w.view(), tamis::all_rows{n}, in.view(), expected.view());
    tamis::dot_rows_of_block(w.view(), tamis::all_rows{n}, in.view(), y.view());
    REQUIRE(all_close(y, expected, 20.0f));
    REQUIRE(y.is_whole_between());
}

} // namespace

TEST_CASE_TEMPLATE("dot_rows_of_block equals the plain loop: every number of tokens", F, ALL_FORMATS) {
    engine random{1};
    for (std::size_t tokens = 0; tokens <= tamis::most_tokens; ++tokens) {
        for (const std::size_t width : {1u, 16u, 31u, 32u, 33u, 100u}) {
            for (const std::size_t count : {0u, 1u, 3u, 4u, 8u, 13u}) {
                check<F>(tokens, width, count, tokens % 3, random);
            }
        }
    }
}

TEST_CASE_TEMPLATE("dot_rows_of_block equals the plain loop: every number of rows", F, ALL_FORMATS) {
    engine random{2};
    for (const std::size_t width : {15u, 16u, 17u, 64u, 67u}) {
        for (std::size_t count = 0; count <= 20; ++count) {
            check<F>(3, width, count, count % 4, random);
        }
    }
}

TEST_CASE_TEMPLATE("dot_rows_of_block equals the plain loop over several stretches", F, ALL_FORMATS) {
    engine random{3};
    for (const std::size_t width : long_widths()) {
        check<F>(2, width, 13, 0, random);
        check<F>(16, width, 9, 1, random);
    }
}

} // namespace dot_rows_of_block_test
