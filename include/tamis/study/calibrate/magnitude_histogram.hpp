#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/error.hpp>
#include <tamis/study/calibrate/magnitude_bins.hpp>
#include <tamis/study/figure.hpp>

#include <algorithm>
#include <span>
#include <vector>

TAMIS_BEGIN

namespace study {

/// Quantiles of |v| over a stream of any length, exact, from counts that merge. The q-quantile of n magnitudes
/// a_0 <= ... <= a_{n-1} is a_k with k = floor(q n), computed in double (so 0.7 of 10 is 7, as it is for top_k). As a
/// threshold, which drops what is strictly smaller, it drops the share q, or as much less as ties ask for. k = n (q = 1)
/// is the float above a_{n-1}. A NaN has no place among magnitudes: it is counted apart, and quantiles are NaN then;
/// infinities have theirs, at the end. An exact zero is never active, so with more zeros than q n the
/// threshold is 0 and the zeros are what is dropped.
///
/// This is the first pass, which says between which floats a quantile lies; magnitude_quantiles below is the second.
/// add: one count a value. 512 KiB.
class magnitude_histogram {
  public:
    magnitude_histogram() : counts_(magnitude_bins) {}

    void add(std::span<const float> values) {
        for (const float v : values) {
            const std::size_t bin = bin_of(magnitude_bits(v));
            ++counts_[bin];
            nans_beside_infinity_ += bin == finite_bins && is_nan(v) ? 1u : 0u;
        }
    }
    void merge(const magnitude_histogram& other) {
        for (std::size_t bin = 0; bin < magnitude_bins; ++bin) {
            counts_[bin] += other.counts_[bin];
        }
        nans_beside_infinity_ += other.nans_beside_infinity_;
    }

    /// Magnitudes in a bin of magnitude_bins.hpp.
    std::uint64_t in_bin(std::size_t bin) const {
        return bin < finite_bins    ? counts_[bin]
               : bin == finite_bins ? counts_[bin] - nans_beside_infinity_
                                    : 0;
    }
    /// All magnitudes, without the NaN; and those.
    std::uint64_t count() const {
        std::uint64_t all = 0;
        for (std::size_t bin = 0; bin <= finite_bins; ++bin) {
            all += in_bin(bin);
        }
        return all;
    }
    /// How many were NaN.
    std::uint64_t nans() const {
        std::uint64_t all = nans_beside_infinity_;
        for (std::size_t bin = finite_bins + 1; bin < magnitude_bins; ++bin) {
            all += counts_[bin];
        }
        return all;
    }

    /// The magnitudes of a bin.
    struct range {
        /// From, and below.
        float low, high;
    };
    /// The first and the last float that the q-quantile can be: low <= quantile <= high, and high <= low (1 + 2^-8) for
    /// normal floats. As a threshold, low drops no more than the share q. Both NaN when a NaN was seen. Refuses a q outside
    /// [0, 1], and a histogram of nothing.
    range quantile(double q) const {
        const rank r = rank_of(q);
        if (nans() != 0) {
            return {not_a_float, not_a_float};
        }
        const float beyond = first_of_bin((std::min)(r.bin + 1, finite_bins));
        return r.above ? range{first_of_bin(r.bin), beyond}
                       : range{first_of_bin(r.bin), r.bin == finite_bins ? beyond : last_of_bin(r.bin)};
    }

    /// Where the quantile is: the bin, and how many magnitudes of the bin are before it. `above`: it is the float above
    /// the bin's last.
    struct rank {
        /// The bin that it lies in.
        std::size_t bin;
        /// How many magnitudes of the bin are before it.
        std::uint64_t before;
        /// Whether it is the float above the last of the bin.
        bool above;
    };
    /// Where the quantile q lies; q in [0, 1].
    rank rank_of(double q) const {
        const std::uint64_t n = count();
        if (!detail::is_between(q, 0.0, 1.0)) {
            fail_value("tamis::study::magnitude_histogram: q must be in [0, 1], got %.12g", q);
        }
        if (n == 0 && nans() != 0) {
            return {0, 0, false}; // of no quantile: it is NaN
        }
        if (n == 0) {
            fail("tamis::study::magnitude_histogram: there is no quantile of nothing; add values first");
        }
        const std::uint64_t k = (std::min)(n, static_cast<std::uint64_t>(q * static_cast<double>(n)));
        const bool above = k == n;
        std::uint64_t before = above ? n - 1 : k;
        std::size_t bin = 0;
        for (; before >= in_bin(bin); ++bin) {
            before -= in_bin(bin);
        }
        return {bin, before, above};
    }

  private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t nans_beside_infinity_ = 0; // these share infinity's bin
};

/// The second pass, over the same values in any order and any parts: the quantiles themselves. 256 KiB for each bin that
/// a quantile lies in, and 128 KiB.
class magnitude_quantiles {
  public:
    /// Refuses what magnitude_histogram::quantile refuses.
    magnitude_quantiles(const magnitude_histogram& first_pass, std::span<const double> qs)
        : table_of_bin_(magnitude_bins, none), nans_{first_pass.nans()} {
        for (const double q : qs) {
            ranks_.push_back(first_pass.rank_of(q));
            const std::size_t bin = ranks_.back().bin;
            if (table_of_bin_[bin] == none) {
                table_of_bin_[bin] = static_cast<std::uint16_t>(tables_.size());
                tables_.push_back({first_pass.in_bin(bin), std::vector<std::uint64_t>(magnitudes_a_bin)});
            }
        }
    }

    void add(std::span<const float> values) {
        for (const float v : values) {
            const std::uint32_t bits = magnitude_bits(v);
            const std::uint16_t t = table_of_bin_[bin_of(bits)];
            if (t != none) {
                ++tables_[t].counts[place_in_bin(bits)];
            }
        }
    }
    /// Refuses a pass with another number of bins: one that was made for other quantiles or of another first pass.
    void merge(const magnitude_quantiles& other) {
        detail::need("tamis::study::magnitude_quantiles: a pass over %zu bins can not take one over %zu",
                     tables_.size(), other.tables_.size());
        for (std::size_t t = 0; t < tables_.size(); ++t) {
            for (std::size_t place = 0; place < magnitudes_a_bin; ++place) {
                tables_[t].counts[place] += other.tables_[t].counts[place];
            }
        }
    }

    /// How many quantiles were asked for.
    std::size_t size() const { return ranks_.size(); }
    /// Quantile number i of those asked for; NaN when the first pass saw a NaN. Refuses when this pass saw other values than the first.
    float quantile(std::size_t i) const {
        if (nans_ != 0) {
            return not_a_float;
        }
        const magnitude_histogram::rank r = ranks_[i];
        const table& t = tables_[table_of_bin_[r.bin]];
        const std::size_t places = r.bin == finite_bins ? 1 : magnitudes_a_bin; // the others are NaN
        std::uint64_t seen = 0, before = r.before;
        std::size_t place = places;
        for (std::size_t p = 0; p < places; ++p) {
            seen += t.counts[p];
            place = place == places && seen > before ? p : place;
        }
        detail::need(
            "tamis::study::magnitude_quantiles: the second pass has to see the first one's values: %zu "
            "in a bin, got %zu",
            static_cast<std::size_t>(t.first_pass), static_cast<std::size_t>(seen));
        const float found = float_at(r.bin, place);
        return r.above && r.bin < finite_bins ? float_at(r.bin, place + 1) : found;
    }

  private:
    static constexpr std::uint16_t none = 0xffff;
    struct table {
        std::uint64_t first_pass;
        std::vector<std::uint64_t> counts;
    };

    std::vector<magnitude_histogram::rank> ranks_;
    std::vector<std::uint16_t> table_of_bin_;
    std::uint64_t nans_;
    std::vector<table> tables_;
};

} // namespace study

TAMIS_END
