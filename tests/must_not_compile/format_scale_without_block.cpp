// expect: a format with `load` and `scale` needs
#include "format_support.hpp"

struct own : half_a_format {
    static tamis::detail::vec load(const std::byte*, std::size_t) { return tamis::detail::vec(0.0f); }
    static float scale(const std::byte*, std::size_t) { return 1; }
#if defined(TAMIS_FIXED)
    static constexpr std::size_t block = 32;
#endif
};
template void multiply<own>(const std::byte*, std::span<const float>, std::span<float>);
