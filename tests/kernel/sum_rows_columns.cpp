#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace sum_rows_columns_test {

// A sum of rows over ranges of columns, the caller's threads' way to divide it, gives the bits of all columns at once,
// and writes none of the others.

namespace {

template <class F, class Sum>
void check_ranges(std::size_t width, Sum&& sum) {
    engine random{width};
    constexpr std::size_t n = 22;
    const stored<F, tamis::neuron_major> w{random_dense(n, width, random), true, 3, 1};
    for (const std::size_t count : {0u, 1u, 5u, 8u, 15u, 20u}) {
        const auto listed = some_rows(count, n, random);
        padded_rows expected{3, width, 5};
        expected.fill(random);
        const padded_rows start = expected;
        padded_rows x{3, n, 2, nan_of<float>};
        x.fill(random);
        sum(w.view(), tamis::active_rows{listed}, x, expected, 0, width);
        for (std::size_t cut = 0; cut <= width; cut += 64) {
            padded_rows y = start;
            sum(w.view(), tamis::active_rows{listed}, x, y, cut, width); // the order of the parts is free
            for (std::size_t token = 0; token < 3; ++token) {
                REQUIRE(same_bits(y.row(token).first(cut), start.row(token).first(cut)));
            }
            sum(w.view(), tamis::active_rows{listed}, x, y, 0, cut);
            for (std::size_t token = 0; token < 3; ++token) {
                REQUIRE(same_bits(y.row(token), expected.row(token)));
            }
            REQUIRE(y.is_whole_between());
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("sum_rows: ranges of columns give the bits of all at once", F, ALL_FORMATS) {
    for (const std::size_t width : {64u, 100u, 512u, 1055u}) {
        check_ranges<F>(width, [](const auto& w, auto rows, const padded_rows& x, padded_rows& y,
                                  std::size_t begin, std::size_t end) {
            for (std::size_t token = 0; token < 3; ++token) {
                tamis::sum_rows(w, rows, x.row(token), y.row(token), begin, end);
            }
        });
    }
}

TEST_CASE_TEMPLATE("sum_rows_of_block: ranges of columns give the bits of all at once", F, ALL_FORMATS) {
    for (const std::size_t width : {64u, 100u, 512u, 1055u}) {
        check_ranges<F>(width, [](const auto& w, auto rows, const padded_rows& x, padded_rows& y,
                                  std::size_t begin, std::size_t end) {
            tamis::sum_rows_of_block(w, rows, x.view(), y.view(), begin, end);
        });
    }
}

} // namespace sum_rows_columns_test
