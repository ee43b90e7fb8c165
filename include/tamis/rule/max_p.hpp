#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/passes.hpp>

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
    cut<Real> cut_of(scores<Real> s) const {
        const auto largest = static_cast<bits_of<Real>>(detail::largest_key<Real>(s.signed_scores()));
        return largest == infinity_bits<Real> ? cut<Real>::at_bits(largest)
                                              : cut<Real>::at_product(p_, detail::bits_as<Real>(largest));
    }

    /// The share.
    constexpr double p() const { return p_; }

  private:
    double p_;
};

TAMIS_END
