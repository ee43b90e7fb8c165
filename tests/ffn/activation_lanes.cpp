#include "support/bits.hpp"

#include <tamis/element.hpp>
#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/site_step.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

// A vector of values at a time gives what the values one by one give.

namespace {

using tamis::detail::vec;

template <class Sigma>
std::vector<float> by_lanes(std::vector<float> values) {
    REQUIRE(values.size() % vec::size == 0);
    for (std::size_t i = 0; i < values.size(); i += vec::size) {
        tamis::detail::store(&values[i], Sigma{}.lanes(tamis::detail::load(&values[i])));
    }
    return values;
}

std::vector<float> sweep() {
    std::vector<float> all;
    for (int i = -90 * 256; i <= 90 * 256; ++i) {
        all.push_back(static_cast<float>(i) / 256.0f);
    }
    all.resize((all.size() + 15) / 16 * 16);
    return all;
}

#if defined(__FAST_MATH__)
constexpr float bound = 2e-6f; // a division may be a product with a reciprocal
#else
constexpr float bound = 1e-6f;
#endif

/// 1 + erf and 1 + tanh cancel below zero: what is lost there is a part of z.
template <class Sigma>
float largest_error(float least_part_of_z) {
    const std::vector<float> z = sweep();
    const std::vector<float> got = by_lanes<Sigma>(z);
    float largest = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        const float expected = Sigma{}(z[i]);
        const float size = std::max({std::fabs(expected), least_part_of_z * std::fabs(z[i]), 1e-30f});
        largest = std::max(largest, std::fabs(got[i] - expected) / size);
    }
    return largest;
}

} // namespace

TEST_CASE("lanes equal the call: silu, gelu, gelu_tanh") {
    CHECK(largest_error<tamis::silu>(0) < bound);
    CHECK(largest_error<tamis::gelu>(0.125f) < bound);
    CHECK(largest_error<tamis::gelu_tanh>(0.125f) < bound);
}

TEST_CASE("activate: vectors, and what is left over, at any number of values") {
    for (std::size_t n = 0; n < 40; ++n) {
        CAPTURE(n);
        std::vector<float> values(n + 1, 77.0f);
        for (std::size_t i = 0; i < n; ++i) {
            values[i] = static_cast<float>(i) / 4 - 3;
        }
        std::vector<float> expected = values;
        std::for_each(expected.begin(), expected.end() - 1, [](float& z) { z = tamis::silu{}(z); });
        tamis::detail::activate(tamis::silu{}, std::span{values}.first(n));
        for (std::size_t i = 0; i <= n; ++i) {
            CHECK(std::fabs(values[i] - expected[i]) <= 1e-6f);
        }
        std::vector<float> by_relu(n, -1.0f); // one that has no lanes
        tamis::detail::activate(tamis::relu{}, by_relu);
        CHECK(by_relu == std::vector<float>(n));
    }
}

#if !defined(__FAST_MATH__)
TEST_CASE_TEMPLATE("lanes of zeros, infinities and NaN are those of the call", Sigma, tamis::silu,
                   tamis::gelu, tamis::gelu_tanh) {
    for (const float special :
         {0.0f, negative_zero_of<float>, inf_of<float>, negative_inf_of<float>, nan_of<float>}) {
        const float z = at_run_time(special);
        const float expected = Sigma{}(z);
        const std::vector<float> got = by_lanes<Sigma>(std::vector<float>(vec::size, z));
        CAPTURE(z);
        for (const float value : got) {
            if (tamis::is_nan(expected)) {
                CHECK(tamis::is_nan(value));
            } else {
                CHECK(std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(expected));
            }
        }
    }
}
#endif
