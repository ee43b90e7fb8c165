#include "kernel/support.hpp"

#include <doctest/doctest.h>

namespace massive_values_test {

// A massive activation takes part in a sum with its own weight alone: where that is zero, the small values beside it keep all
// their digits. Each sum is compared with the exact one, with the error that rounding each of its terms and partial sums may
// make: sum |w| |x| times n units of 2^-24.

namespace {

/// Weights that the formats hold, among them many zeros, those for which `is_massive` holds above all.
template <class Massive>
dense weights_beside(std::size_t rows, std::size_t columns, engine& random, Massive&& is_massive) {
    dense m = random_dense(rows, columns, random);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            if (is_massive(j) || below(random, 4) == 0) {
                m.values[i * columns + j] = 0;
            }
        }
    }
    return m;
}

double bound(double magnitudes, std::size_t terms) {
    return magnitudes * static_cast<double>(terms + 4) * 0x1p-24 + 0x1p-126;
}

/// Whether a sum of weights times values is as near to the exact one as the rounding of floats leaves it.
template <class Weight>
bool is_near(float got, std::span<const float> values, Weight&& weight) {
    double exact = 0;
    double magnitudes = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
        const double term = double{weight(k)} * double{values[k]};
        exact += term;
        magnitudes += std::fabs(term);
    }
    return std::fabs(double{got} - exact) <= bound(magnitudes, values.size());
}

template <class F, class Massive>
void check_dots(float massive, Massive&& is_massive, engine& random) {
    constexpr std::size_t rows = 11, columns = 96;
    const stored<F, tamis::neuron_major> w{weights_beside(rows, columns, random, is_massive), true};
    std::vector<float> x(2 * columns);
    for (std::size_t j = 0; j < 2 * columns; ++j) {
        x[j] = is_massive(j % columns) ? massive : 0.01f * coarse(random);
    }
    std::vector<float> one(rows);
    std::vector<float> two(2 * rows);
    tamis::dot_rows(w.view(), tamis::all_rows{rows}, std::span{x}.first(columns), one);
    tamis::dot_rows_of_block(w.view(), tamis::all_rows{rows}, tamis::block<const float>{x.data(), 2, columns},
                             tamis::block<float>{two.data(), 2, rows});
    for (std::size_t token = 0; token < 2; ++token) {
        const auto of_token = std::span{x}.subspan(token * columns, columns);
        for (std::size_t i = 0; i < rows; ++i) {
            const auto right = [&](float got) {
                return is_near(got, of_token, [&](std::size_t j) { return w.view().at(i, j); });
            };
            REQUIRE(right(two[token * rows + i]));
            if (token == 0) {
                REQUIRE(right(one[i]));
            }
        }
    }
}

template <class F, class Massive>
void check_sums(float massive, Massive&& is_massive, engine& random) {
    constexpr std::size_t rows = 21, columns = 67;
    dense m = weights_beside(rows, columns, random, [](std::size_t) { return false; });
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns && is_massive(i); ++j) {
            m.values[i * columns + j] = 0;
        }
    }
    const stored<F, tamis::neuron_major> w{m, true};
    std::vector<float> x(2 * rows);
    for (std::size_t i = 0; i < 2 * rows; ++i) {
        x[i] = is_massive(i % rows) ? massive : 0.01f * coarse(random);
    }
    std::vector<float> one(columns);
    std::vector<float> two(2 * columns);
    tamis::sum_rows(w.view(), tamis::all_rows{rows}, std::span{x}.first(rows), one);
    tamis::sum_rows_of_block(w.view(), tamis::all_rows{rows}, tamis::block<const float>{x.data(), 2, rows},
                             tamis::block<float>{two.data(), 2, columns}, 0, columns);
    for (std::size_t token = 0; token < 2; ++token) {
        const auto of_token = std::span{x}.subspan(token * rows, rows);
        for (std::size_t j = 0; j < columns; ++j) {
            const auto right = [&](float got) {
                return is_near(got, of_token, [&](std::size_t i) { return w.view().at(i, j); });
            };
            REQUIRE(right(two[token * columns + j]));
            if (token == 0) {
                REQUIRE(right(one[j]));
            }
        }
    }
}

} // namespace

TEST_CASE_TEMPLATE("zero weights keep massive values out of a sum", F, ALL_FORMATS) {
    engine random{8};
    for (const float massive : {1e3f, 7e4f, -7e4f, 3e15f, 1e30f}) {
        CAPTURE(massive);
        const auto in_upper_half = [](std::size_t j) { return j % 32 >= 16; };
        const auto in_lower_half = [](std::size_t j) { return j % 32 < 16; };
        const auto in_one_place = [&](std::size_t j) { return j == 5 || j == 23; };
        const auto nearly_everywhere = [](std::size_t j) { return j % 7 != 3; };
        check_dots<F>(massive, in_upper_half, random);
        check_dots<F>(massive, in_lower_half, random);
        check_dots<F>(massive, in_one_place, random);
        check_dots<F>(massive, nearly_everywhere, random);
        check_sums<F>(massive, in_upper_half, random);
        check_sums<F>(massive, in_one_place, random);
    }
}

TEST_CASE("q4_0 by hand: .01 times ones beside 70000 times zeros") {
    const std::vector<float> weights = [] {
        std::vector<float> all(32);
        std::fill_n(all.begin(), 16, 1.0f);
        all[31] = -8; // makes the scale 1; its x is 0
        return all;
    }();
    const stored<tamis::q4_0, tamis::neuron_major> w{{1, 32, weights}, true};
    std::vector<float> x(32, 7e4f);
    std::fill_n(x.begin(), 16, 0.01f);
    x[31] = 0;
    std::vector<float> y(1);
    tamis::dot_rows(w.view(), tamis::all_rows{1}, x, y);
    CHECK(y[0] == doctest::Approx(0.16).epsilon(1e-6));
}

#if !defined(__FAST_MATH__)
TEST_CASE_TEMPLATE("infinite and NaN values are as in the plain loop", F, ALL_FORMATS) {
    engine random{9};
    for (const float special : {inf_of<float>, negative_inf_of<float>, nan_of<float>}) {
        for (std::size_t place = 0; place < 67; ++place) {
            const stored<F, tamis::neuron_major> w{weights_beside(9, 67, random,
                                                                  [](std::size_t) { return false; }),
                                                   true};
            std::vector<float> x = coarse_values(67, random);
            x[place] = special;
            std::vector<float> expected(9);
            std::vector<float> y(9);
            tamis::dot_rows_plain(w.view(), tamis::all_rows{9}, x, expected);
            tamis::dot_rows(w.view(), tamis::all_rows{9}, x, y);
            for (std::size_t i = 0; i < 9; ++i) {
                CAPTURE(place);
                REQUIRE(tamis::is_nan(y[i]) == tamis::is_nan(expected[i]));
                REQUIRE((tamis::is_nan(y[i]) || y[i] == expected[i]));
            }
        }
    }
}
#endif

} // namespace massive_values_test
