#pragma once

#include <tamis/detail/soft_double.hpp>

TAMIS_BEGIN

/// What every rule comes down to: one threshold; an entry is active when its score is at or above it. Two things
/// hold whatever the rule: an entry that is exactly zero is never active, a NaN always is.
/// Stored as the bits of the threshold, from 1 (the least score above zero) to infinity's + 1 (NaN alone).
template <class Real>
class cut {
  public:
    /// An integer that orders as the magnitudes do.
    using bits_type = bits_of<Real>;

    /// Active: score >= threshold. At zero or below: everything but zeros. A NaN threshold keeps nothing.
    static constexpr cut at(Real threshold) {
        const bool negative = (detail::bits_as<bits_type>(threshold) >> (sizeof(Real) * 8 - 1)) != 0;
        return negative && !is_nan(threshold) ? everything() : at_bits(magnitude_bits(threshold));
    }
    /// The same from a threshold's magnitude_bits.
    static constexpr cut at_bits(bits_type bits) { return cut{bits}; }
    /// The least threshold that no score below a * b (exact; a >= 0 finite, b a finite magnitude) reaches.
    static constexpr cut at_product(double a, Real b) {
        return at_bits(detail::product_rounded_up<Real>(a, magnitude_bits(b)));
    }
    /// All entries but zeros.
    static constexpr cut everything() { return cut{1}; }
    /// No entries but NaN.
    static constexpr cut nothing() { return cut{infinity_bits<Real> + 1}; }

    /// Whether an entry with these magnitude_bits is active.
    constexpr bool keeps(bits_type score) const { return score >= bits_; }

    /// The threshold's bits: a NaN lies above all.
    constexpr bits_type bits() const { return bits_; }
    /// What is at or above it is active.
    constexpr Real threshold() const { return detail::bits_as<Real>(bits_); }

    /// Active under both / under either.
    friend constexpr cut operator&(cut a, cut b) { return a.bits_ > b.bits_ ? a : b; }
    friend constexpr cut operator|(cut a, cut b) { return a.bits_ < b.bits_ ? a : b; }
    friend constexpr bool operator==(cut, cut) = default;

  private:
    constexpr explicit cut(bits_type bits) : bits_{bits} {
        if (bits_ == 0) {
            bits_ = 1;
        } else if (bits_ > infinity_bits<Real>) {
            bits_ = infinity_bits<Real> + 1;
        }
    }
    bits_type bits_;
};

TAMIS_END
