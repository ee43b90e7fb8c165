#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/format/f16.hpp>

#include <algorithm>

TAMIS_BEGIN

// Packing to small integers: float arithmetic, each operation rounded as IEEE 754 has it, whatever the flags. For a compiler
// may make one rounding of the two in w * inverse + 8.5f (g++ does unless told not to), -ffast-math divides by multiplying,
// and flushes denormals; and a float that no integer holds must not be converted to one. So scales are divided in integers,
// and what is done to each weight is exact in double, and rounded to a float's 24 bits by its bits.

namespace detail {

/// integer / 2^shift, to nearest, ties to even.
constexpr std::uint64_t nearest_even(std::uint64_t integer, int shift) {
    if (shift <= 0) {
        return integer << -shift;
    }
    if (shift > 62) { // no integer here has so many bits
        return 0;
    }
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    return (integer + (half - 1) + ((integer >> shift) & 1u)) >> shift;
}

/// A normal number rounded to the 24 bits of a float, whatever the exponent.
constexpr double to_24_bits(double exact) {
    const auto bits = std::bit_cast<std::uint64_t>(exact);
    return std::bit_cast<double>((bits + 0x0fffffffu + ((bits >> 29) & 1u)) & ~std::uint64_t{0x1fffffff});
}
/// To a float, with its denormals, of no more than the largest one.
constexpr float to_float(parts exact) {
    using layout = real_layout<float>;
    const int shift = (std::max)(static_cast<int>(std::bit_width(exact.integer)) - layout::digits,
                                 layout::least_exponent - exact.exponent);
    const auto binades = static_cast<std::uint32_t>(exact.exponent + shift - layout::least_exponent);
    const auto integer = static_cast<std::uint32_t>(nearest_even(exact.integer, shift));
    return std::bit_cast<float>(integer == 0 ? 0u : (binades << (layout::digits - 1)) + integer);
}
/// a / b to 38 bits or more, of which the last tells whether there are others behind it.
constexpr parts quotient(parts a, parts b) {
    const int shift = a.integer == 0 ? 0 : std::countl_zero(a.integer) - 1;
    const std::uint64_t integer = a.integer << shift;
    return {integer / b.integer | (integer % b.integer != 0 ? 1u : 0u), a.exponent - shift - b.exponent};
}

/// 1 / unit rounded to the 24 bits of a float, whatever the exponent; 0 of zero.
constexpr double reciprocal(float unit_or_zero) {
    const parts unit = split<float>(magnitude_bits(unit_or_zero));
    if (unit.integer == 0) {
        return 0;
    }
    const parts exact = quotient({1, 0}, unit);
    const int shift = static_cast<int>(std::bit_width(exact.integer)) - 24;
    const auto integer = static_cast<double>(nearest_even(exact.integer, shift));
    const auto power = static_cast<std::uint64_t>(1023 + exact.exponent + shift) << 52;
    const double inverse = integer * std::bit_cast<double>(power); // exact
    return std::bit_cast<std::uint32_t>(unit_or_zero) >> 31 != 0 ? -inverse : inverse;
}

/// The weights that share a scale, and what they are multiplied by to be rounded.
class quantiser {
  public:
    /// For weights of which the largest (the first such) is `steps` of the scale; of steps > 0 its magnitude is, so that the
    /// scale is none below zero.
    explicit constexpr quantiser(std::span<const float> weights, int steps) {
        for (const float w : weights) {
            largest_ = magnitude_bits(w) > magnitude_bits(largest_) ? w : largest_;
        }
        if (is_finite()) {
            const auto count = static_cast<std::uint64_t>(steps < 0 ? -steps : steps);
            unit_ = to_float(quotient(split<float>(magnitude_bits(largest_)), {count, 0}));
            if (steps < 0 && std::bit_cast<std::uint32_t>(largest_) >> 31 == 0) {
                unit_ = std::bit_cast<float>(std::bit_cast<std::uint32_t>(unit_) | 0x80000000u);
            }
        }
        invert();
    }

    /// Whether all weights are numbers with an end. Those of others have no integers: q is that of zero.
    constexpr bool is_finite() const { return magnitude_bits(largest_) < infinity_bits<float>; }
    constexpr float largest() const { return largest_; }
    /// What one step is, rounded to a float.
    constexpr float unit() const { return unit_; }
    /// Takes another unit in its place.
    constexpr void measure_in(float unit) {
        unit_ = unit;
        invert();
    }

    /// w * (1 / unit), rounded to a float and then to the nearest integer, halves away from zero; within -most .. most.
    int nearest(float w, int most) const {
        const double product = in_units(w);
        const double magnitude = std::bit_cast<double>(magnitude_bits(product));
        // exact: it has 24 bits. NOLINTNEXTLINE(bugprone-incorrect-roundings)
        const int q = (std::min)(static_cast<int>(magnitude + 0.5), most);
        return std::bit_cast<std::uint64_t>(product) >> 63 != 0 ? -q : q;
    }
    /// w * (1 / unit) + offset, each rounded to a float, cut to an integer within 0 .. most.
    int cut_sum(float w, double offset, int most) const {
        return std::clamp(static_cast<int>(to_24_bits(in_units(w) + offset)), 0, most);
    }

  private:
    /// The product of two floats is exact in double, and none is a denormal there.
    double in_units(float w) const { return is_finite() ? to_24_bits(widen(w) * inverse_) : 0.0; }

    constexpr void invert() { inverse_ = is_finite() ? reciprocal(unit_) : 0.0; }

    float largest_ = 0;
    float unit_ = 0;
    double inverse_ = 0;
};

/// The bits of a scale as binary16; NaN where a weight is infinite or NaN, so that all that share it read as NaN.
constexpr std::uint16_t half_scale(const quantiser& q) {
    return q.is_finite() ? f16::round(q.unit()) : std::uint16_t{0x7e00};
}

} // namespace detail

TAMIS_END
