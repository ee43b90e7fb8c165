#pragma once

#include "ffn/support_subsets.hpp"

#include <tamis/ffn/cett_exact.hpp>

#include <cmath>

/// The definition of CETT in double: || sum of the dropped neurons || / || sum of all ||.
struct cett_problem {
    dense down{};
    std::vector<float> intermediate, norms;

    cett_problem(std::size_t width, std::size_t neurons, std::uint64_t seed) {
        engine random{seed};
        down = random_dense(width, neurons, random);
        intermediate = generate<float>(shape::heavy_tailed, neurons, random);
        find_norms();
    }
    cett_problem(dense w, std::vector<float> i) : down{std::move(w)}, intermediate{std::move(i)} {
        find_norms();
    }

    void find_norms() {
        norms.resize(down.inputs);
        tamis::neuron_norms(store_down<tamis::f32, tamis::neuron_major>(down).view(), norms);
    }

    /// || W_down (i restricted to the neurons for which keep(neuron)) ||
    template <class Keep>
    double norm_of(Keep&& keep) const {
        double squares = 0;
        for (std::size_t j = 0; j < down.outputs; ++j) {
            double sum = 0;
            for (std::size_t neuron = 0; neuron < down.inputs; ++neuron) {
                sum += keep(neuron) ? double{down.at(j, neuron)} * double{intermediate[neuron]} : 0.0;
            }
            squares += sum * sum;
        }
        return std::sqrt(squares);
    }
    double output_norm() const {
        return norm_of([](std::size_t) { return true; });
    }
    double cett_of(tamis::mask_view mask) const {
        return norm_of([&](std::size_t neuron) { return !mask[neuron]; }) / output_norm();
    }
    /// ||n_i|| as the score has it.
    double contribution(std::size_t neuron) const {
        return std::fabs(double{intermediate[neuron]} * double{norms[neuron]});
    }
};
