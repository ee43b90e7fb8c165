#pragma once

#include <tamis/detail/config.hpp>

#include <cmath>
#include <concepts>

TAMIS_BEGIN

namespace detail {

/// a / b for the lanes below; of the machine's own vectors see activate.hpp.
template <class Vector>
struct lane_quotient {
    static Vector of(const Vector& a, const Vector& b) { return a / b; }
};

} // namespace detail

/// sigma of the FFN: a function of one float. One of your own is any callable of that form. For speed it may have, beside
/// the call, `lanes`, which takes and gives a vector of floats (any type with their operators, and exp). An FFN then takes all
/// values by `lanes`, else all by the call, so that equal values have equal results. NaN and -infinity give NaN (but those
/// without exp or erf), infinity itself. Denormals may count as zero.
/// Models: silu, gelu, gelu_tanh, relu, relu2, linear.
template <class A>
concept activation = requires(const A& sigma, float z) {
    { sigma(z) } -> std::convertible_to<float>;
};

/// z / (1 + exp(-z)): SwiGLU. Within 4e-7 of itself; lanes give -0 below -88.37, where it is -4e-37.
struct silu {
    float operator()(float z) const { return z / (1.0f + std::exp(-z)); }
    template <class Vector>
    Vector lanes(const Vector& z) const {
        return detail::lane_quotient<Vector>::of(z, Vector(1.0f) + exp(-z));
    }
};

/// z * Phi(z), by erf: GeGLU. Within 2e-7 of z, which below -5 is more than what it is: -0 there from about -5.5 on.
struct gelu {
    float operator()(float z) const { return 0.5f * z * (1.0f + std::erf(z * 0.70710678118654752f)); }
    template <class Vector>
    Vector lanes(const Vector& z) const {
        return Vector(0.5f) * z * (Vector(1.0f) + erf(z * Vector(0.70710678118654752f)));
    }
};

/// GELU by its tanh approximation (Gemma): within 5e-4 of gelu. Rounds by 3e-7 of z; lanes by 2e-5 of the result too, where
/// that is 1e-30 or more.
struct gelu_tanh {
    float operator()(float z) const {
        return 0.5f * z * (1.0f + std::tanh(0.79788456080286536f * (z + 0.044715f * z * z * z)));
    }
    /// (1 + tanh t) / 2 is 1 / (1 + exp(-2 t)).
    template <class Vector>
    Vector lanes(const Vector& z) const {
        const Vector t = z * (Vector(1.0f) + Vector(0.044715f) * z * z);
        return detail::lane_quotient<Vector>::of(z, Vector(1.0f) + exp(Vector(-1.59576912160573071f) * t));
    }
};

/// max(z, 0): ReGLU. NaN stays NaN.
struct relu {
    constexpr float operator()(float z) const { return z < 0.0f ? 0.0f : z; }
};

/// max(z, 0)^2.
struct relu2 {
    constexpr float operator()(float z) const { return z < 0.0f ? 0.0f : z * z; }
};

/// z: a bilinear layer.
struct linear {
    constexpr float operator()(float z) const { return z; }
};

TAMIS_END
