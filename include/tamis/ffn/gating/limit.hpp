#pragma once

#include <tamis/detail/lanes.hpp>
#include <tamis/detail/soft_double.hpp>
#include <tamis/error.hpp>
#include <tamis/ffn/activate.hpp>

#include <limits>

TAMIS_BEGIN

// min(v, L) and clamp(v, -L, L) for gatings with a limit L > 0, one by one and a vector at a time. NaN stays NaN: by the bits,
// since a comparison of floats may take it for a number (-ffast-math), and vectors' min orders it one way or the other.

namespace detail {

/// A limit as a gating's argument.
inline float checked_limit(float limit) {
    if (!is_between(static_cast<double>(limit), static_cast<double>((std::numeric_limits<float>::min)()),
                    infinite_double)) {
        fail_value("tamis: a gating's limit must be above 0, got %g; one without a limit is silu",
                   static_cast<double>(limit));
    }
    return limit;
}

constexpr float at_most(float value, float limit) {
    const auto bits = bits_as<std::int32_t>(value); // of a number below zero: below zero
    return bits > key(limit) && bits <= infinity_key<float> ? limit : value;
}
constexpr float clamped_to(float value, float limit) {
    const auto bits = bits_as<std::uint32_t>(value);
    return magnitude_bits(value) > magnitude_bits(limit) && !is_nan(value)
               ? bits_as<float>((bits & 0x80000000u) | magnitude_bits(limit))
               : value;
}

/// The bits of a where chosen, else those of b.
inline vec either(const lane_choice<float>& chosen, const vec& a, const vec& b) {
    const key_lanes<float> other = bits_of_lanes<float>(b);
    return reals_of<float>(other ^ only<float>(chosen, bits_of_lanes<float>(a) ^ other));
}
/// Keys of numbers above the limit; a NaN is none.
inline lane_choice<float> above(const key_lanes<float>& keys, float limit) {
    return within<float>(keys, key_lanes<float>(key(limit) + 1),
                         key_lanes<float>(larger(infinity_key<float>, key(limit)) + 1));
}

inline vec at_most(const vec& v, float limit) {
    return either(above(bits_of_lanes<float>(v), limit), vec(limit), v);
}
inline vec clamped_to(const vec& v, float limit) {
    const key_lanes<float> bits = bits_of_lanes<float>(v);
    const key_lanes<float> sign = bits ^ keys_of<float>(bits);
    return either(above(keys_of<float>(bits), limit), reals_of<float>(sign | key_lanes<float>(key(limit))),
                  v);
}

} // namespace detail

TAMIS_END
