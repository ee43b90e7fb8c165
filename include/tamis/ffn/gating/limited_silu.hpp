#pragma once

#include <tamis/ffn/activation.hpp>
#include <tamis/ffn/gating/limit.hpp>

TAMIS_BEGIN

/// SwiGLU of numbers within a limit: silu(min(g, limit)) * clamp(u, -limit, limit). The mask at up is over the clamped values.
/// Errors as silu; NaN stays NaN. Refuses a limit that is not above 0.
class limited_silu {
  public:
    /// Refuses a limit that is not above 0.
    explicit limited_silu(float limit) : limit_{detail::checked_limit(limit)} {}

    float operator()(float gate) const { return silu{}(detail::at_most(gate, limit_)); }
    detail::vec lanes(const detail::vec& gate) const { return silu{}.lanes(detail::at_most(gate, limit_)); }
    float of_up(float up) const { return detail::clamped_to(up, limit_); }
    detail::vec lanes_of_up(const detail::vec& up) const { return detail::clamped_to(up, limit_); }

  private:
    float limit_;
};

TAMIS_END
