// expect: a plain_ffn takes tamis::plain_weights
#include <tamis/tamis.hpp>

// Weights of a gated FFN, and a call.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights, std::span<const float> x, std::span<float> y,
          tamis::owned_workspace& memory) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
    ffn(x, y, memory);
#else
    const tamis::plain_ffn ffn{weights, tamis::silu{}};
    ffn(x, y, memory);
#endif
}
