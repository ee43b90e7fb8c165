// expect: the mask at the input saves nothing: W_gate and W_up are neuron_major
#include <tamis/tamis.hpp>

// A policy that saves nothing in these layouts.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_neurons>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::masks_only(tamis::at_input(tamis::top_p{0.9}))};
    const auto saving = tamis::packed_ffn(weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.9}));
    static_assert(saving.skips_all<tamis::site::input>());
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.9})};
    (void)ffn;
#endif
}
