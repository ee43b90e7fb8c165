#pragma once

#include <tamis/detail/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

TAMIS_BEGIN

// std::popcount and its like, always inline: without optimisation the standard library's are calls, and a unit for an
// older processor might be linked to the body of a newer one, whose lzcnt an old one takes for another instruction.

namespace detail {

/// How many bits are set.
TAMIS_DETAIL_INLINE constexpr std::size_t popcount(std::uint64_t word) {
#if defined(__GNUC__)
    return static_cast<std::size_t>(__builtin_popcountll(word));
#else
    return static_cast<std::size_t>(std::popcount(word));
#endif
}
TAMIS_DETAIL_INLINE constexpr std::size_t popcount(std::uint32_t word) {
#if defined(__GNUC__)
    return static_cast<std::size_t>(__builtin_popcount(word));
#else
    return static_cast<std::size_t>(std::popcount(word));
#endif
}

/// The place of the lowest bit that is set; there is one.
TAMIS_DETAIL_INLINE constexpr std::size_t lowest_bit(std::uint64_t word) {
#if defined(__GNUC__)
    return static_cast<std::size_t>(__builtin_ctzll(word));
#else
    return static_cast<std::size_t>(std::countr_zero(word));
#endif
}

/// The bits up to the highest that is set; 0 when none is.
TAMIS_DETAIL_INLINE constexpr int bit_length(std::uint64_t word) {
#if defined(__GNUC__)
    return word == 0 ? 0 : 64 - __builtin_clzll(word);
#else
    return 64 - std::countl_zero(word);
#endif
}

/// std::bit_cast, inline as well.
template <class To, class From>
TAMIS_DETAIL_INLINE constexpr To bits_as(const From& from) {
#if defined(__GNUC__)
    return __builtin_bit_cast(To, from);
#else
    return std::bit_cast<To>(from);
#endif
}

} // namespace detail

TAMIS_END
