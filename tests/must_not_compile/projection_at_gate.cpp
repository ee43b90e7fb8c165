// expect: a projection has one site: at_input
#include <tamis/tamis.hpp>

// A site that a linear layer has not.
using by_inputs = tamis::matrix<tamis::f32, tamis::input_major>;

void call(const tamis::linear_weights<by_inputs>& weights) {
#if defined(TAMIS_FIXED)
    const tamis::projection o{weights, tamis::at_input(tamis::top_p{0.9})};
#else
    const tamis::projection o{weights, tamis::masks_only(tamis::at_gate(tamis::top_p{0.9}))};
#endif
    (void)o;
}
