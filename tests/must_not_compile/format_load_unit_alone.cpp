// expect: a format with `load_unit` needs `static constexpr std::size_t unit` and `factors`
#include "format_support.hpp"

struct own : half_a_format {
    static constexpr std::size_t block = 32;
#if defined(TAMIS_FIXED)
    static constexpr std::size_t unit = 32, factors = 0;
#endif
    static void load_unit(const std::byte*, std::size_t, const float*, tamis::detail::vec* out) {
        for (std::size_t v = 0; v < 32 / tamis::detail::vec::size; ++v) {
            out[v] = tamis::detail::vec(0.0f);
        }
    }
};
template void multiply<own>(const std::byte*, std::span<const float>, std::span<float>);
