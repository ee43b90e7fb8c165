// expect: this gating is not in the list
#include <tamis/tamis.hpp>

// A gating that it was not compiled for.
using chosen = tamis::any_ffn<tamis::formats<tamis::f32>, tamis::gatings<tamis::silu, tamis::gelu_tanh>>;

void call(const tamis::any_glu_weights& weights) {
#if defined(TAMIS_FIXED)
    const chosen ffn{weights, tamis::gelu_tanh{}};
#else
    const chosen ffn{weights, tamis::relu{}};
#endif
    (void)ffn;
}
