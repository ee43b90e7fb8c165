// expect: all vectors of floats or all blocks of them
#include <tamis/tamis.hpp>

// A vector in and a block out.
using by_inputs = tamis::matrix<tamis::f32, tamis::input_major>;

void call(const tamis::linear_weights<by_inputs>& weights, std::span<const float> x, std::span<float> y,
          tamis::owned_workspace& memory) {
    const tamis::projection o{weights, tamis::at_input(tamis::top_p{0.9})};
#if defined(TAMIS_FIXED)
    o(x, y, memory);
#else
    o(x, tamis::block<float>{y.data(), 1, y.size()}, memory);
#endif
}
