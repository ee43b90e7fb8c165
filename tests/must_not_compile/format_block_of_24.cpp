// expect: the block of a format with `load` is a multiple of 16 weights
#include "format_support.hpp"

struct own : half_a_format {
    static constexpr std::size_t block = 24;
#if !defined(TAMIS_FIXED)
    static tamis::detail::vec load(const std::byte*, std::size_t) { return tamis::detail::vec(0.0f); }
#endif
};
template void multiply<own>(const std::byte*, std::span<const float>, std::span<float>);
