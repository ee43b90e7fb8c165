#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace unread_rows_test {

// Rows that are not listed are not read: NaN in them changes no bit of the result.

namespace {

template <class F, class Kernel>
void check(std::size_t x_size, std::size_t y_size, std::size_t rows, std::size_t columns, Kernel&& kernel) {
    engine random{4};
    for (std::size_t count = 0; count <= rows; ++count) {
        CAPTURE(count);
        const dense m = random_dense(rows, columns, random);
        stored<F, tamis::neuron_major> w{m, true, 10};
        const std::vector<std::uint32_t> listed = some_rows(count, rows, random);
        const std::vector<float> x = coarse_values(x_size, random);
        std::vector<float> expected(y_size, 1.0f);
        std::vector<float> y(y_size, 1.0f);
        kernel(w.view(), tamis::active_rows{listed}, x, expected);
        std::size_t next = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            if (next < listed.size() && listed[next] == i) {
                ++next;
            } else {
                w.spoil(i);
            }
        }
        kernel(w.view(), tamis::active_rows{listed}, x, y);
        CHECK(all_finite(y));
        CHECK(same_bits(y, expected));
    }
}

constexpr std::size_t rows = 29;
constexpr std::size_t columns = 37;

} // namespace

TEST_CASE_TEMPLATE("dot_rows leaves rows that are not listed unread", F, ALL_FORMATS) {
    check<F>(columns, rows, rows, columns,
             [](const auto& w, auto listed, const auto& x, auto& y) { tamis::dot_rows(w, listed, x, y); });
}

TEST_CASE_TEMPLATE("sum_rows leaves rows that are not listed unread", F, ALL_FORMATS) {
    check<F>(rows, columns, rows, columns,
             [](const auto& w, auto listed, const auto& x, auto& y) { tamis::sum_rows(w, listed, x, y); });
}

TEST_CASE_TEMPLATE("dot_rows_of_block leaves rows that are not listed unread", F, ALL_FORMATS) {
    check<F>(3 * columns, 3 * rows, rows, columns, [](const auto& w, auto listed, const auto& x, auto& y) {
        tamis::dot_rows_of_block(w, listed, tamis::block<const float>{x.data(), 3, columns},
                                 tamis::block<float>{y.data(), 3, rows});
    });
}

TEST_CASE_TEMPLATE("sum_rows_of_block leaves rows that are not listed unread", F, ALL_FORMATS) {
    check<F>(3 * rows, 3 * columns, rows, columns, [](const auto& w, auto listed, const auto& x, auto& y) {
        tamis::sum_rows_of_block(w, listed, tamis::block<const float>{x.data(), 3, rows},
                                 tamis::block<float>{y.data(), 3, columns}, 0, columns);
    });
}

} // namespace unread_rows_test
