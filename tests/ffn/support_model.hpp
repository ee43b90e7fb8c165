#pragma once

#include "ffn/support.hpp"

#include <tamis/tamis.hpp>

#include <cmath>
#include <span>
#include <vector>

// A gated FFN of random weights in a format, as a checkpoint lays it out, and a call of it on one token.

template <class F>
struct stored_model {
    std::size_t h, d;
    stored<F, tamis::neuron_major> gate, up;
    stored<F, tamis::output_major> down;

    stored_model(std::size_t width, std::size_t neurons, engine random = engine{9})
        : h{width},
          d{neurons},
          gate{random_dense(d, h, random), true},
          up{random_dense(d, h, random), true},
          down{random_dense(h, d, random), true} {}
    auto weights() const { return tamis::glu_weights{gate.view(), up.view(), down.view()}; }
};

struct result_of_call {
    std::vector<float> y;
    tamis::traffic read;
};
template <class Ffn, class Executor = tamis::serial>
result_of_call call_once(const Ffn& ffn, const std::vector<float>& x, const Executor& threads = {}) {
    tamis::owned_workspace memory{ffn.workspace_bytes(threads)};
    result_of_call result{std::vector<float>(x.size(), 12345.0f), {}};
    result.read = ffn(x, result.y, memory, threads);
    return result;
}

/// Root mean square of the difference over that of b.
inline double relative_distance(std::span<const float> a, std::span<const float> b) {
    double of_difference = 0;
    double of_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        of_difference += difference * difference;
        of_b += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    return std::sqrt(of_difference / of_b);
}
