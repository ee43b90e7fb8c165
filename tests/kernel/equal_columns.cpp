#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace equal_columns_test {

// Equal columns have equal sums, to the last bit, wherever they lie, and equal rows equal products: so that equal neurons
// are active together.

namespace {

template <class F>
void check_equal_columns(std::size_t width, std::size_t count, engine& random) {
    dense m{count, width, {}};
    for (std::size_t i = 0; i < count; ++i) { // a row of one weight alone, which no format holds quite
        const float weight = coarse(random) / 3;
        m.values.insert(m.values.end(), width, weight);
    }
    const stored<F, tamis::neuron_major> w{m, true, 3};
    std::vector<float> x(3 * count);
    for (float& value : x) {
        value = coarse(random) / 7;
    }
    std::vector<float> sums(width);
    std::vector<float> of_three(3 * width);
    tamis::sum_rows(w.view(), tamis::all_rows{count}, std::span{x}.first(count), sums);
    tamis::sum_rows_of_block(w.view(), tamis::all_rows{count}, tamis::block<const float>{x.data(), 3, count},
                             tamis::block<float>{of_three.data(), 3, width}, 0, width);
    for (std::size_t j = 0; j < width; ++j) {
        REQUIRE(same_bits({&sums[j], 1}, {&sums[0], 1}));
        for (std::size_t token = 0; token < 3; ++token) {
            REQUIRE(same_bits({&of_three[token * width + j], 1}, {&of_three[token * width], 1}));
        }
    }
}

template <class F>
void check_equal_rows(std::size_t width, std::size_t count, engine& random) {
    dense m{count, width, {}};
    std::vector<float> x(width);
    std::vector<float> row(width);
    for (std::size_t j = 0; j < width; ++j) {
        x[j] = coarse(random) / 7;
        row[j] = coarse(random) / 3;
    }
    for (std::size_t i = 0; i < count; ++i) {
        m.values.insert(m.values.end(), row.begin(), row.end());
    }
    const stored<F, tamis::neuron_major> w{m, true, 3};
    std::vector<float> dots(count);
    tamis::dot_rows(w.view(), tamis::all_rows{count}, x, dots);
    for (std::size_t i = 0; i < count; ++i) {
        REQUIRE(same_bits({&dots[i], 1}, {&dots[0], 1}));
    }
}

} // namespace

TEST_CASE_TEMPLATE("equal columns have equal sums, and equal rows equal products", F, ALL_FORMATS,
                   scale_and_minimum<32>) {
    engine random{10};
    for (const std::size_t width : {1u, 3u, 9u, 17u, 31u, 33u, 47u, 70u, 600u}) {
        for (const std::size_t count : {1u, 2u, 9u, 15u}) {
            CAPTURE(width);
            CAPTURE(count);
            check_equal_columns<F>(width, count, random);
            check_equal_rows<F>(width, count, random);
        }
    }
}

} // namespace equal_columns_test
