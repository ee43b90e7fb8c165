#pragma once

#include <tamis/error.hpp>
#include <tamis/study/figure.hpp>
#include <tamis/whole_number.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

TAMIS_BEGIN

namespace study {

// How far a figure would move on another text of the same kind: the paired bootstrap. A text is units that could have been
// others (stories; blocks of tokens in one long text; questions). A draw takes as many of them as there are, with replacement,
// and every figure is computed from what it took: ratios, critical points, differences between two rules alike, all from the
// same units, so that what makes a story hard for both rules cancels in their difference.

/// 64-bit numbers from a seed: splitmix64 (Steele, Lea, Flood 2014), the same with every compiler and library.
class split_mix {
  public:
    /// The same numbers for the same seed, everywhere.
    constexpr explicit split_mix(std::uint64_t seed) : state_{seed} {}

    /// The next 64 bits.
    constexpr std::uint64_t operator()() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    /// A number below n, each as likely as the others (Lemire 2019: the high half of a product, some thrown again).
    constexpr std::uint32_t below(std::uint32_t n) {
        const std::uint32_t unfair = (0u - n) % n;
        std::uint64_t product = 0;
        do {
            product = ((*this)() >> 32) * n;
        } while (static_cast<std::uint32_t>(product) < unfair);
        return static_cast<std::uint32_t>(product >> 32);
    }

  private:
    std::uint64_t state_;
};

/// Which units each draw takes. Draw d is a function of the seed and d alone, so draws can be made in any order.
class resampling {
  public:
    /// Refuses no units, more than 2^31, and no draws.
    explicit resampling(whole_number units, whole_number draws = 1000, std::uint64_t seed = 1)
        : units_{units.or_fail("tamis::study::resampling: units")},
          draws_{draws.or_fail("tamis::study::resampling: draws")},
          seed_{seed} {
        if (units_ == 0 || units_ > 0x80000000u || draws_ == 0) {
            fail_sizes(
                "tamis::study::resampling: 1 to 2^31 units and at least one draw are needed, got %zu units and "
                "%zu draws",
                units_, draws_);
        }
    }

    /// How many units (stories) there are.
    std::size_t units() const { return units_; }
    /// How many draws.
    std::size_t draws() const { return draws_; }
    /// Of the generator.
    std::uint64_t seed() const { return seed_; }

    /// How often draw d takes each unit; the sum is units(). Refuses a span of another size.
    void weights(std::size_t d, std::span<double> to) const {
        detail::need("tamis::study::resampling: weights of %zu units go into a span of as many, not %zu",
                     units_, to.size());
        std::fill(to.begin(), to.end(), 0.0);
        split_mix random{split_mix{seed_}() + split_mix{d}()};
        for (std::size_t i = 0; i < units_; ++i) {
            to[random.below(static_cast<std::uint32_t>(units_))] += 1;
        }
    }

  private:
    std::size_t units_, draws_;
    std::uint64_t seed_;
};

/// What each unit adds to the sums that figures are computed from: a loss, a count of tokens, of hits, of dropped entries.
class unit_sums {
  public:
    /// Zeros. Refuses negative sizes.
    unit_sums(whole_number units, whole_number columns)
        : units_{units.or_fail("tamis::study::unit_sums: units")},
          columns_{columns.or_fail("tamis::study::unit_sums: columns")},
          values_(units_ * columns_) {}

    /// How many units (stories) there are.
    std::size_t units() const { return units_; }
    /// How many entries a row has.
    std::size_t columns() const { return columns_; }
    /// One sum a unit.
    std::span<double> column(std::size_t c) { return std::span{values_}.subspan(c * units_, units_); }
    /// One sum a unit.
    std::span<const double> column(std::size_t c) const {
        return std::span{values_}.subspan(c * units_, units_);
    }

    /// Each column's sum, every unit as often as its weight says. O(units x columns).
    void totals(std::span<const double> weights, std::span<double> to) const {
        detail::need("tamis::study::unit_sums: totals of %zu units want as many weights, not %zu", units_,
                     weights.size());
        detail::need("tamis::study::unit_sums: %zu totals go into a span of as many, not %zu", columns_,
                     to.size());
        for (std::size_t c = 0; c < columns_; ++c) {
            const double* const values = values_.data() + c * units_;
            double sums[4]{}; // four chains: additions wait for each other
            std::size_t u = 0;
            for (; u + 4 <= units_; u += 4) {
                for (std::size_t i = 0; i < 4; ++i) {
                    sums[i] += weights[u + i] * values[u + i];
                }
            }
            for (; u < units_; ++u) {
                sums[0] += weights[u] * values[u];
            }
            to[c] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
    }

  private:
    std::size_t units_, columns_;
    std::vector<double> values_;
};

/// Calls each(d, totals) for every draw.
template <class Each>
void for_each_draw(const resampling& r, const unit_sums& sums, Each&& each) {
    detail::need("tamis::study::for_each_draw: a resampling of %zu units wants sums of as many, not %zu",
                 r.units(), sums.units());
    std::vector<double> weights(r.units()), totals(sums.columns());
    for (std::size_t d = 0; d < r.draws(); ++d) {
        r.weights(d, weights);
        sums.totals(weights, totals);
        each(d, std::span<const double>{totals});
    }
}

/// Where a figure lies in `level` of the draws. An end is infinite where the figure was in too many of them; NaN (both) when
/// it was undefined in any.
struct interval {
    /// The ends; NaN where one is not known.
    double low = not_a_number, high = not_a_number;

    /// Whether both ends are.
    bool is_known() const { return !is_nan(low) && !is_nan(high); }
    /// Whether both ends are.
    bool holds(double figure) const { return is_known() && low <= figure && figure <= high; }
};

/// The percentile interval of a figure's draws, in any order: between the quantiles (1 - level) / 2 and (1 + level) / 2, linear
/// between neighbours. NaN of no draws. O(n log n).
inline interval interval_of(std::span<const double> draws, double level = 0.9) {
    if (!(level > 0 && level < 1)) {
        fail_value("tamis::study::interval_of: the level must be above 0 and below 1 (0.9), got %.12g",
                   level);
    }
    if (draws.empty() || std::any_of(draws.begin(), draws.end(), [](double v) { return is_nan(v); })) {
        return {};
    }
    std::vector<double> sorted(draws.begin(), draws.end());
    std::sort(sorted.begin(), sorted.end(), [](double a, double b) { // by bits: infinities stay where they
        const auto key = [](double v) {                              // belong under -ffast-math, too
            const auto bits = std::bit_cast<std::int64_t>(v);
            return bits < 0 ? std::int64_t{-0x7fffffffffffffff} - 1 - bits : bits;
        };
        return key(a) < key(b);
    });
    const auto quantile = [&](double share) {
        const double at = share * static_cast<double>(sorted.size() - 1);
        const auto below = static_cast<std::size_t>(at);
        const double a = sorted[below], b = sorted[(std::min)(below + 1, sorted.size() - 1)];
        const double part = at - static_cast<double>(below);
        if (!is_finite(a) || !is_finite(b)) {
            return part < 0.5 ? a : b;
        }
        return a + part * (b - a);
    };
    return {quantile((1 - level) / 2), quantile((1 + level) / 2)};
}

} // namespace study

TAMIS_END
