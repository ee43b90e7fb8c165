// expect: the mask at the intermediate saves nothing: W_down is output_major
#include <tamis/tamis.hpp>

// A policy that saves nothing in these layouts.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;

void call(const tamis::plain_weights<by_neurons, by_outputs>& weights) {
#if defined(TAMIS_FIXED)
    const auto ffn = tamis::packed_ffn(weights, tamis::relu{}, tamis::at_intermediate(tamis::nonzero{}));
    (void)ffn;
#else
    const tamis::plain_ffn ffn{weights, tamis::relu{}, tamis::at_intermediate(tamis::nonzero{})};
    (void)ffn;
#endif
}
