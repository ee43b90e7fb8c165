// expect: W_down is output_major .as checkpoints hold it. or neuron_major
#include <tamis/tamis.hpp>

// W_down in a layout of gate and up.
void call(tamis::matrix<tamis::f32, tamis::input_major> gate_and_up,
#if defined(TAMIS_FIXED)
          tamis::matrix<tamis::f32, tamis::neuron_major> down
#else
          tamis::matrix<tamis::f32, tamis::input_major> down
#endif
) {
    tamis::glu_weights weights{gate_and_up, gate_and_up, down};
    (void)weights;
}
