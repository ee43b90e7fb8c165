#pragma once

#include <tamis/detail/inlined.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

TAMIS_BEGIN

// An element is a number type that values are made of. Each converts to a real, float or double, without
// loss; everything behind that point (scores, cuts, sums) knows only the two reals.

/// The unsigned integer that holds a real's bits.
template <class Real>
using bits_of = std::conditional_t<std::is_same_v<Real, float>, std::uint32_t, std::uint64_t>;

/// How a type is read as a real. Specialise it for a number type of your own with
///     using real = float;  // or double
///     static real to_real(const Mine&);
/// Types of one or two bytes that convert explicitly to float (Eigen::half, Eigen::bfloat16, _Float16) and the
/// compiler's own floating-point types of up to eight (std::float16_t, bfloat16_t, float32_t, float64_t) need no
/// specialisation. Signed integers of up to 16 bits read as float, wider ones as double, to which 64-bit ones are rounded:
/// beyond 2^53 neighbours may tie. The least one is a magnitude like any other: |INT8_MIN| is 128, |INT64_MIN| 2^63.
/// No elements: bool and unsigned integers, which mostly hold indices, or numbers with a zero point, whose 0 is not zero;
/// and long double, float128_t and 128-bit integers, which a double would cut short. Convert these first.
template <class T>
struct element_traits {};

/// Numbers that the library knows.
template <class T>
    requires std::same_as<T, float> || std::same_as<T, double>
struct element_traits<T> {
    /// What it is computed in.
    using real = T;
    /// The value, as a real.
    static constexpr real to_real(T value) { return value; }
};

/// Numbers that the library knows.
template <class T>
    requires(std::signed_integral<T> && sizeof(T) <= 8) // g++ may count __int128, too
struct element_traits<T> {
    /// What it is computed in.
    using real = std::conditional_t<(sizeof(T) <= 2), float, double>;
    /// The value, as a real.
    static constexpr real to_real(T value) { return static_cast<real>(value); }
};

namespace detail {

/// Whether C++ counts them as arithmetic depends on the standard and the library: all that is asked is that they are no
/// integers, and convert.
template <class T>
concept other_float = !std::integral<T> && !std::is_enum_v<T> && !std::same_as<T, float> &&
                      !std::same_as<T, double> && !std::same_as<T, long double> &&
                      (sizeof(T) <= 2 || (std::is_scalar_v<T> && (sizeof(T) == 4 || sizeof(T) == 8))) &&
                      requires(const T& value) { static_cast<float>(value); };

} // namespace detail

/// Numbers that the library knows.
template <detail::other_float T>
struct element_traits<T> {
    /// What it is computed in.
    using real = std::conditional_t<(sizeof(T) <= 4), float, double>;
    /// The value, as a real.
    static constexpr real to_real(const T& value) { return static_cast<real>(value); }
};

/// The real that an element is read as: float or double.
template <class T>
using real_of = typename element_traits<std::remove_cv_t<T>>::real;

/// Models: float, double, signed integers, std::float16_t, std::bfloat16_t, _Float16, Eigen::half, Eigen::bfloat16, and
/// any type with element_traits.
template <class T>
concept element = requires(const std::remove_cv_t<T>& value) {
    { element_traits<std::remove_cv_t<T>>::to_real(value) } -> std::same_as<real_of<T>>;
    requires std::same_as<real_of<T>, float> || std::same_as<real_of<T>, double>;
};

template <element T>
constexpr real_of<T> to_real(const T& value) {
    return element_traits<std::remove_cv_t<T>>::to_real(value);
}

// Reals as integers. The bits of a real without its sign order magnitudes, with NaN above infinity; integers
// mean the same with -ffast-math and with denormals flushed to zero, where float comparisons do not.

/// The bits of |value|: 0 for zeros; infinity's for infinities; above those for NaN.
template <class Real>
constexpr bits_of<Real> magnitude_bits(Real value) {
    constexpr bits_of<Real> sign = bits_of<Real>{1} << (sizeof(Real) * 8 - 1);
    return detail::bits_as<bits_of<Real>>(value) & detail::opaque(static_cast<bits_of<Real>>(~sign));
}

template <class Real>
inline constexpr bits_of<Real> infinity_bits =
    std::is_same_v<Real, float> ? bits_of<Real>{0x7f800000u}
                                : static_cast<bits_of<Real>>(0x7ff0000000000000ull);

template <class Real>
constexpr bool is_nan(Real value) {
    return magnitude_bits(value) > infinity_bits<Real>;
}

/// A float as a double, exactly, even where the processor treats denormal floats as zero.
constexpr double widen(float value) {
    const std::uint32_t bits = magnitude_bits(value);
    if (bits < 0x00800000u) {
        const double magnitude = static_cast<double>(static_cast<std::int32_t>(bits)) * 0x1p-149;
        return (detail::bits_as<std::uint32_t>(value) >> 31) != 0 ? -magnitude : magnitude;
    }
    return static_cast<double>(value);
}
constexpr double widen(double value) { return value; }

TAMIS_END
