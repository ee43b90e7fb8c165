#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/study/figure.hpp>

#include <compare>

TAMIS_BEGIN

namespace study {

/// A sum of doubles that does not depend on the order: each is cut to a whole number of 2^-64, and whole numbers are
/// added. So meters that are merged from threads, processes or machines say the same to the last bit. The sum has to stay
/// within +-2^63. A value that is NaN, infinite or of 2^62 and more can not be in it: it is counted, and from then on sum
/// and mean are NaN, since those of the other values would be figures of something else. 32 bytes.
class exact_total {
  public:
    /// To the bit, in any order; what is not finite is counted and left out.
    constexpr void add(double value) {
        const std::uint64_t magnitude = magnitude_bits(value);
        if (magnitude >= magnitude_bits(0x1p62)) {
            ++left_out_;
            return;
        }
        ++count_;
        const detail::parts v = detail::split<double>(magnitude);
        const int shift = v.exponent + 64;
        const detail::uint128 units = shift >= 0    ? detail::uint128{v.integer} << shift
                                      : shift > -64 ? detail::uint128{v.integer >> -shift}
                                                    : detail::uint128{0};
        const bool negative = (std::bit_cast<std::uint64_t>(value) >> 63) != 0;
        units_ += negative ? ~units + 1 : units; // two's complement: subtraction is an addition
    }
    /// What one would have that had seen both.
    constexpr void merge(const exact_total& other) {
        units_ += other.units_;
        count_ += other.count_;
        left_out_ += other.left_out_;
    }

    /// How many values are in the sum, and how many could not be.
    constexpr std::uint64_t count() const { return count_; }
    /// How many were not finite, or too large.
    constexpr std::uint64_t left_out() const { return left_out_; }

    /// NaN when a value could not be in it.
    constexpr double sum() const {
        const bool negative = (units_ >> 127) != 0;
        const detail::uint128 magnitude = negative ? ~units_ + 1 : units_;
        const double value = static_cast<double>(static_cast<std::uint64_t>(magnitude >> 64)) +
                             static_cast<double>(static_cast<std::uint64_t>(magnitude)) * 0x1p-64;
        return unless_lost(left_out_, negative ? -value : value);
    }
    /// The sum over the count; 0 of nothing; NaN as the sum is.
    constexpr double mean() const {
        return unless_lost(left_out_, count_ == 0 ? 0.0 : sum() / static_cast<double>(count_));
    }

    /// Four words: see study/state.hpp.
    template <class Archive>
    constexpr void state(Archive& a) {
        auto low = static_cast<std::uint64_t>(units_);
        auto high = static_cast<std::uint64_t>(units_ >> 64);
        a(low, high, count_, left_out_);
        if constexpr (Archive::fills) {
            units_ = (detail::uint128{high} << 64) | low;
        }
    }

    /// Words that no values add up to: see study/state.hpp.
    constexpr const char* problem() const {
        const detail::uint128 magnitude = (units_ >> 127) != 0 ? ~units_ + 1 : units_;
        return count_ == 0 && units_ != 0               ? "exact_total: a sum of no values that is not 0"
               : count_ == 1 && (magnitude >> 126) != 0 ? "exact_total: one value beyond 2^62"
                                                        : nullptr;
    }
    /// Whether so many values can have this sum and all be in [0, 1].
    constexpr bool can_be_of_shares() const {
        return (units_ >> 127) == 0 && magnitude_bits(sum()) <= magnitude_bits(static_cast<double>(count_));
    }

    friend constexpr bool operator==(const exact_total&, const exact_total&) = default;

  private:
    detail::uint128 units_ = 0;
    std::uint64_t count_ = 0, left_out_ = 0;
};

} // namespace study

TAMIS_END
