// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// The biases of a gated FFN that are gone before the first call.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;

std::vector<float> bias();

void call(const by_neurons& gate, const by_neurons& up, const by_outputs& down) {
#if defined(TAMIS_FIXED)
    const std::vector<float> kept = bias();
    const tamis::glu_weights weights{gate, up, down, {.gate = kept}};
    (void)weights;
#else
    const tamis::glu_weights weights{gate, up, down, {.gate = bias()}};
    (void)weights;
#endif
}
