// expect: a glu_ffn takes tamis::glu_weights
#include <tamis/tamis.hpp>

// Weights of an ungated FFN, and a call.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;

void call(const tamis::plain_weights<by_neurons, by_neurons>& weights, std::span<const float> x,
          std::span<float> y, tamis::owned_workspace& memory) {
#if defined(TAMIS_FIXED)
    const tamis::plain_ffn ffn{weights, tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    ffn(x, y, memory);
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    ffn(x, y, memory);
#endif
}
