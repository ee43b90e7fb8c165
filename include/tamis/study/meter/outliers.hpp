#pragma once

#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/state.hpp>

#include <algorithm>
#include <array>
#include <functional>

TAMIS_BEGIN

namespace study {

/// Massive activations, at every site, with a policy or without: how much of a token's L1 mass its largest entries hold, and
/// how far the largest one is above the median. The median is guarded's: of the entries that are not zero, the lower one of
/// two, so that a ReLU's zeros make no outliers of the rest. Tokens that are all zero count with 0 everywhere. Those with NaN
/// or infinity are counted apart, and the site's means and greatest are NaN then. O(n log n) at most a sighting, on average
/// O(n). Where an FFN skips (glu_ffn), what an earlier mask left out is zero.
class outliers_meter {
  public:
    /// From this ratio of the largest magnitude to the median on a token is massive.
    static constexpr double massive_ratio = 1000;

    /// Ratios of 2^62 and more count as this: an exact_total takes it.
    static constexpr double most_ratio = 0x1.fffffffffffffp61;

    /// A quantity over tokens, >= 0: NaN when one of them had none, the mean also when their sum may reach 2^63.
    class spread {
      public:
        /// Over tokens.
        double mean() const { return unless_lost(mass_ >> 63, total_.mean()); }
        /// Of all tokens.
        double greatest() const { return unless_lost(total_.left_out(), greatest_); }

        /// Of a token.
        void add(double value) {
            total_.add(value);
            mass_ = saturated_sum(mass_, static_cast<std::uint64_t>(value) + 1);
            greatest_ = (std::max)(greatest_, value);
        }
        /// A token without it.
        void add_unknown() { total_.add(not_a_number); }
        void merge(const spread& other) {
            total_.merge(other.total_);
            mass_ = saturated_sum(mass_, other.mass_);
            greatest_ = (std::max)(greatest_, other.greatest_);
        }
        template <class Archive>
        void state(Archive& a) {
            a(total_, mass_, greatest_);
        }
        const char* problem() const {
            return !detail::is_between(greatest_, 0.0, most_ratio) ||
                           (total_.count() == 0 && magnitude_bits(greatest_) != 0)
                       ? "outliers_meter: a greatest value that can not be"
                   : mass_ < total_.count() ? "outliers_meter: a sum that can not be"
                   : is_summed() && (total_.sum() < 0 || total_.mean() > greatest_ * (1 + 0x1p-40))
                       ? "outliers_meter: a mean beyond the greatest value"
                       : nullptr;
        }
        /// Whether it is of so many tokens, and of those that had none.
        bool is_of(std::uint64_t tokens, std::uint64_t unknown, double most) const {
            return total_.count() == tokens && total_.left_out() == unknown && greatest_ <= most;
        }
        friend bool operator==(const spread&, const spread&) = default;

      private:
        bool is_summed() const { return total_.left_out() == 0 && (mass_ >> 63) == 0; }

        exact_total total_;
        std::uint64_t mass_ = 0; // no less than the sum
        double greatest_ = 0;
    };

    /// What was seen at a site.
    struct at_site {
        /// How many were counted.
        std::uint64_t tokens = 0;
        /// Of these, how many have a ratio of at least massive_ratio.
        std::uint64_t massive = 0;
        /// Beside these, tokens with NaN or infinity.
        std::uint64_t not_finite = 0;
        /// The share of the L1 mass in the largest entry, and in the largest 1 % (rounded up to whole entries), in [0, 1].
        spread share_of_largest, share_of_percent;
        /// The largest magnitude over the median, most_ratio at most.
        spread ratio_to_median;

        void merge(const at_site& other) {
            tokens += other.tokens;
            massive += other.massive;
            not_finite += other.not_finite;
            share_of_largest.merge(other.share_of_largest);
            share_of_percent.merge(other.share_of_percent);
            ratio_to_median.merge(other.ratio_to_median);
        }
        template <class Archive>
        void state(Archive& a) {
            a(tokens, massive, not_finite, share_of_largest, share_of_percent, ratio_to_median);
        }
        const char* problem() const {
            return massive > tokens ? "outliers_meter: more massive tokens than tokens"
                   : !share_of_largest.is_of(tokens, not_finite, 1) ||
                           !share_of_percent.is_of(tokens, not_finite, 1) ||
                           !ratio_to_median.is_of(tokens, not_finite, most_ratio)
                       ? "outliers_meter: not two shares in [0, 1] and a ratio for each token"
                       : nullptr;
        }
        friend bool operator==(const at_site&, const at_site&) = default;
    };

    void operator()(const sighting& s) {
        at_site& here = sites_[static_cast<std::size_t>(s.where)];
        magnitudes_.resize(s.values.size());
        std::transform(s.values.begin(), s.values.end(), magnitudes_.begin(),
                       [](float value) { return magnitude_bits(value); });
        if (std::any_of(magnitudes_.begin(), magnitudes_.end(),
                        [](std::uint32_t bits) { return bits >= infinity_bits<float>; })) {
            ++here.not_finite;
            here.share_of_largest.add_unknown();
            here.share_of_percent.add_unknown();
            here.ratio_to_median.add_unknown();
            return;
        }
        ++here.tokens;
        const std::size_t n = magnitudes_.size();
        const auto start = magnitudes_.begin();
        const auto largest_part = static_cast<std::ptrdiff_t>((n + 99) / 100);
        if (n != 0) { // the largest 1 % first, the largest of these at the very front
            std::nth_element(start, start + largest_part - 1, magnitudes_.end(), std::greater<>{});
            std::sort(start, start + largest_part, std::greater<>{});
        }
        if (n == 0 || magnitudes_[0] == 0) {
            here.share_of_largest.add(0);
            here.share_of_percent.add(0);
            here.ratio_to_median.add(0);
            return;
        }
        const double largest = value_of(magnitudes_[0]);
        const double of_percent = sum(0, static_cast<std::size_t>(largest_part));
        const double all = sum_of_all(s.values);
        here.share_of_largest.add((std::min)(1.0, largest / all));
        here.share_of_percent.add((std::min)(1.0, of_percent / all));
        const double ratio = largest / value_of(median());
        here.ratio_to_median.add((std::min)(ratio, most_ratio));
        here.massive += ratio >= massive_ratio ? 1 : 0;
    }
    void merge(const outliers_meter& other) {
        for (std::size_t i = 0; i < sites_.size(); ++i) {
            sites_[i].merge(other.sites_[i]);
        }
    }

    /// What was seen there.
    const at_site& at(site where) const { return sites_[static_cast<std::size_t>(where)]; }

    template <class Archive>
    void state(Archive& a) {
        a(sites_);
    }

  private:
    static double value_of(std::uint32_t bits) { return widen(std::bit_cast<float>(bits)); }
    double sum(std::size_t from, std::size_t to) const {
        double total = 0;
        for (std::size_t i = from; i < to; ++i) {
            total += value_of(magnitudes_[i]);
        }
        return total;
    }
    /// In the values' own order, which no library's nth_element changes.
    static double sum_of_all(std::span<const float> values) {
        double total = 0;
        for (const float value : values) {
            total += value_of(magnitude_bits(value));
        }
        return total;
    }
    /// The lower median of what is not zero, as bits; there is something.
    std::uint32_t median() {
        const auto end = std::partition(magnitudes_.begin(), magnitudes_.end(),
                                        [](std::uint32_t bits) { return bits != 0; });
        const auto middle = magnitudes_.begin() + (end - magnitudes_.begin() - 1) / 2;
        std::nth_element(magnitudes_.begin(), middle, end);
        return *middle;
    }

    std::array<at_site, all_sites.size()> sites_;
    std::vector<std::uint32_t> magnitudes_;
};

} // namespace study

TAMIS_END
