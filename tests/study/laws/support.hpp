#pragma once

#include <tamis/study/laws/relu_law.hpp>
#include <tamis/study/laws/silu_law.hpp>

#include "support/generate.hpp"

#include <array>
#include <cmath>
#include <string>
#include <vector>

// The published laws [S, table of fitted coefficients]: activation ratios at CETT-PPL-1%, D in billions of tokens.

struct relu_row {
    const char* name;
    std::array<double, 4> p; // alpha, b, c, A0
};
struct silu_row {
    const char* name;
    std::array<double, 3> p; // alpha, c, A0
};
inline constexpr std::array relu_rows{relu_row{"ReLU 0.1B", {0.101, -0.0151, 3.20, 0.0614}},
                                      relu_row{"ReLU 0.2B", {0.449, -3.05, 0.286, 0.0674}},
                                      relu_row{"ReLU 0.4B", {0.683, -3.46, 0.0790, 0.0690}},
                                      relu_row{"ReLU 0.8B", {1.01, -3.49, 7.97e-3, 0.0721}},
                                      relu_row{"ReLU 1.2B", {1.33, -3.89, 9.03e-4, 0.0782}}};
inline constexpr std::array silu_rows{silu_row{"SiLU 0.1B", {0.479, 0.102, 0.409}},
                                      silu_row{"SiLU 0.2B", {0.844, 0.208, 0.390}},
                                      silu_row{"SiLU 0.4B", {1.03, 0.420, 0.385}},
                                      silu_row{"SiLU 0.8B", {0.995, 0.562, 0.383}},
                                      silu_row{"SiLU 1.2B", {0.967, 0.538, 0.382}}};

/// A bell with deviation 1: the sum of twelve uniform numbers.
inline double bell(engine& random) {
    double sum = -6;
    for (int k = 0; k < 12; ++k) {
        sum += static_cast<double>(random() >> 11) * 0x1p-53;
    }
    return sum;
}

/// What a training run would show: 40 checkpoints from 2 to 500 billion tokens in equal ratios (below 1.5 the published
/// SiLU curves are below zero), each ratio off by `noise` of itself.
template <class L>
std::vector<tamis::study::law_point> measured(const std::array<double, L::names.size()>& p, double noise,
                                              std::uint64_t seed) {
    engine random{seed};
    std::vector<tamis::study::law_point> points;
    for (int i = 0; i < 40; ++i) {
        const double tokens = 2 * std::pow(250.0, i / 39.0);
        points.push_back({tokens, L{}.value(tokens, p) * (1 + noise * bell(random))});
    }
    return points;
}
