#pragma once

#include <tamis/score/score.hpp>

TAMIS_BEGIN

/// |v - mode|: distance to a value that most entries share (SCAP). An entry at the mode is inactive; what the
/// mode itself contributes has to be folded into a bias by the caller: W v = W (v - mode) + mode * W 1. Overflow is
/// infinity.
class centred {
  public:
    /// Refuses a mode that is not finite.
    explicit centred(double mode) : mode_{detail::without_denormals(mode)} {
        if (magnitude_bits(mode) >= infinity_bits<double>) {
            fail_value("tamis::centred: mode must be finite, got %.12g", mode);
        }
    }

    template <class Real>
    double operator()(Real v, std::size_t) const {
        return detail::without_denormals(detail::without_denormals(widen(v)) - mode_);
    }

    detail::real_lanes<double> lanes(const detail::real_lanes<double>& v, std::size_t) const {
        return detail::without_denormals(detail::without_denormals(v) - detail::real_lanes<double>(mode_));
    }

    /// What distances are from.
    double mode() const { return mode_; }

  private:
    double mode_;
};

TAMIS_END
