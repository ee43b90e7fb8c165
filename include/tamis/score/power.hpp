#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/score/score.hpp>

#include <cmath>

TAMIS_BEGIN

/// |v|^q for 1 <= q <= 7 in steps of 1/16; q = 2 is the energy, and exact for values that are floats.
/// Computed in double from products and square roots alone, which IEEE 754 rounds the same everywhere, where
/// std::pow would depend on the C library. Overflow is infinity; results below 2^-1022 count as zero.
class power {
  public:
    /// Refuses a q outside [1, 7] or between the steps.
    explicit power(double q)
        : sixteenths_{static_cast<unsigned>(detail::is_between(q, 1.0, 7.0) ? q * 16.0 : 0.0)} {
        if (sixteenths_ == 0 || static_cast<double>(sixteenths_) != q * 16.0) {
            fail_value("tamis::power: q must be a multiple of 1/16 in [1, 7] (1, 1.5, 2 ...), got %.12g", q);
        }
    }

    template <class Real>
    double operator()(Real value, std::size_t) const {
        const double v = detail::without_denormals(detail::bits_as<double>(magnitude_bits(widen(value))));
        double result = v;
        for (unsigned whole = sixteenths_ / 16; whole > 1; --whole) {
            result = detail::without_denormals(result * v);
        }
        double root = v;
        for (unsigned bit = 8; bit != 0 && sixteenths_ % 16 != 0; bit /= 2) {
            root = detail::without_denormals(
                std::sqrt(root)); // the check keeps sqrt(sqrt()) from becoming pow()
            if ((sixteenths_ & bit) != 0) {
                result = detail::without_denormals(result * root);
            }
        }
        return detail::without_denormals(result);
    }

    detail::real_lanes<double> lanes(const detail::real_lanes<double>& value, std::size_t) const {
        const auto magnitudes = detail::keys_of<double>(detail::bits_of_lanes<double>(value));
        const auto v = detail::without_denormals(detail::reals_of<double>(magnitudes));
        auto result = v;
        for (unsigned whole = sixteenths_ / 16; whole > 1; --whole) {
            result = detail::without_denormals(result * v);
        }
        auto root = v;
        for (unsigned bit = 8; bit != 0 && sixteenths_ % 16 != 0; bit /= 2) {
            root = detail::without_denormals(xsimd::sqrt(root));
            if ((sixteenths_ & bit) != 0) {
                result = detail::without_denormals(result * root);
            }
        }
        return result;
    }

    /// The power, a multiple of 1/16.
    double q() const { return sixteenths_ / 16.0; }

  private:
    unsigned sixteenths_;
};

TAMIS_END
