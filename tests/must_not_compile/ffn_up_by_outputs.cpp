// expect: W_gate and W_up are neuron_major .a row a neuron, as checkpoints hold them. or input_major
#include <tamis/tamis.hpp>

// W_gate in the layout of down.
void call(tamis::matrix<tamis::f32, tamis::neuron_major> up,
          tamis::matrix<tamis::f32, tamis::output_major> down) {
#if defined(TAMIS_FIXED)
    tamis::glu_weights weights{up, up, down};
#else
    tamis::glu_weights weights{down, up, down};
#endif
    (void)weights;
}
