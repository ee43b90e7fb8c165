// expect: x may be scaled.x, weight., its y add_to.y, weight
#include <tamis/tamis.hpp>

using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

// The weight at the wrong end.
void call(const weights_type& weights, std::span<const float> x, std::span<float> y, tamis::workspace w) {
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
#if defined(TAMIS_FIXED)
    ffn(x, tamis::add_to{y, 0.5f}, w);
#else
    ffn(x, tamis::scaled{y, 0.5f}, w);
#endif
}
