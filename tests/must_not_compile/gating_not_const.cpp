// expect: a gating's of_up is callable as .float of_up.float. const
#include <tamis/tamis.hpp>

using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

// A gating whose of_up would not be called.
struct shifted {
    float operator()(float z) const { return z; }
#if defined(TAMIS_FIXED)
    float of_up(float u) const { return u + 1; }
#else
    float of_up(float u) { return u + 1; }
#endif
};
void call(const weights_type& weights) {
    const tamis::glu_ffn ffn{weights, shifted{}};
    (void)ffn;
}
