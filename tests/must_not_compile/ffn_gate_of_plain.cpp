// expect: an ungated FFN has the sites input and intermediate
#include <tamis/tamis.hpp>

// A gate where there is none.
void call(tamis::plain_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                               tamis::matrix<tamis::f32, tamis::neuron_major>>
              weights) {
#if defined(TAMIS_FIXED)
    tamis::plain_ffn ffn{weights, tamis::gelu{}, tamis::at_intermediate(tamis::top_p{0.9})};
#else
    tamis::plain_ffn ffn{weights, tamis::gelu{}, tamis::at_gate(tamis::top_p{0.9})};
#endif
    (void)ffn;
}
