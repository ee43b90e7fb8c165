// expect: an activation is callable as
#include <tamis/tamis.hpp>

// An activation that is none.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, [](float z) { return z; }};
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, 3};
    (void)ffn;
#endif
}
