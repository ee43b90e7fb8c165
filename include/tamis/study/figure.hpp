#pragma once

#include <tamis/element.hpp>

TAMIS_BEGIN

namespace study {

// A figure that lost a term (a NaN, an infinity, what is too large for its sum) is not the figure of the terms that are
// left: these are another set of tokens. So it is NaN, and whoever made it says how many terms it lost.

inline constexpr double not_a_number = std::bit_cast<double>(std::uint64_t{0x7ff8000000000000});
inline constexpr float not_a_float = std::bit_cast<float>(std::uint32_t{0x7fc00000});

/// The figure if it lost no term, otherwise NaN. Chosen by bits, so that -ffast-math does not choose the figure all the same.
constexpr double unless_lost(std::uint64_t lost, double figure) {
    return std::bit_cast<double>(lost == 0 ? std::bit_cast<std::uint64_t>(figure)
                                           : std::bit_cast<std::uint64_t>(not_a_number));
}

/// Neither NaN nor infinite, whatever the flags.
template <class Real>
constexpr bool is_finite(Real value) {
    return magnitude_bits(value) < infinity_bits<Real>;
}

/// How many of a range are NaN or infinite.
template <class Values>
constexpr std::uint64_t count_not_finite(const Values& values) {
    std::uint64_t count = 0;
    for (const auto& value : values) {
        count += is_finite(value) ? 0u : 1u;
    }
    return count;
}

/// A sum of integers that ends at the largest one: the same in any order.
constexpr std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
    return a + b < a ? ~std::uint64_t{0} : a + b;
}

} // namespace study

TAMIS_END
