// expect: x and y are two vectors of floats or two blocks
#include <tamis/tamis.hpp>

// A block into one row.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights, tamis::block<const float> x, tamis::block<float> y,
          tamis::owned_workspace& memory) {
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
#if defined(TAMIS_FIXED)
    ffn(x, y, memory);
#else
    ffn(x, y.row(0), memory);
#endif
}
