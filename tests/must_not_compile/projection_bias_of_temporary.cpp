// expect: these values are kept, but this temporary is gone
#include <tamis/tamis.hpp>

// A bias that is gone before it is added.
using by_inputs = tamis::matrix<tamis::f32, tamis::input_major>;

void call(const by_inputs& w) {
#if defined(TAMIS_FIXED)
    const std::vector<float> bias(w.columns());
    const auto weights = tamis::linear_weights{w}.biased(bias);
#else
    const auto weights = tamis::linear_weights{w}.biased(std::vector<float>(w.columns()));
#endif
    (void)weights;
}
