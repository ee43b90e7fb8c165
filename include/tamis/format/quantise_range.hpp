#pragma once

#include <tamis/format/quantise.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace detail {

/// The weights that share a scale and a minimum, for codes 0 .. steps: (w - minimum) / unit. As quantiser, it does what
/// single operations on floats do, whatever the flags.
class range_quantiser {
  public:
    constexpr range_quantiser(std::span<const float> weights, int steps)
        : smallest_{weights[0]}, largest_{weights[0]} {
        for (const float w : weights) {
            is_finite_ = is_finite_ && magnitude_bits(w) < infinity_bits<float>;
            smallest_ = order(w) < order(smallest_) ? w : smallest_;
            largest_ = order(w) > order(largest_) ? w : largest_;
        }
        if (is_finite_) {
            const double range = to_24_bits(widen(largest_) - widen(smallest_));
            overflows_ = range >= 0x1p128;
            unit_ = overflows_ ? 0.0f
                               : to_float(quotient(split<double>(magnitude_bits(range)),
                                                   {static_cast<std::uint64_t>(steps), 0}));
            inverse_ = reciprocal(unit_);
        }
    }

    /// The bits of the scale and of the minimum as binary16. NaN where a weight is infinite or NaN, so that all that share
    /// them read as NaN; an infinite scale where the range is larger than a float.
    constexpr std::uint16_t half_scale() const {
        return !is_finite_ ? std::uint16_t{0x7e00} : overflows_ ? std::uint16_t{0x7c00} : f16::round(unit_);
    }
    constexpr std::uint16_t half_minimum() const {
        return is_finite_ ? f16::round(smallest_) : std::uint16_t{0x7e00};
    }
    /// (w - minimum) * (1 / unit) + 0.5, each rounded to a float, cut to an integer within 0 .. most.
    int cut(float w, int most) const {
        if (!is_finite_) {
            return 0;
        }
        const double above = to_24_bits(widen(w) - widen(smallest_));
        return std::clamp(static_cast<int>(to_24_bits(to_24_bits(above * inverse_) + 0.5)), 0, most);
    }

  private:
    /// Orders as the numbers do, by their bits; of two zeros neither is before the other.
    static constexpr std::int32_t order(float w) {
        const auto magnitude = static_cast<std::int32_t>(
            magnitude_bits(w) == 0 ? 0 : detail::bits_as<std::uint32_t>(w) & 0x7fffffffu);
        return detail::bits_as<std::uint32_t>(w) >> 31 != 0 ? -magnitude : magnitude;
    }

    float smallest_, largest_;
    bool is_finite_ = true, overflows_ = false;
    float unit_ = 0;
    double inverse_ = 0;
};

} // namespace detail

TAMIS_END
