#include "ffn/support.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/top_p.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace equal_neurons_test {

// Ties live or die together, through a whole FFN: equal neurons are active together, however many there are and whatever
// their gates are.

namespace {

/// How many of n equal neurons are active; their weights are in layout L, where a row is a neuron or an input.
template <class F, class L, class Sigma, class Policy>
std::size_t active_of_equal(std::size_t n, float gate, Sigma sigma, Policy policy) {
    constexpr std::size_t width = 3;
    dense w{n, width, {}};
    for (std::size_t i = 0; i < n; ++i) {
        w.values.insert(w.values.end(), {gate / 3, gate / 5, gate / 7});
    }
    const auto up = store_up<F, L>(w);
    const auto down =
        store_down<tamis::f32, tamis::neuron_major>(dense{width, n, std::vector<float>(width * n, 0.5f)});
    const std::vector<float> x{1.0f, 1.0f, 3.0f};
    const tamis::glu_ffn ffn{tamis::glu_weights{up.view(), up.view(), down.view()}, sigma, policy};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> y(width);
    std::size_t active = n + 1;
    ffn(x, y, memory, [&](const tamis::sighting& seen) {
        if (seen.has_policy) {
            active = seen.mask.count();
        }
    });
    return active;
}

template <class F, class L, class Sigma>
void check_equal_neurons(Sigma sigma) {
    for (const float gate : {-92.0f, -91.7f, -90.9f, -50.0f, -5.7f, -1.3f, 0.7f, 33.0f}) {
        for (const std::size_t n : {1u, 5u, 9u, 17u, 23u, 33u}) {
            CAPTURE(gate);
            CAPTURE(n);
            const auto at_gate = active_of_equal<F, L>(n, gate, sigma, tamis::at_gate(tamis::max_p{1}));
            CHECK((at_gate == n || at_gate == 0)); // 0: all are exactly zero
            const auto at_end =
                active_of_equal<F, L>(n, gate, sigma, tamis::at_intermediate(tamis::top_p{0.5}));
            CHECK((at_end == n || at_end == 0));
            CHECK((gate < -5 || at_gate == n));
        }
    }
}

struct own_tanh {
    float operator()(float z) const { return std::tanh(z); }
};

} // namespace

TEST_CASE("equal neurons are active together: neuron_major") {
    check_equal_neurons<tamis::f32, tamis::neuron_major>(tamis::silu{});
    check_equal_neurons<tamis::f32, tamis::neuron_major>(tamis::gelu{});
    check_equal_neurons<tamis::f32, tamis::neuron_major>(own_tanh{});
}

TEST_CASE("equal neurons are active together: input_major") {
    check_equal_neurons<tamis::f32, tamis::input_major>(tamis::silu{});
    check_equal_neurons<tamis::int8_by_row, tamis::input_major>(tamis::gelu_tanh{});
}

} // namespace equal_neurons_test
