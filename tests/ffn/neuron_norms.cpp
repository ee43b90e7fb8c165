#include "ffn/support_subsets.hpp"

#include <tamis/ffn/cett_exact.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace neuron_norms_test {

// ||W_down[:, i]|| for every neuron, in both layouts and any format.

namespace {

template <class L, class F>
std::vector<float> norms_of(const dense& down) {
    const auto memory = store_down<F, L>(down, 4);
    std::vector<float> norms(down.inputs);
    tamis::neuron_norms(memory.view(), norms);
    return norms;
}

} // namespace

TEST_CASE("neuron_norms: by hand") {
    const dense down{2, 3, {3, 0, 1, 4, 0, -1}}; // two outputs, three neurons
    const std::vector<float> expected{5, 0, std::sqrt(2.0f)};
    CHECK(norms_of<tamis::output_major, tamis::f32>(down) == expected);
    CHECK(norms_of<tamis::neuron_major, tamis::f32>(down) == expected);
    CHECK(norms_of<tamis::neuron_major, tamis::bf16>(down) == expected);
}

TEST_CASE("neuron_norms: both layouts agree with the formula in double") {
    engine random{1};
    const dense down = random_dense(37, 101, random);
    const std::vector<float> by_outputs = norms_of<tamis::output_major, tamis::f32>(down);
    const std::vector<float> by_neurons = norms_of<tamis::neuron_major, tamis::bf16>(down);
    for (std::size_t neuron = 0; neuron < 101; ++neuron) {
        CAPTURE(neuron);
        double squares = 0;
        for (std::size_t j = 0; j < 37; ++j) {
            squares += std::pow(double{down.at(j, neuron)}, 2);
        }
        CHECK(double{by_outputs[neuron]} == doctest::Approx(std::sqrt(squares)).epsilon(1e-7));
        CHECK(by_neurons[neuron] == by_outputs[neuron]);
    }
}

TEST_CASE("neuron_norms: squares that a float could not hold") {
    const dense down{2, 1, {3e30f, 4e30f}};
    CHECK(double{norms_of<tamis::output_major, tamis::f32>(down)[0]} == doctest::Approx(5e30));
}

} // namespace neuron_norms_test
