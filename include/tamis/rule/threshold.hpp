#pragma once

#include <tamis/rule/selects.hpp>

TAMIS_BEGIN

/// A fixed threshold: scores of at least eps are active, strictly smaller ones dropped. Tools differ in what becomes of a
/// score that is eps itself:
///     threshold{eps}          keeps it: FAT-eps, CATS, CETT
///     threshold::above(t)     drops it: TEAL, NNCF, FATReLU (keep |v| > t)
/// For a threshold that was computed as a float and scores of floats, above(t) is threshold{the next float above t}.
class threshold : public selects<threshold> {
  public:
    /// Refuses a negative or NaN eps. Infinity keeps infinite entries alone.
    constexpr explicit threshold(double eps) : eps_{eps} {
        if (!detail::is_between(eps, 0.0, detail::infinite_double)) {
            fail_value("tamis::threshold: eps must be >= 0, got %.12g", eps);
        }
    }

    /// Scores strictly above t, compared exactly. above(0) is nonzero; above infinity there is NaN alone. Refuses a negative or
    /// NaN t.
    static constexpr threshold above(double t) {
        if (!detail::is_between(t, 0.0, detail::infinite_double)) {
            fail_value("tamis::threshold::above: t must be >= 0, got %.12g", t);
        }
        threshold result{t};
        result.keeps_eps_ = false;
        return result;
    }

    template <class Real>
    constexpr cut<Real> cut_of(scores<Real>) const {
        const auto least = magnitude_bits(eps_) == infinity_bits<double>
                               ? infinity_bits<Real>
                               : detail::product_rounded_up<Real>(eps_, one<Real>);
        const bool is_eps = magnitude_bits(widen(detail::bits_as<Real>(least))) == magnitude_bits(eps_);
        return cut<Real>::at_bits(is_eps && !keeps_eps_ ? least + 1 : least);
    }

    /// The smallest score that is kept.
    constexpr double eps() const { return eps_; }
    /// Whether a score that is eps itself is active.
    constexpr bool keeps_eps() const { return keeps_eps_; }

  private:
    template <class Real>
    static constexpr bits_of<Real> one = magnitude_bits(Real{1});

    double eps_;
    bool keeps_eps_ = true;
};

TAMIS_END
