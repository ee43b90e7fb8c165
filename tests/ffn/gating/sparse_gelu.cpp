#include "support/bits.hpp"
#include "support/message.hpp"

#include <tamis/ffn/gating/sparse_gelu.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace {

constexpr auto by_n = tamis::deviation::of_population;
constexpr auto by_n_less_1 = tamis::deviation::of_sample;

float cutoff(std::vector<float> gates, float k, tamis::deviation by = by_n) {
    return tamis::sparse_gelu::above_mean(k, by).cutoff_of(gates);
}

} // namespace

TEST_CASE("sparse_gelu: k is the normal distribution's quantile") {
    struct {
        double target;
        float k;
    } const table[] = {{0.95, 1.6448536f},  {0.9, 1.2815516f},
                       {0.99, 2.3263479f},  {0.975, 1.9599640f},
                       {0.5, 0.0f},         {0.05, -1.6448536f},
                       {1e-9, -5.9978070f}, {0.841344746068543, 1.0f}};
    for (const auto& row : table) {
        CAPTURE(row.target);
        CHECK(tamis::sparse_gelu{row.target}.k() == row.k);
    }
}

TEST_CASE("sparse_gelu: the cutoff is mean + k * deviation, of the population or of the sample") {
    CHECK(cutoff({4, 0, 2, -2}, 0) == 1.0f);
    CHECK(cutoff({4, 0, 2, -2}, 1) == static_cast<float>(1 + std::sqrt(5.0)));
    CHECK(cutoff({4, 0, 2, -2}, -2) == static_cast<float>(1 - 2 * std::sqrt(5.0)));
    CHECK(cutoff({4, 0, 2, -2}, 1, by_n_less_1) == static_cast<float>(1 + std::sqrt(20.0 / 3)));
    std::vector<float> many(100001, -1); // more than are summed at a time
    for (std::size_t i = 0; i < 50000; ++i) {
        many[2 * i] = 3;
    }
    many.back() = 1;
    CHECK(cutoff(many, 0) == 1.0f);
    CHECK(cutoff(many, 1) == static_cast<float>(1 + 2 * std::sqrt(100000 / 100001.0)));
    // a mean a million times the deviation
    CHECK(cutoff({1e6f + 1, 1e6f - 1, 1e6f + 1, 1e6f - 1}, 2) == 1e6f + 2);
    // values far apart: what is 2^-39 of the largest no longer counts
    CHECK(cutoff({0x1p60f, 1, 1, 1}, 0) == 0x1p58f);
    CHECK(cutoff({0x1p-100f, 0x1p-101f, 0, 0}, 0) == 0x3p-103f);
}

TEST_CASE("sparse_gelu: equal gates, one gate, none") {
    CHECK(cutoff(std::vector<float>(1000, 0.1f), 3) == 0.1f);
    CHECK(cutoff({-7}, 2) == -7.0f);
    CHECK(cutoff({-7}, 2, by_n_less_1) == -7.0f);
    CHECK(cutoff({0, 0}, 1) == 0.0f);
    CHECK(cutoff({}, 1) == 0.0f);
    for (std::size_t n = 0; n < 40; ++n) { // nothing is above what all are
        std::vector<float> gates(n, 0.1f);
        tamis::sparse_gelu{0.5}.whole(gates);
        CHECK(gates == std::vector<float>(n));
    }
}

TEST_CASE("sparse_gelu: GELU of what is above the cutoff, equal at every place") {
    for (std::size_t n = 2; n < 70; ++n) {
        std::vector<float> gates(n);
        for (std::size_t i = 0; i < n; ++i) {
            gates[i] = i % 2 == 0 ? 3.0f : -1.0f;
        }
        const float c = cutoff(gates, 0.25f);
        const std::vector<float> before = gates;
        tamis::sparse_gelu::above_mean(0.25f).whole(gates);
        for (std::size_t i = 0; i < n; ++i) {
            const double expected = double{tamis::gelu_tanh{}(3.0f - c)};
            CHECK((i % 2 == 0 ? gates[i] == gates[0] && gates[i] == doctest::Approx(expected).epsilon(2e-6)
                              : gates[i] == 0.0f));
        }
    }
}

TEST_CASE("sparse_gelu: a gate that is not finite makes all of them NaN") {
    for (const float special : {nan_of<float>, inf_of<float>, negative_inf_of<float>}) {
        for (std::size_t n = 1; n < 40; n += 6) {
            std::vector<float> gates(n, 1.0f);
            gates[n / 2] = at_run_time(special);
            tamis::sparse_gelu{0.95}.whole(gates);
            for (const float gate : gates) {
                CHECK(tamis::is_nan(gate));
            }
        }
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("sparse_gelu: targets that are none") {
    for (const double target :
         {0.0, 1.0, -0.5, 1.5, at_run_time(nan_of<double>), at_run_time(inf_of<double>)}) {
        CAPTURE(target);
        CHECK(message_of([&] {
                  tamis::sparse_gelu{target};
              }).starts_with("tamis::sparse_gelu: the target sparsity must be"));
    }
    CHECK(
        message_of([] { tamis::sparse_gelu{0.0}; }) ==
        "tamis::sparse_gelu: the target sparsity must be above 0 and below 1, got 0; layers with a target of 0 are "
        "gelu_tanh");
}
#endif
