#pragma once

#include "ffn/support.hpp"

#include <tamis/ffn/cett_exact.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/study/calibrate/cett_curve.hpp>

#include <cmath>

/// A layer for CETT's calibration, and its definition in plain loops: masks by tamis::cett, sums in double in the order of
/// the neurons.
struct cett_layer {
    dense down;
    stored<tamis::f32, tamis::neuron_major> memory;
    std::vector<float> norms;
    std::vector<std::vector<float>> tokens; // intermediates

    cett_layer(std::size_t width, std::size_t neurons, std::size_t count, shape s, std::uint64_t seed)
        : cett_layer(make(width, neurons, seed), {}) {
        engine random{seed + 1000};
        for (std::size_t t = 0; t < count; ++t) {
            tokens.push_back(generate<float>(s, neurons, random));
        }
    }
    cett_layer(dense w, std::vector<std::vector<float>> of_tokens)
        : down{std::move(w)},
          memory{store_down<tamis::f32, tamis::neuron_major>(down)},
          norms(down.inputs),
          tokens{std::move(of_tokens)} {
        tamis::neuron_norms(memory.view(), norms);
    }

    static dense make(std::size_t width, std::size_t neurons, std::uint64_t seed) {
        engine random{seed};
        return random_dense(width, neurons, random);
    }

    double norm(const std::vector<float>& token, tamis::mask_view dropped_unless) const {
        double squares = 0;
        for (std::size_t j = 0; j < down.outputs; ++j) {
            double sum = 0;
            for (std::size_t i = 0; i < down.inputs; ++i) {
                sum += dropped_unless.size() != 0 && dropped_unless[i]
                           ? 0.0
                           : double{down.at(j, i)} * double{token[i]};
            }
            squares += sum * sum;
        }
        return std::sqrt(squares);
    }
    double cett_of(const std::vector<float>& token, double eps) const {
        const tamis::mask kept = tamis::select(tamis::cett(norms, eps), token);
        return norm(token, kept) / norm(token, {});
    }
    /// Over the tokens whose output is not zero.
    double mean_cett(double eps) const {
        double sum = 0, count = 0;
        for (const auto& token : tokens) {
            if (norm(token, {}) > 0) {
                sum += cett_of(token, eps);
                ++count;
            }
        }
        return sum / count;
    }
};

inline float next_float(float v) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) + 1); }

/// The curve of all the layer's tokens.
inline auto curve_of(const cett_layer& layer) {
    tamis::study::cett_curve curve{layer.memory.view(), layer.norms};
    for (const auto& token : layer.tokens) {
        curve.add(token);
    }
    return curve;
}
