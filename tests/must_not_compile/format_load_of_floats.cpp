// expect: `load` of a format is `static tamis::detail::vec load
#include "format_support.hpp"

struct own : half_a_format {
#if defined(TAMIS_FIXED)
    static tamis::detail::vec load(const std::byte*, std::size_t) { return tamis::detail::vec(0.0f); }
#else
    static const float* load(const std::byte* row, std::size_t) {
        return reinterpret_cast<const float*>(row);
    }
#endif
};
template void multiply<own>(const std::byte*, std::span<const float>, std::span<float>);
