// expect: an FFN's policies say at which site a rule is
#include <tamis/tamis.hpp>

// A rule without its site, of an ungated FFN.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;

void call(const tamis::plain_weights<by_neurons, by_neurons>& weights) {
#if defined(TAMIS_FIXED)
    const tamis::plain_ffn ffn{weights, tamis::silu{}, tamis::at_intermediate(tamis::top_k{9})};
    (void)ffn;
#else
    const tamis::plain_ffn ffn{weights, tamis::silu{}, tamis::top_k{9}};
    (void)ffn;
#endif
}
