#pragma once

#include "support/generate.hpp"

#include <tamis/format/f32.hpp>
#include <tamis/study/hooked_ffn.hpp>
#include <tamis/study/predictor/predictor.hpp>

#include <vector>

using gate_view = tamis::matrix<tamis::f32, tamis::neuron_major>;

/// W_gate, d x h, with structure as trained ones have it: a product of rank `rank`, and a little of everything.
struct random_gate {
    std::size_t width, neurons;
    std::vector<float> weights;

    random_gate(std::size_t h, std::size_t d, std::size_t rank, float rest, std::uint64_t seed)
        : width{h}, neurons{d}, weights(d * h) {
        engine random{seed};
        const auto left = generate<float>(shape::normal, d * rank, random);
        const auto right = generate<float>(shape::normal, rank * h, random);
        const auto noise = generate<float>(shape::normal, d * h, random);
        for (std::size_t i = 0; i < d; ++i) {
            for (std::size_t j = 0; j < h; ++j) {
                weights[i * h + j] = rest * noise[i * h + j];
                for (std::size_t k = 0; k < rank; ++k) {
                    weights[i * h + j] += left[i * rank + k] * right[k * h + j];
                }
            }
        }
    }
    gate_view view() const { return {weights.data(), neurons, width}; }
    /// W x, by the plain loop in double.
    std::vector<double> product(std::span<const float> x) const {
        std::vector<double> z(neurons);
        for (std::size_t i = 0; i < neurons; ++i) {
            for (std::size_t j = 0; j < width; ++j) {
                z[i] += static_cast<double>(weights[i * width + j]) * static_cast<double>(x[j]);
            }
        }
        return z;
    }
};

inline std::vector<float> random_x(std::size_t n, std::uint64_t seed) {
    engine random{seed};
    return generate<float>(shape::normal, n, random);
}
