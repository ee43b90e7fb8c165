#pragma once

#include <tamis/rule/selects.hpp>

#include <algorithm>

TAMIS_BEGIN

/// max-p (min-p of the sampling literature): scores of at least p times the largest, the product taken exactly.
/// p = 0 keeps everything but zeros, p = 1 the maximum and its ties. With infinite entries these alone are
/// active; NaN takes no part in the maximum.
class max_p : public selects<max_p> {
  public:
    /// Refuses a p outside [0, 1].
    constexpr explicit max_p(double p) : p_{p} {
        if (!detail::is_between(p, 0.0, 1.0)) {
            fail_value("tamis::max_p: p must be in [0, 1], got %.12g", p);
        }
    }

    template <class Real>
    constexpr cut<Real> cut_of(scores<Real> s) const {
        bits_of<Real> largest = 0;
        for (std::size_t i = 0; i < s.size(); ++i) {
            largest = std::max(largest, s.bits(i) > infinity_bits<Real> ? bits_of<Real>{0} : s.bits(i));
        }
        return largest == infinity_bits<Real> ? cut<Real>::at_bits(largest)
                                              : cut<Real>::at_product(p_, std::bit_cast<Real>(largest));
    }

    constexpr double p() const { return p_; }

  private:
    double p_;
};

TAMIS_END
