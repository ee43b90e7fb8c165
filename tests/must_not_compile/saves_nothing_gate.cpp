// expect: the mask at the gate saves nothing: W_up is input_major and W_down output_major
#include <tamis/tamis.hpp>

// A policy that saves nothing in these layouts.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_inputs = tamis::matrix<tamis::f32, tamis::input_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_inputs, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::masks_only(tamis::at_gate(tamis::top_p{0.9}))};
    const auto saving = tamis::packed_ffn(weights, tamis::silu{}, tamis::at_gate(tamis::top_p{0.9}));
    static_assert(saving.skips_all<tamis::site::gate>());
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_gate(tamis::top_p{0.9})};
    (void)ffn;
#endif
}
