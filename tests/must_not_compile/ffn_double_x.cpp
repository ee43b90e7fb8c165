// expect: an FFN takes and gives contiguous floats
#include <tamis/tamis.hpp>

#include <vector>

// Activations in double.
void call(tamis::glu_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>>
              weights,
          tamis::workspace w) {
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
    std::vector<float> y(4);
#if defined(TAMIS_FIXED)
    std::vector<float> x(4);
#else
    std::vector<double> x(4);
#endif
    ffn(x, y, w);
}
