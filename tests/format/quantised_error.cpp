#include "format/quantised.hpp"

#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace quantised_error_test {

// What packing rounds, at most, as the formats say it: a part of the largest magnitude among the weights that share a
// scale, and of that scale what f16 rounds.

namespace {

double largest_magnitude(std::span<const float> weights) {
    double largest = 0;
    for (const float w : weights) {
        largest = std::max(largest, std::fabs(double{w}));
    }
    return largest;
}

/// Weights that share a scale are packed, and `bound(weight, largest)` is what may be lost. Sizes are such that f16
/// scales are no denormals; 2^-22 is for the roundings of the arithmetic itself.
template <class F, class Bound>
void check(std::size_t n, Bound&& bound) {
    engine random{n};
    std::size_t wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        auto weights = random_weights(n, random);
        const auto size = static_cast<float>(std::ldexp(1.0, static_cast<int>(below(random, 20)) - 6));
        for (float& w : weights) {
            w *= size;
        }
        const auto row = packed<F>(weights);
        const double largest = largest_magnitude(weights);
        for (std::size_t i = 0; i < n; ++i) {
            const double error = std::fabs(double{F::at(row.data(), i)} - double{weights[i]});
            wrong += error <= bound(double{weights[i]}, largest) + largest * 0x1p-22 ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("q8_0: 1/254 of the block's largest magnitude, and 2^-11 for the scale") {
    check<tamis::q8_0>(32, [](double, double largest) { return largest / 254 + largest * 0x1p-11; });
}

TEST_CASE("q4_0: 1/16 of the block's largest magnitude; 1/8 at the other end of the range") {
    check<tamis::q4_0>(32, [](double w, double largest) {
        const double share = std::fabs(w) > largest * 7.5 / 8 ? 8 : 16;
        return largest / share + largest * 0x1p-11;
    });
}

TEST_CASE("q4_0: the largest magnitude keeps f16's precision") {
    engine random{4};
    for (int round = 0; round < 2000; ++round) {
        const auto weights = random_weights(32, random);
        const auto row = packed<tamis::q4_0>(weights);
        const double largest = largest_magnitude(weights);
        const auto place =
            static_cast<std::size_t>(std::find_if(weights.begin(), weights.end(),
                                                  [&](float w) { return std::fabs(double{w}) == largest; }) -
                                     weights.begin());
        const double error = std::fabs(double{tamis::q4_0::at(row.data(), place)} - double{weights[place]});
        REQUIRE(error <= largest * 0x1p-11);
    }
}

TEST_CASE("int8_by_row: 1/254 of the row's largest magnitude") {
    check<tamis::int8_by_row>(100, [](double, double largest) { return largest / 254; });
}

} // namespace quantised_error_test
