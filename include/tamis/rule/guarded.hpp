#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/top_k_cut.hpp>

#include <utility>

TAMIS_BEGIN

/// A rule with a guard against massive activations: scores of at least `factor` times the median (of the finite
/// scores above zero; the lower one of two) are outliers. They are always active, and the rule sees zeros in
/// their place, so that they take no part in its sum, maximum or ranks. Infinities are outliers too.
template <rule R>
class guarded : public selects<guarded<R>> {
  public:
    /// Refuses a factor that is not above 1. Massive activations lie 1e3 to 1e5 above the median.
    constexpr guarded(double factor, R rule) : factor_{factor}, rule_{std::move(rule)} {
        if (!detail::is_between(factor, 1.0, detail::largest_double) ||
            magnitude_bits(factor) == magnitude_bits(1.0)) {
            fail_value("tamis::guarded: the factor must be finite and > 1, got %.12g", factor);
        }
    }

    template <class Real>
        requires rule_for<R, Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        const cut<Real> outlier = outlier_cut(s, w);
        if (!outlier.keeps(static_cast<bits_of<Real>>(detail::largest_key<Real>(s.signed_scores())))) {
            return tamis::cut_of(rule_, s, w) | outlier;
        }
        const auto rest = w.take<Real>(s.size());
        for (std::size_t i = 0; i < s.size(); ++i) {
            rest[i] = outlier.keeps(s.bits(i)) && s.bits(i) <= infinity_bits<Real> ? Real{0} : s[i];
        }
        return tamis::cut_of(rule_, scores<Real>{rest}, w) | outlier;
    }
    constexpr std::size_t workspace_bytes(std::size_t n) const {
        return workspace_bytes_of<double>(n) + (std::max)(rule_workspace_bytes(rule_, n), top_k_cut_bytes(n));
    }

    /// From where on a score is an outlier.
    template <class Real>
    cut<Real> outlier_cut(scores<Real> scored, workspace w) const {
        const auto s = scored.signed_scores();
        const detail::bracket<Real> finite{1, detail::infinity_key<Real>}; // and above zero
        const auto [zeros, below_infinity] =
            detail::weigh_below<detail::number>(detail::in_fours<Real>{s}, finite.low, finite.high);
        const auto count = static_cast<std::size_t>(below_infinity - zeros);
        if (count == 0) {
            return cut<Real>::at_bits(infinity_bits<Real>);
        }
        const auto memory = w.take<Real>(detail::bracket_room(s.size()));
        const auto median = detail::key_at_rank<Real>(s, static_cast<std::size_t>(zeros) + (count - 1) / 2,
                                                      {finite, zeros, below_infinity}, memory);
        return cut<Real>::at_product(factor_, detail::bits_as<Real>(static_cast<bits_of<Real>>(median)));
    }

  private:
    double factor_;
    R rule_;
};

TAMIS_END
