#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/top_k_cut.hpp>

TAMIS_BEGIN

/// top-k: the k largest scores, and all ties of the k-th. k = 0 keeps none, k beyond the number of entries all
/// but zeros. NaN has no rank: it is active beside the k.
class top_k : public selects<top_k> {
  public:
    constexpr explicit top_k(std::size_t k) : k_{k} {}

    /// k = floor(f n), computed in double: write 0.7, not 0.7f. Refuses an f outside [0, 1].
    static constexpr top_k fraction(double f) {
        if (!detail::is_between(f, 0.0, 1.0)) {
            fail_value("tamis::top_k::fraction: the kept fraction must be in [0, 1], got %.12g", f);
        }
        top_k rule{0};
        rule.fraction_ = f;
        rule.of_size_ = true;
        return rule;
    }

    template <class Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return top_k_cut(s, k_of(s.size()), w);
    }
    static constexpr std::size_t workspace_bytes(std::size_t n) { return top_k_cut_bytes(n); }

    /// The k that is used for n entries.
    constexpr std::size_t k_of(std::size_t n) const {
        return of_size_ ? static_cast<std::size_t>(fraction_ * static_cast<double>(n)) : k_;
    }

  private:
    std::size_t k_;
    double fraction_ = 0;
    bool of_size_ = false;
};

TAMIS_END
