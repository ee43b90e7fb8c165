// expect: .
#include <tamis/tamis.hpp>

#include <vector>

// A result that cannot be written.
void call(tamis::glu_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>>
              weights,
          tamis::workspace w) {
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
    const std::vector<float> x(4);
#if defined(TAMIS_FIXED)
    std::vector<float> y(4);
#else
    const std::vector<float> y(4);
#endif
    ffn(x, y, w);
}
