#include "kernels.hpp"

#include <tamis_levels.hpp> // written by tamis_compile_for_levels

namespace tamis_onnx {

TAMIS_CHOOSE_LEVEL(kernels, kernels_of_level)

const kernels* best_kernels() {
    static const kernels* const best = best_level().object;
    return best;
}

} // namespace tamis_onnx
