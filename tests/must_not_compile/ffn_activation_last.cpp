// expect: takes an activation before its policies
#include <tamis/tamis.hpp>

// The activation behind the policies.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_gate(tamis::top_p{0.9})};
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, tamis::at_gate(tamis::top_p{0.9}), tamis::silu{}};
    (void)ffn;
#endif
}
