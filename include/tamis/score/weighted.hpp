#pragma once

#include <tamis/detail/memory.hpp>
#include <tamis/score/score.hpp>

TAMIS_BEGIN

/// |v_i| * c_i with one weight an entry: c_i = ||W[:,i]||_2 gives WINA's score, and CETT's neuron norm
/// ||n_i|| = |i_i| * ||W_d[:,i]||_2. Exact in double for values that are floats; overflow (of doubles) is infinity. A zero
/// stays a zero; an infinite value times a weight of zero is NaN, and so active. The weights are borrowed: they outlive the
/// score, and there is one for every place of the values at least (which is checked where values are scored).
class weighted {
  public:
    /// Refuses a weight that is negative, infinite (times zero it would be NaN, and a zero active) or NaN; reads them all
    /// once.
    explicit weighted(detail::kept_span<float> weights) : weights_{weights} {
        for (const float weight : weights_) {
            if (magnitude_bits(weight) >= infinity_bits<float> ||
                detail::bits_as<std::uint32_t>(weight) > 0x80000000u) {
                fail_value("tamis::weighted: weights must be finite and >= 0, got %.12g",
                           static_cast<double>(weight));
            }
        }
    }

    template <class Real>
    double operator()(Real v, std::size_t i) const {
        return detail::without_denormals(detail::without_denormals(widen(v)) * widen(weights_[i]));
    }

    detail::real_lanes<double> lanes(const detail::real_lanes<double>& v, std::size_t first) const {
        return detail::without_denormals(detail::without_denormals(v) *
                                         detail::load_doubles(weights_.data() + first));
    }

    /// c_i of each place, borrowed.
    std::span<const float> weights() const { return weights_; }
    std::size_t places() const { return weights_.size(); }

  private:
    std::span<const float> weights_;
};

TAMIS_END
