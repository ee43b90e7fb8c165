// expect: these weights go with a temporary
#include <tamis/tamis.hpp>

// A view of weights that are gone at the end of the line.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;

void call(const tamis::plain_weights<by_neurons, by_neurons>& weights) {
#if defined(TAMIS_FIXED)
    const auto packed = tamis::pack(weights);
    const auto view = packed.view();
    (void)view;
#else
    const auto view = tamis::pack(weights).view();
    (void)view;
#endif
}
