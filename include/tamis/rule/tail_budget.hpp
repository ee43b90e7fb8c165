#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/top_p_cut.hpp>

TAMIS_BEGIN

/// Drops the largest tail whose scores sum to at most `budget`, in exact arithmetic: t is the largest score with
/// sum{s_j : s_j < t} <= budget; ties are kept or dropped together. With CETT's scores (neuron contribution norms)
/// the error of the output is at most the budget, by the triangle inequality: see cett_bound.
class tail_budget : public selects<tail_budget> {
  public:
    /// Refuses a budget that is negative, infinite or NaN.
    constexpr explicit tail_budget(double budget) : budget_{budget} {
        if (!detail::is_between(budget, 0.0, detail::largest_double)) {
            fail_value("tamis::tail_budget: the budget must be finite and >= 0, got %.12g", budget);
        }
    }

    template <class Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return tail_budget_cut(s, budget_, w);
    }
    static constexpr std::size_t workspace_bytes(std::size_t n) { return top_p_cut_bytes(n); }

    /// What may be dropped.
    constexpr double budget() const { return budget_; }

  private:
    double budget_;
};

TAMIS_END
