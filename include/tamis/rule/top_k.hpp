#pragma once

#include <tamis/rule/selects.hpp>
#include <tamis/search/top_k_cut.hpp>
#include <tamis/whole_number.hpp>

TAMIS_BEGIN

namespace detail {

/// floor(f n) for f in [0, 1], in integers. An f that misses a whole number by no more than the rounding of a quotient or
/// of 1 - f does (3/4 of the step between doubles below 1) counts as hitting it.
constexpr std::size_t floor_of_share(double f, std::size_t n) {
    const auto units = static_cast<std::uint64_t>(f * 0x1p55); // a step is four of them
    const uint128 share =
        uint128{units + 3} * uint128{std::uint64_t{n}} >> 55; // n and a little, where f is 1
    const auto low = static_cast<std::uint64_t>(share);
    return static_cast<std::uint64_t>(share >> 64) == 0 && low < n ? static_cast<std::size_t>(low) : n;
}

} // namespace detail

/// top-k: the k largest scores, and all ties of the k-th. k = 0 keeps none, k beyond the number of entries all
/// but zeros. NaN has no rank: it is active beside the k.
class top_k : public selects<top_k> {
  public:
    /// k is an integer of any type; refuses a negative one. (0.5 does not compile: that is a fraction.)
    constexpr explicit top_k(whole_number k) : k_{k.or_fail("tamis::top_k: k")} {}

    /// k = floor(f n) of n entries. f is meant as it is written or computed: 0.29 of 100 is 29, and 1 - 0.9 of 10 is 1,
    /// though as doubles both are a little less. (0.7f is too much less: write 0.7.) Refuses an f outside [0, 1].
    static constexpr top_k fraction(double f) {
        if (!detail::is_between(f, 0.0, 1.0)) {
            fail_value("tamis::top_k::fraction: the kept fraction must be in [0, 1], got %.12g", f);
        }
        return {f, share::kept};
    }
    /// k = n - floor(f n): at most a fraction f is dropped, fewer where the k-th has ties; zeros are never kept. dropping(0.9)
    /// of 10 entries keeps 1, of 5 as well. Refuses an f outside [0, 1].
    static constexpr top_k dropping(double f) {
        if (!detail::is_between(f, 0.0, 1.0)) {
            fail_value("tamis::top_k::dropping: the dropped fraction must be in [0, 1], got %.12g", f);
        }
        return {f, share::dropped};
    }

    template <class Real>
    cut<Real> cut_of(scores<Real> s, workspace w) const {
        return top_k_cut(s, k_of(s.size()), w);
    }
    static constexpr std::size_t workspace_bytes(std::size_t n) { return top_k_cut_bytes(n); }

    /// The k that is used for n entries.
    constexpr std::size_t k_of(std::size_t n) const {
        switch (share_) {
            case share::none: return k_;
            case share::kept: return detail::floor_of_share(fraction_, n);
            case share::dropped: break;
        }
        return n - detail::floor_of_share(fraction_, n);
    }

  private:
    enum class share { none, kept, dropped };
    constexpr top_k(double f, share of) : fraction_{f}, share_{of} {}

    std::size_t k_ = 0;
    double fraction_ = 0;
    share share_ = share::none;
};

TAMIS_END
