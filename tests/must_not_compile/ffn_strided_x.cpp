// expect: an FFN takes and gives contiguous floats
#include <tamis/tamis.hpp>

#include <vector>

// A column of a row-major matrix as x.
void call(tamis::glu_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>,
                             tamis::matrix<tamis::f32, tamis::neuron_major>>
              weights,
          const float* columns, tamis::workspace w) {
    const tamis::glu_ffn ffn{weights, tamis::silu{}};
    std::vector<float> y(4);
#if defined(TAMIS_FIXED)
    ffn(std::span{columns, 4}, y, w);
#else
    ffn(tamis::strided{columns, 4, 9}, y, w);
#endif
}
