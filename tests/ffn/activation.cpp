#include "ffn/support_reference.hpp"

#include <tamis/ffn/activation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace activation_test {

// Each activation against its formula in double, over all sizes of argument.

namespace {

template <class Sigma>
float largest_error(Sigma sigma, exact_sigma exact) {
    float largest = 0;
    for (int i = -4000; i <= 4000; ++i) {
        const float z = static_cast<float>(i) / 128.0f;
        const auto expected = static_cast<float>(exact(double{z}));
        largest = std::max(largest, std::fabs(sigma(z) - expected) / std::max(1.0f, std::fabs(expected)));
    }
    return largest;
}

struct sine {
    double operator()(float z) const { return std::sin(double{z}); }
};
struct two_arguments {
    float operator()(float, float) const { return 0; }
};

} // namespace

static_assert(tamis::activation<tamis::silu> && tamis::activation<tamis::gelu> &&
              tamis::activation<tamis::gelu_tanh>);
static_assert(tamis::activation<tamis::relu> && tamis::activation<tamis::relu2> &&
              tamis::activation<tamis::linear>);
static_assert(tamis::activation<sine> && tamis::activation<float (*)(float)>);
static_assert(!tamis::activation<two_arguments> && !tamis::activation<int>);

TEST_CASE("activations follow their formulas") {
    CHECK(largest_error(tamis::silu{}, exact_silu) < 4e-7f);
    CHECK(largest_error(tamis::gelu{}, exact_gelu) < 4e-7f);
    CHECK(largest_error(tamis::gelu_tanh{}, exact_gelu_tanh) < 8e-7f);
    CHECK(largest_error(tamis::relu{}, exact_relu) == 0);
    CHECK(largest_error(tamis::relu2{}, exact_relu2) < 1e-7f);
    CHECK(largest_error(tamis::linear{}, exact_identity) == 0);
}

TEST_CASE("gelu_tanh is within 5e-4 of gelu") {
    float largest = 0;
    for (int i = -1000; i <= 1000; ++i) {
        const float z = static_cast<float>(i) / 100.0f;
        largest = std::max(largest, std::fabs(tamis::gelu{}(z)-tamis::gelu_tanh{}(z)));
    }
    CHECK(largest < 5e-4f);
    CHECK(largest > 1e-4f);
}

TEST_CASE("relu makes zeros that a mask can use, of negative values alone") {
    CHECK(tamis::relu{}(-1e-30f) == 0);
    CHECK(tamis::relu{}(1e-30f) == 1e-30f);
    CHECK(tamis::relu2{}(-3) == 0);
    CHECK(tamis::relu2{}(3) == 9);
    CHECK(tamis::relu{}(negative_inf_of<float>) == 0);
#if !defined(__FAST_MATH__)
    CHECK(std::isnan(tamis::relu{}(nan_of<float>)));
    CHECK(std::isnan(tamis::relu2{}(nan_of<float>)));
    CHECK(std::isnan(tamis::silu{}(nan_of<float>)));
#endif
}

TEST_CASE("far from zero silu and gelu are z or nothing") {
    for (const float z : {90.0f, 1e4f, 1e30f}) {
        CAPTURE(z);
        CHECK(tamis::silu{}(z) == z);
        CHECK(tamis::gelu{}(z) == z);
        CHECK(std::fabs(tamis::silu{}(-z)) < 1e-30f);
        CHECK(std::fabs(tamis::gelu{}(-z)) < 1e-30f);
    }
    CHECK(tamis::gelu_tanh{}(100.0f) == 100.0f);
}

} // namespace activation_test
