// expect: the mask at the input saves nothing: no matrix is input_major
#include <tamis/tamis.hpp>

// A mask that leaves nothing unread.
using by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;

void call(const tamis::linear_weights<by_outputs, by_outputs>& weights) {
#if defined(TAMIS_FIXED)
    const auto qk = tamis::packed_projection(weights, tamis::at_input(tamis::top_p{0.9}));
#else
    const tamis::projection qk{weights, tamis::at_input(tamis::top_p{0.9})};
#endif
    (void)qk;
}
