// expect: row_bytes of a format with `scale` grows by the same step for each block
#include "format_support.hpp"

struct own : half_a_format {
    static constexpr std::size_t row_bytes(std::size_t n) { return (n + 255) / 256 * 144; }
    static tamis::detail::vec load(const std::byte*, std::size_t) { return tamis::detail::vec(0.0f); }
#if defined(TAMIS_FIXED)
    static constexpr std::size_t block = 256;
#else
    static constexpr std::size_t block = 32;
    static float scale(const std::byte*, std::size_t) { return 1; }
#endif
};
template void multiply<own>(const std::byte*, std::span<const float>, std::span<float>);
