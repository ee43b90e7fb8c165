// expect: an FFN's policies say at which site a rule is
#include <tamis/tamis.hpp>

// A rule without its site, given to pack.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const auto packed = tamis::pack(weights, tamis::at_input(tamis::top_p{0.9}));
    (void)packed;
#else
    const auto packed = tamis::pack(weights, tamis::top_p{0.9});
    (void)packed;
#endif
}
