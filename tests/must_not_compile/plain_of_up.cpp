// expect: an ungated FFN has no up beside the gate
#include <tamis/tamis.hpp>

// A gating of two values for an FFN of one.
using up_type = tamis::matrix<tamis::f32, tamis::neuron_major>;
using down_type = tamis::matrix<tamis::f32, tamis::output_major>;

void call(const tamis::plain_weights<up_type, down_type>& weights) {
#if defined(TAMIS_FIXED)
    const tamis::plain_ffn ffn{weights, tamis::silu{}};
#else
    const tamis::plain_ffn ffn{weights, tamis::limited_silu{7}};
#endif
    (void)ffn;
}
