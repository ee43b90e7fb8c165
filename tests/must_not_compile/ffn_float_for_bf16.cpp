// expect: tamis::matrix: this pointer's type is not the format's; pass std::byte or void
#include <tamis/tamis.hpp>

// Floats as bfloat16.
auto call(const float* floats) {
#if defined(TAMIS_FIXED)
    return tamis::matrix<tamis::bf16, tamis::neuron_major>{static_cast<const void*>(floats), 4, 4};
#else
    return tamis::matrix<tamis::bf16, tamis::neuron_major>{floats, 4, 4};
#endif
}
