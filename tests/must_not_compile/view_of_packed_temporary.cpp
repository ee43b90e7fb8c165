// expect: these weights go with a temporary
#include <tamis/tamis.hpp>

// A view of weights that are gone at the end of the line.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const auto packed = tamis::pack(weights);
    const tamis::glu_ffn ffn{packed.view(), tamis::silu{}};
    (void)ffn;
#else
    const tamis::glu_ffn ffn{tamis::pack(weights).view(), tamis::silu{}};
    (void)ffn;
#endif
}
