#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

// Special numbers made from their bits, so that -ffast-math cannot assume them away.

template <class To>
constexpr To from_bits(std::uint64_t bits) {
    if constexpr (sizeof(To) == 2) {
        return std::bit_cast<To>(static_cast<std::uint16_t>(bits));
    } else if constexpr (sizeof(To) == 4) {
        return std::bit_cast<To>(static_cast<std::uint32_t>(bits));
    } else {
        return std::bit_cast<To>(bits);
    }
}

template <class Real>
inline constexpr Real nan_of = from_bits<Real>(sizeof(Real) == 4 ? 0x7fc00000ull : 0x7ff8000000000000ull);
template <class Real>
inline constexpr Real negative_nan_of =
    from_bits<Real>(sizeof(Real) == 4 ? 0xffc00001ull : 0xfff8000000000001ull);
template <class Real>
inline constexpr Real inf_of = from_bits<Real>(sizeof(Real) == 4 ? 0x7f800000ull : 0x7ff0000000000000ull);
template <class Real>
inline constexpr Real negative_inf_of =
    from_bits<Real>(sizeof(Real) == 4 ? 0xff800000ull : 0xfff0000000000000ull);
template <class Real>
inline constexpr Real negative_zero_of =
    from_bits<Real>(sizeof(Real) == 4 ? 0x80000000ull : 0x8000000000000000ull);
/// The n-th denormal: n units of the least number above zero.
template <class Real>
constexpr Real denormal_of(std::uint64_t n) {
    return from_bits<Real>(n);
}

/// The same number, but unknown to the compiler. With -ffast-math clang folds arithmetic on a NaN or infinity that it
/// can see to anything at all; what a program reads at run time it has to take as it comes.
template <class Real>
Real at_run_time(Real value) {
    const volatile auto bits =
        std::bit_cast<std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>>(value);
    return from_bits<Real>(bits);
}
