#include "support/bits.hpp"

#include <tamis/element.hpp>
#include <tamis/ffn/activate.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace activation_lanes_test {

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

#if defined(__FAST_MATH__) && !defined(__FMA__)
constexpr float bound = 1e-5f; // exp's argument is rounded where it is to be exact
#elif defined(__FAST_MATH__)
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
    if (!tamis::detail::vectors_round) {
        return; // they are not used
    }
    CHECK(largest_error<tamis::silu>(0) < bound);
    CHECK(largest_error<tamis::gelu>(0.125f) < bound);
    CHECK(largest_error<tamis::gelu_tanh>(0.125f) < bound);
}

TEST_CASE_TEMPLATE("lanes far below zero are nothing, whatever a division is compiled to", Sigma, tamis::silu,
                   tamis::gelu_tanh) {
    for (const float z : {-20.0f, -89.0f, -100.0f, -1e4f, -1e30f}) {
        const float got = by_lanes<Sigma>(std::vector<float>(vec::size, at_run_time(z)))[0];
        CAPTURE(z);
        CHECK(!tamis::is_nan(got));
        CHECK(std::fabs(got) <= 1e-7f);
    }
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

namespace {

/// One of the user's own, with lanes that differ from the call by more than rounding.
struct own_sigma {
    float operator()(float z) const { return z; }
    template <class Vector>
    Vector lanes(const Vector& z) const {
        return z + z;
    }
};

template <class Sigma>
bool equal_at_every_place(float z) {
    std::vector<float> one(vec::size, z);
    tamis::detail::activate(Sigma{}, one);
    for (std::size_t n = 1; n < 3 * vec::size; ++n) {
        std::vector<float> values(n + 1, z);
        values[n] = 77.0f;
        tamis::detail::activate(Sigma{}, std::span{values}.first(n));
        for (std::size_t i = 0; i < n; ++i) {
            if (std::bit_cast<std::uint32_t>(values[i]) != std::bit_cast<std::uint32_t>(one[0])) {
                return false;
            }
        }
        if (values[n] != 77.0f) {
            return false;
        }
    }
    return true;
}

} // namespace

TEST_CASE_TEMPLATE("equal values have equal results at every place of every number of values", Sigma,
                   tamis::silu, tamis::gelu, tamis::gelu_tanh, tamis::relu, own_sigma) {
    for (const float z : {-88.5f, -88.0f, -87.4f, 88.5f, -104.0f, 104.0f, -5.55f, -9.1f, 0.1f, -0.3f, 1e30f,
                          -1e30f, 1e-30f, 0.0f, negative_zero_of<float>, denormal_of<float>(3)}) {
#if defined(__FAST_MATH__)
        if (z == 0) { // which has no sign there
            continue;
        }
#endif
        CAPTURE(z);
        CHECK(equal_at_every_place<Sigma>(at_run_time(z)));
    }
}

TEST_CASE("what has lanes is computed by them alone, where they are used") {
    std::vector<float> values(vec::size + 1, 3.0f);
    tamis::detail::activate(own_sigma{}, values);
    CHECK(values == std::vector<float>(vec::size + 1, tamis::detail::vectors_round ? 6.0f : 3.0f));
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

namespace {

/// The largest errors over all exponents and -110 .. 110, by lanes and by the call, as parts of z and of the result (where
/// that is 1e-30 or more).
struct errors_of_sigma {
    double of_z = 0, of_result = 0;

    template <class Sigma, class Exact>
    errors_of_sigma(Sigma sigma, Exact exact) {
        std::vector<float> all;
        for (std::uint64_t bits = 0x00800000; bits < 0x7f800000; bits += 0x2ffe3) {
            all.push_back(from_bits<float>(bits));
            all.push_back(from_bits<float>(bits | 0x80000000u));
        }
        for (int i = -110 * 64; i <= 110 * 64; ++i) {
            all.push_back(static_cast<float>(i) / 64.0f);
        }
        std::vector<float> lanes = all;
        tamis::detail::activate(sigma, lanes);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i] != 0) {
                const double right = exact(double{all[i]});
                add(double{all[i]}, double{lanes[i]}, right);
                add(double{all[i]}, double{sigma(all[i])}, right);
            }
        }
    }
    void add(double z, double got, double right) {
        const double error = std::fabs(got - right);
        of_z = std::max(of_z, (error - 1e-37) / std::fabs(z));
        of_result = std::max(of_result, std::fabs(right) >= 1e-30 ? error / std::fabs(right) : 0.0);
    }
};

} // namespace

#if !defined(__FAST_MATH__) // which says nothing of results so near to zero
TEST_CASE("activations are as near to what they are as they say") {
    const errors_of_sigma by_silu{tamis::silu{}, [](double z) { return z / (1 + std::exp(-z)); }};
    CHECK(by_silu.of_result < 4e-7);
    CHECK(by_silu.of_z < 4e-7);
    const errors_of_sigma by_gelu{tamis::gelu{},
                                  [](double z) { return z / 2 * std::erfc(-z * 0.70710678118654752); }};
    CHECK(by_gelu.of_z < 2e-7);
    const errors_of_sigma by_tanh{tamis::gelu_tanh{}, [](double z) {
                                      const double t = 0.79788456080286536 * (z + 0.044715 * z * z * z);
                                      return z / (1 + std::exp(-2 * t));
                                  }};
    CHECK(by_tanh.of_z < 3e-7);
    float lanes[] = {-9.0625f};
    tamis::detail::activate(tamis::gelu_tanh{}, lanes);
    CHECK(lanes[0] ==
          doctest::Approx(-9.0625 / (1 + std::exp(2 * 0.79788456080286536 *
                                                  (9.0625 + 0.044715 * 9.0625 * 9.0625 * 9.0625))))
              .epsilon(2e-5));
}
#endif

} // namespace activation_lanes_test
