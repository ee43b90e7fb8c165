// expect: an FFN takes one policy a site; join two rules by & or
#include <tamis/tamis.hpp>

// Two policies at one site.
void call(tamis::glu_weights<tamis::matrix<tamis::f32, tamis::input_major>,
                             tamis::matrix<tamis::f32, tamis::input_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>>
              weights) {
#if defined(TAMIS_FIXED)
    tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.9} & tamis::threshold{0.1})};
#else
    tamis::glu_ffn ffn{weights, tamis::silu{}, tamis::at_input(tamis::top_p{0.9}),
                       tamis::at_gate(tamis::top_p{0.9}), tamis::at_input(tamis::threshold{0.1})};
#endif
    (void)ffn;
}
