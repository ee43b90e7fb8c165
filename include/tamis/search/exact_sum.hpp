#pragma once

#include <tamis/detail/soft_double.hpp>

#include <array>

TAMIS_BEGIN

namespace detail {

/// The double nearest to integer * 2^exponent, to even on a tie; `more` says that something below its last bit was cut off.
/// Beyond all doubles: infinity.
constexpr double nearest_double(std::uint64_t integer, int exponent, bool more) {
    if (integer == 0) {
        return 0.0;
    }
    const int up = 64 - bit_length(integer);
    integer <<= up;
    exponent -= up; // in [2^63, 2^64)
    int drop = 11;
    if (exponent + drop < -1074) {
        drop = -1074 - exponent; // a denormal
    }
    if (drop > 64) {
        return 0.0;
    }
    std::uint64_t kept = drop == 64 ? 0 : integer >> drop;
    const std::uint64_t rest = drop == 64 ? integer : integer & ((std::uint64_t{1} << drop) - 1);
    const std::uint64_t half = std::uint64_t{1} << (drop - 1);
    kept += rest > half || (rest == half && (more || kept % 2 != 0)) ? 1u : 0u;
    const int steps = exponent + drop + 1074; // binades above the denormals
    const std::uint64_t bits =
        steps > 2046 ? infinity_bits<double> : (static_cast<std::uint64_t>(steps) << 52) + kept;
    return detail::bits_as<double>(bits < infinity_bits<double> ? bits : infinity_bits<double>);
}

} // namespace detail

/// A sum of finite magnitudes without rounding: one wide integer in units of the least denormal (2^-149 for
/// float, 2^-1074 for double), wide enough for 2^64 of the largest. 6 words for float, 34 for double.
template <class Real>
class exact_sum {
    static constexpr int digits = detail::real_layout<Real>::digits;
    static constexpr int least = detail::real_layout<Real>::least_exponent;
    static constexpr std::size_t words =
        static_cast<std::size_t>(std::numeric_limits<Real>::max_exponent - least + 64 + 63) / 64;

  public:
    /// Adds the magnitude with these bits; it must be finite.
    constexpr void add(bits_of<Real> magnitude) { add(detail::split<Real>(magnitude)); }
    /// Adds integer * 2^exponent, the exponent at or above that of the least denormal.
    constexpr void add_scaled(std::uint64_t integer, int exponent) { add({integer, exponent}); }

    /// The least integer number of units >= p * sum, for 0 <= p <= 1 taken exactly.
    constexpr exact_sum fraction_rounded_up(double p) const {
        const detail::parts factor =
            detail::split<double>(magnitude_bits(p)); // p = integer * 2^exponent, exponent < 0
        std::array<std::uint64_t, words + 1> product{};
        detail::uint128 carry = 0;
        for (std::size_t i = 0; i < words; ++i) {
            carry += static_cast<detail::uint128>(words_[i]) * factor.integer;
            product[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
        product[words] = static_cast<std::uint64_t>(carry);
        const auto shift = static_cast<std::size_t>(-factor.exponent);
        exact_sum result;
        bool remainder = false;
        for (std::size_t i = 0; i < words + 1; ++i) {
            if (i < shift / 64) {
                remainder = remainder || product[i] != 0;
                continue;
            }
            const std::size_t to = i - shift / 64;
            const unsigned bits = shift % 64;
            if (to < words) {
                result.words_[to] |= product[i] >> bits;
            }
            if (bits != 0) {
                const std::uint64_t below = product[i] << (64 - bits);
                if (to == 0) {
                    remainder = remainder || below != 0;
                } else {
                    result.words_[to - 1] |= below;
                }
            }
        }
        if (remainder) {
            result.add({1, least});
        }
        return result;
    }

    /// The sum that a finite value >= 0 rounds down to.
    static constexpr exact_sum rounded_down(double value) {
        detail::parts v = detail::split<double>(magnitude_bits(value));
        exact_sum result;
        if (v.exponent < least) {
            v = {least - v.exponent < 64 ? v.integer >> (least - v.exponent) : 0, least};
        }
        if (v.exponent - least + 64 > static_cast<int>(words * 64)) { // more than any sum
            result.words_.fill(~std::uint64_t{0});
            return result;
        }
        result.add(v);
        return result;
    }

    /// The double nearest to the sum, to even on a tie; infinity beyond all doubles.
    constexpr double nearest() const {
        std::size_t top = words;
        while (top > 1 && words_[top - 1] == 0) {
            --top;
        }
        const int into_top =
            top == 1 ? 0 : 64 - detail::bit_length(words_[top - 1]); // bits of the word below
        std::uint64_t first = words_[top - 1];
        bool more = false;
        if (into_top != 0) {
            first = (first << into_top) | (words_[top - 2] >> (64 - into_top));
            more = words_[top - 2] << into_top != 0;
        } else if (top > 1) {
            more = words_[top - 2] != 0;
        }
        for (std::size_t i = 0; i + 2 < top; ++i) {
            more = more || words_[i] != 0;
        }
        return detail::nearest_double(first, least + static_cast<int>(64 * (top - 1)) - into_top, more);
    }

    friend constexpr bool operator>=(const exact_sum& a, const exact_sum& b) {
        for (std::size_t i = words; i-- > 0;) {
            if (a.words_[i] != b.words_[i]) {
                return a.words_[i] > b.words_[i];
            }
        }
        return true;
    }

  private:
    constexpr void add(detail::parts value) {
        const auto shift = static_cast<std::size_t>(value.exponent - least);
        std::size_t i = shift / 64;
        const detail::uint128 wide = static_cast<detail::uint128>(value.integer)
                                     << static_cast<int>(shift % 64);
        detail::uint128 carry = static_cast<detail::uint128>(words_[i]) + static_cast<std::uint64_t>(wide);
        words_[i] = static_cast<std::uint64_t>(carry);
        carry = (carry >> 64) + static_cast<std::uint64_t>(wide >> 64);
        while (carry != 0 && ++i < words) {
            carry += words_[i];
            words_[i] = static_cast<std::uint64_t>(carry);
            carry >>= 64;
        }
    }

    std::array<std::uint64_t, words> words_{};
};

TAMIS_END
