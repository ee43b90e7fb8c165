#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/score/power.hpp>
#include <tamis/search/top_p_cut.hpp>

TAMIS_BEGIN

/// top-p [U, section 3]: the fewest largest scores whose sum reaches p of the total, with all ties of the last
/// one: t is the largest score with sum{s_j : s_j >= t} >= p * sum(s), in exact arithmetic (p as given: 0.9f
/// and 0.9 are two numbers). p = 0 keeps the maximum and its ties, p = 1 everything but zeros.
/// With infinite entries, these alone are active; NaN takes no part in the sum and is always active.
class top_p : public selects<top_p> {
  public:
    /// Refuses a p outside [0, 1].
    constexpr explicit top_p(double p) : p_{p} {
        if (!detail::is_between(p, 0.0, 1.0)) {
            fail_value("tamis::top_p: p must be in [0, 1], got %.12g", p);
        }
    }

    template <class Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return top_p_cut(s, p_, w);
    }
    static constexpr std::size_t workspace_bytes(std::size_t n) { return top_p_cut_bytes(n); }

    /// The share.
    constexpr double p() const { return p_; }

  private:
    double p_;
};

/// top-p on |v|^q; q = 2 keeps p of the energy.
inline auto top_p_power(double p, double q) { return scored{power{q}, top_p{p}}; }

TAMIS_END
