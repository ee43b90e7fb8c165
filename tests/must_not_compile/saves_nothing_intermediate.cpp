// expect: the mask at the intermediate saves nothing: W_down is output_major
#include <tamis/tamis.hpp>

// A policy that saves nothing in these layouts.
using by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
using weights_type = tamis::glu_weights<by_neurons, by_neurons, by_outputs>;

void call(const weights_type& weights) {
#if defined(TAMIS_FIXED)
    const tamis::glu_ffn ffn{weights, tamis::silu{},
                             tamis::masks_only(tamis::at_intermediate(tamis::top_p{0.9}))};
    const auto saving = tamis::packed_ffn(weights, tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9}));
    static_assert(saving.skips_all<tamis::site::intermediate>());
    (void)ffn;
#else
    const tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    (void)ffn;
#endif
}
