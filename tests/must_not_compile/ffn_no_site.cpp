// expect: an FFN's policies say at which site a rule is
#include <tamis/tamis.hpp>

// A rule without its site.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_gate(tamis::top_p{0.9})};
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::top_p{0.9}};
    (void)ffn;
#endif
}
