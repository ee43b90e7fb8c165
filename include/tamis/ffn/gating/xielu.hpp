#pragma once

#include <tamis/ffn/gating/limit.hpp>

#include <cmath>

TAMIS_BEGIN

/// xIELU (Apertus), an activation of ungated FFNs with two learnt slopes for each layer:
///     z > 0: alpha_p z^2 + beta z;    else: alpha_n (expm1(min(z, eps)) - z) + beta z
/// It takes the two parameters as checkpoints hold them (mlp.act_fn.alpha_p and alpha_n): alpha_p is softplus of the one, alpha_n
/// beta + softplus of the other. by_slopes takes the alphas themselves. As eps has it, no value is zero for certain: 0 gives
/// -1e-6 alpha_n. -infinity and NaN give NaN.
class xielu {
  public:
    /// By the parameters of a checkpoint, before softplus.
    xielu(float parameter_p, float parameter_n, float beta = 0.5f, float eps = -1e-6f)
        : p_{softplus(parameter_p)}, n_{beta + softplus(parameter_n)}, beta_{beta}, eps_{eps} {}
    /// By the slopes themselves.
    static xielu by_slopes(float alpha_p, float alpha_n, float beta = 0.5f, float eps = -1e-6f) {
        xielu result{0, 0, beta, eps};
        result.p_ = alpha_p;
        result.n_ = alpha_n;
        return result;
    }

    /// The slope above zero.
    float alpha_p() const { return p_; }
    /// The slope below zero.
    float alpha_n() const { return n_; }

    float operator()(float z) const {
        return (detail::bits_as<std::int32_t>(z) > 0 ? p_ * z * z
                                                     : n_ * (std::expm1(z > eps_ ? eps_ : z) - z)) +
               beta_ * z;
    }
    detail::vec lanes(const detail::vec& z) const {
        using namespace detail;
        const auto bits = bits_of_lanes<float>(z);
        const vec lower = either(keys_of<float>(bits) < key_lanes<float>(key(eps_)), vec(eps_), z);
        const vec below = vec(n_) * (exp_less_line(lower) + (lower - z));
        return either(bits > key_lanes<float>(0), vec(p_) * z * z, below) + vec(beta_) * z;
    }

  private:
    /// expm1(v) - v for v <= 0: near 0 by its series, which loses no digits.
    static detail::vec exp_less_line(const detail::vec& v) {
        using namespace detail;
        vec series(1.0f / 40320);
        for (const float coefficient : {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f}) {
            series = series * v + vec(coefficient);
        }
        const auto is_small = keys_of<float>(bits_of_lanes<float>(v)) < key_lanes<float>(key(0.5f));
        return either(is_small, series * v * v, (exp(v) - vec(1.0f)) - v);
    }
    static float softplus(float v) {
        const auto wide = static_cast<double>(v);
        return static_cast<float>((wide > 0 ? wide : 0.0) + std::log1p(std::exp(wide > 0 ? -wide : wide)));
    }

    float p_, n_, beta_, eps_;
};

TAMIS_END
