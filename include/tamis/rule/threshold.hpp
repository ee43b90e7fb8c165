#pragma once

#include <tamis/rule/selects.hpp>

TAMIS_BEGIN

/// A fixed threshold: scores of at least eps (FAT-eps, TEAL, CATS; strictly smaller ones are dropped).
class threshold : public selects<threshold> {
  public:
    /// Refuses a negative or NaN eps. Infinity keeps infinite entries alone.
    constexpr explicit threshold(double eps) : eps_{eps} {
        if (!detail::is_between(eps, 0.0, detail::infinite_double)) {
            fail_value("tamis::threshold: eps must be >= 0, got %.12g", eps);
        }
    }

    template <class Real>
    constexpr cut<Real> cut_of(scores<Real>) const {
        return magnitude_bits(eps_) == infinity_bits<double> ? cut<Real>::at_bits(infinity_bits<Real>)
                                                             : cut<Real>::at_product(eps_, Real{1});
    }

    constexpr double eps() const { return eps_; }

  private:
    double eps_;
};

TAMIS_END
