#include "kernel/support.hpp"

#include <tamis/format/f32.hpp>

#include <doctest/doctest.h>

#include <array>

namespace plain_twins_test {

// The plain loops themselves, on numbers that can be checked by hand, and the fast ones on the same.

namespace {

//  1  2  3
//  4  5  6
constexpr std::array<float, 6> weights{1, 2, 3, 4, 5, 6};
const tamis::matrix<tamis::f32, tamis::neuron_major> w{weights.data(), 2, 3};
constexpr std::array<std::uint32_t, 1> second{1};

} // namespace

TEST_CASE("dot_rows: y[r] = row r . x") {
    const std::array<float, 3> x{1, 10, 100};
    std::array<float, 2> plain{-1, -1};
    std::array<float, 2> fast{-1, -1};
    tamis::dot_rows_plain(w, tamis::all_rows{2}, x, plain);
    tamis::dot_rows(w, tamis::all_rows{2}, x, fast);
    CHECK(plain == std::array<float, 2>{321, 654});
    CHECK(fast == plain);
}

TEST_CASE("dot_rows: the entries of rows that are not listed stay") {
    const std::array<float, 3> x{1, 10, 100};
    std::array<float, 2> plain{-1, -1};
    std::array<float, 2> fast{-1, -1};
    tamis::dot_rows_plain(w, tamis::active_rows{second}, x, plain);
    tamis::dot_rows(w, tamis::active_rows{second}, x, fast);
    CHECK(plain == std::array<float, 2>{-1, 654});
    CHECK(fast == plain);
}

TEST_CASE("sum_rows: y += x[r] * row r") {
    const std::array<float, 2> x{1, 10};
    std::array<float, 3> plain{100, 200, 300};
    std::array<float, 3> fast{100, 200, 300};
    tamis::sum_rows_plain(w, tamis::all_rows{2}, x, plain);
    tamis::sum_rows(w, tamis::all_rows{2}, x, fast);
    CHECK(plain == std::array<float, 3>{141, 252, 363});
    CHECK(fast == plain);
    tamis::sum_rows(w, tamis::active_rows{second}, x, fast);
    CHECK(fast == std::array<float, 3>{181, 302, 423});
}

} // namespace plain_twins_test
