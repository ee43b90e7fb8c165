#pragma once

#include <tamis/detail/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

TAMIS_BEGIN

// Small functions of the standard library, always inline: without optimisation its own are calls, and then a unit for an
// older processor may be linked to what was compiled for a newer one (see config.hpp).

namespace detail {

/// std::bit_cast.
template <class To, class From>
TAMIS_DETAIL_INLINE constexpr To bits_as(const From& from) {
#if defined(__GNUC__)
    return __builtin_bit_cast(To, from);
#else
    return std::bit_cast<To>(from);
#endif
}

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

/// The number of bits up to the highest that is set.
TAMIS_DETAIL_INLINE constexpr int bit_length(std::uint64_t word) {
#if defined(__GNUC__)
    return word == 0 ? 0 : 64 - __builtin_clzll(word);
#else
    return 64 - std::countl_zero(word);
#endif
}

/// std::min, std::max, std::clamp, of numbers.
template <class T>
TAMIS_DETAIL_INLINE constexpr T smaller(T a, std::type_identity_t<T> b) {
    return b < a ? b : a;
}
template <class T>
TAMIS_DETAIL_INLINE constexpr T larger(T a, std::type_identity_t<T> b) {
    return a < b ? b : a;
}
template <class T>
TAMIS_DETAIL_INLINE constexpr T clamped(T value, std::type_identity_t<T> low, std::type_identity_t<T> high) {
    return smaller(larger(value, low), high);
}

/// std::fill_n.
template <class T>
TAMIS_DETAIL_INLINE constexpr void fill_n(T* first, std::size_t count, const T& value) {
    for (std::size_t i = 0; i < count; ++i) {
        first[i] = value;
    }
}

/// std::copy_n.
template <class T>
TAMIS_DETAIL_INLINE constexpr void copy_n(const T* from, std::size_t count, T* to) {
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = from[i];
    }
}

/// A number that the compiler does not see through. clang 19 makes a comparison of floats of "are the bits without the
/// sign 0", and that comparison takes denormals for zero where the processor flushes them; it does so only where it
/// knows the mask. Costs nothing in a loop, whose beginning it is moved to.
template <class Integer>
TAMIS_DETAIL_INLINE constexpr Integer opaque(Integer value) {
#if defined(__clang__)
    if (!std::is_constant_evaluated()) {
        if constexpr (sizeof(Integer) <= sizeof(void*)) {
            __asm__("" : "+r"(value));
        } else { // the upper half, where the sign is
            auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32);
            __asm__("" : "+r"(high));
            value = static_cast<Integer>((std::uint64_t{high} << 32) | static_cast<std::uint32_t>(value));
        }
    }
#endif
    return value;
}

} // namespace detail

TAMIS_END
