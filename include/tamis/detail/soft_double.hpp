#pragma once

#include <tamis/detail/uint128.hpp>
#include <tamis/element.hpp>

TAMIS_BEGIN

// Small arithmetic on reals done in integers, for decisions that must come out the same with every compiler,
// instruction set and flag (-ffast-math assumes away NaN and infinity, and may flush denormals).

namespace detail {

inline constexpr double largest_double = (std::numeric_limits<double>::max)();
// By bits: with fast math clang warns of others.
inline constexpr double infinite_double = bits_as<double>(infinity_bits<double>);

/// low <= value <= high for bounds >= 0; false for NaN.
constexpr bool is_between(double value, double low, double high) {
    const auto bits = detail::bits_as<std::uint64_t>(value);
    if (bits == detail::bits_as<std::uint64_t>(-0.0)) {
        return magnitude_bits(low) == 0;
    }
    return bits >= detail::bits_as<std::uint64_t>(low) && bits <= detail::bits_as<std::uint64_t>(high);
}

template <class Real>
struct real_layout;
template <>
struct real_layout<float> {
    static constexpr int digits = 24, least_exponent = -149;
};
template <>
struct real_layout<double> {
    static constexpr int digits = 53, least_exponent = -1074;
};

/// A finite magnitude as integer * 2^exponent, from its bits.
struct parts {
    std::uint64_t integer;
    int exponent;
};
template <class Real>
constexpr parts split(bits_of<Real> bits) {
    using layout = real_layout<Real>;
    const int field = static_cast<int>(bits >> (layout::digits - 1));
    const std::uint64_t fraction = bits & ((bits_of<Real>{1} << (layout::digits - 1)) - 1);
    if (field == 0) {
        return {fraction, layout::least_exponent};
    }
    return {fraction | (std::uint64_t{1} << (layout::digits - 1)), field - 1 + layout::least_exponent};
}

/// The bits of the least Real that is >= a * b in exact arithmetic, for a >= 0 finite and b the bits of a finite
/// magnitude; infinity's bits when no finite one is.
template <class Real>
constexpr bits_of<Real> product_rounded_up(double a, bits_of<Real> b) {
    using layout = real_layout<Real>;
    const parts x = split<double>(magnitude_bits(a));
    const parts y = split<Real>(b);
    const uint128 product = static_cast<uint128>(x.integer) * y.integer;
    if (product == 0) {
        return 0;
    }
    const int exponent = x.exponent + y.exponent;
    const int to_digits = bit_length(product) - layout::digits;
    const int to_least = layout::least_exponent - exponent;
    const int shift = to_digits > to_least ? to_digits : to_least;
    uint128 integer = 0;
    if (shift <= 0) {
        integer = product << -shift;
    } else if (shift < 128) {
        integer = product >> shift;
        integer += (integer << shift) == product ? 0u : 1u;
    } else {
        integer = 1;
    }
    const int steps = exponent + shift - layout::least_exponent; // binades above the denormals
    if (steps > 4096) {
        return infinity_bits<Real>;
    }
    const std::uint64_t bits =
        (static_cast<std::uint64_t>(steps) << (layout::digits - 1)) + static_cast<std::uint64_t>(integer);
    return bits < infinity_bits<Real> ? static_cast<bits_of<Real>>(bits) : infinity_bits<Real>;
}

} // namespace detail

TAMIS_END
