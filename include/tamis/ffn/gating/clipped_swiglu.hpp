#pragma once

#include <tamis/ffn/gating/limit.hpp>

#include <cmath>

TAMIS_BEGIN

/// gpt-oss (ggml's swiglu_oai): g' sigmoid(alpha g') * (u' + 1), with g' = min(g, limit) and u' = clamp(u, -limit, limit). The
/// mask at up is over u' + 1: a neuron whose up is -1 is nothing. Errors as silu; NaN stays NaN. Refuses a limit that is not
/// above 0.
class clipped_swiglu {
  public:
    clipped_swiglu() = default;
    /// Refuses a limit that is not above 0.
    explicit clipped_swiglu(float alpha, float limit) : alpha_{alpha}, limit_{detail::checked_limit(limit)} {}

    float operator()(float gate) const {
        const float z = detail::at_most(gate, limit_);
        return z / (1.0f + std::exp(-alpha_ * z));
    }
    detail::vec lanes(const detail::vec& gate) const {
        using detail::vec;
        const vec z = detail::at_most(gate, limit_);
        return detail::divide(z, vec(1.0f) + exp(vec(-alpha_) * z));
    }
    float of_up(float up) const { return detail::clamped_to(up, limit_) + 1.0f; }
    detail::vec lanes_of_up(const detail::vec& up) const {
        return detail::clamped_to(up, limit_) + detail::vec(1.0f);
    }

  private:
    float alpha_ = 1.702f, limit_ = 7.0f;
};

TAMIS_END
