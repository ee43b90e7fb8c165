#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace block_bits_test {

// What does not depend on the company: where weights share no scale, each of a few tokens gets the bits that it gets
// alone; and each row's product with a token is the same, whichever rows are taken with it.

TEST_CASE_TEMPLATE("sum_rows_of_block: the bits of sum_rows, token by token", F, UNSCALED_FORMATS) {
    engine random{1};
    for (const std::size_t width : {1u, 16u, 33u, 513u, 1024u}) {
        for (const std::size_t tokens : {1u, 2u, 7u}) { // more may be taken by tiles: block_masks.cpp
            CAPTURE(width);
            CAPTURE(tokens);
            const stored<F, tamis::neuron_major> w{random_dense(21, width, random), true};
            padded_rows x{tokens, 21, 3};
            x.fill(random);
            padded_rows expected{tokens, width, 1};
            expected.fill(random);
            padded_rows y = expected;
            for (std::size_t token = 0; token < tokens; ++token) {
                tamis::sum_rows(w.view(), tamis::all_rows{21}, x.row(token), expected.row(token));
            }
            tamis::sum_rows_of_block(w.view(), tamis::all_rows{21}, x.view(), y.view(), 0, width);
            for (std::size_t token = 0; token < tokens; ++token) {
                REQUIRE(same_bits(y.row(token), expected.row(token)));
            }
        }
    }
}

#if !defined(__FAST_MATH__) // which may add up the last columns of a row in any order
TEST_CASE_TEMPLATE("dot_rows: a product's bits do not depend on the other rows", F, ALL_FORMATS) {
    engine random{2};
    for (const std::size_t width : {1u, 33u, 513u, 1100u}) {
        CAPTURE(width);
        const stored<F, tamis::neuron_major> w{random_dense(21, width, random), true};
        const std::vector<float> x = coarse_values(width, random);
        std::vector<float> all(21);
        tamis::dot_rows(w.view(), tamis::all_rows{21}, x, all);
        for (const std::size_t count : {1u, 4u, 8u, 13u}) {
            std::vector<float> some = all;
            const auto listed = some_rows(count, 21, random);
            for (const std::uint32_t row : listed) {
                some[row] = sentinel;
            }
            tamis::dot_rows(w.view(), tamis::active_rows{listed}, x, some);
            REQUIRE(same_bits(some, all));
        }
    }
}
#endif

} // namespace block_bits_test
