// expect: these weights go with a temporary
#include <tamis/tamis.hpp>

// Weights that are gone when the FFN is called.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;

void call(const tamis::plain_weights<by_neurons, by_neurons>& weights) {
#if defined(TAMIS_FIXED)
    const auto packed = tamis::pack(weights);
    const tamis::plain_ffn ffn{packed, tamis::silu{}};
    (void)ffn;
#else
    const tamis::plain_ffn ffn{tamis::pack(weights), tamis::silu{}};
    (void)ffn;
#endif
}
