#pragma once

#include <tamis/detail/inlined.hpp>

TAMIS_BEGIN

namespace detail {

/// Two words as one integer: what uint128 is where the compiler has none (32-bit machines). It has the operations that
/// are used here alone, shifts by 0 to 127.
class two_words {
  public:
    constexpr two_words() = default;
    constexpr two_words(std::uint64_t low) : low_{low} {}
    constexpr explicit operator std::uint64_t() const { return low_; }

    friend constexpr two_words operator+(two_words a, two_words b) {
        const std::uint64_t low = a.low_ + b.low_;
        return {a.high_ + b.high_ + (low < a.low_ ? 1 : 0), low};
    }
    constexpr two_words& operator+=(two_words b) { return *this = *this + b; }
    /// Of integers below 2^64.
    friend constexpr two_words operator*(two_words a, two_words b) {
        constexpr std::uint64_t half = 0xffffffff;
        const std::uint64_t lows = (a.low_ & half) * (b.low_ & half);
        const std::uint64_t cross = (a.low_ >> 32) * (b.low_ & half) + (lows >> 32); // at most 2^64 - 2^32
        const std::uint64_t other = (a.low_ & half) * (b.low_ >> 32) + (cross & half);
        return {(a.low_ >> 32) * (b.low_ >> 32) + (cross >> 32) + (other >> 32),
                (other << 32) | (lows & half)};
    }
    friend constexpr two_words operator<<(two_words a, int by) {
        if (by == 0) {
            return a;
        }
        return by < 64 ? two_words{(a.high_ << by) | (a.low_ >> (64 - by)), a.low_ << by}
                       : two_words{a.low_ << (by - 64), 0};
    }
    friend constexpr two_words operator>>(two_words a, int by) {
        if (by == 0) {
            return a;
        }
        return by < 64 ? two_words{a.high_ >> by, (a.low_ >> by) | (a.high_ << (64 - by))}
                       : two_words{0, a.high_ >> (by - 64)};
    }
    constexpr two_words& operator>>=(int by) { return *this = *this >> by; }
    friend constexpr two_words operator~(two_words a) { return {~a.high_, ~a.low_}; }
    friend constexpr two_words operator|(two_words a, two_words b) {
        return {a.high_ | b.high_, a.low_ | b.low_};
    }
    friend constexpr bool operator==(two_words, two_words) = default;

  private:
    constexpr two_words(std::uint64_t high, std::uint64_t low) : low_{low}, high_{high} {}
    std::uint64_t low_ = 0, high_ = 0;
};

#if defined(__SIZEOF_INT128__) && !defined(TAMIS_DETAIL_NO_INT128) // the macro is for tests
__extension__ typedef unsigned __int128 uint128; // __extension__: -Wpedantic knows no 128-bit integer
#else
using uint128 = two_words;
#endif

constexpr int bit_length(uint128 value) {
    const auto high = static_cast<std::uint64_t>(value >> 64);
    return high != 0 ? 64 + bit_length(high) : bit_length(static_cast<std::uint64_t>(value));
}

} // namespace detail

TAMIS_END
