#pragma once

#include <tamis/study/calibrate/cett_curve.hpp>

#include <limits>

TAMIS_BEGIN

namespace study {

/// The second pass of CETT's calibration, over the tokens that the curve saw, in any order and any parts: for each target
/// the float eps at which the mean of CETT is within the target and at the next float beyond it. It is the first such
/// float of the first bin at whose end the curve is beyond the target. A meter as the curve is. 1 MiB for each bin that a
/// target lies in.
template <class Down>
class cett_refinement {
  public:
    /// Refuses what cett_curve::threshold_for refuses.
    cett_refinement(const cett_curve<Down>& curve, std::span<const double> targets)
        : steps_{curve.steps()},
          first_pass_{curve.tokens()},
          not_finite_{curve.not_finite()},
          table_of_bin_(magnitude_bins, none) {
        for (const double target : targets) {
            const auto crossing = curve.crossing_of(target);
            goals_.push_back({target, crossing.bin, crossing.before});
            if (crossing.bin < finite_bins && table_of_bin_[crossing.bin] == none) {
                table_of_bin_[crossing.bin] = static_cast<std::uint16_t>(tables_.size());
                tables_.emplace_back(magnitudes_a_bin);
            }
        }
    }

    /// A token. Refuses another number of entries than there are neurons.
    void add(std::span<const float> intermediate) {
        const auto table_of = [&](std::uint32_t eps_bits) {
            return bin_of(eps_bits) < finite_bins ? table_of_bin_[bin_of(eps_bits)] : none;
        };
        const auto token = steps_.walk(intermediate, [&](std::uint32_t eps_bits, std::uint32_t next) {
            return table_of(eps_bits) != none || table_of(next) != none; // inside a bin, or just before it
        });
        tokens_ += token.defined ? 1u : 0u;
        double before = 0;
        for (const auto& s : token.steps) {
            if (const std::uint16_t table = table_of(s.eps_bits); table != none) {
                exact_total& change = tables_[table][place_in_bin(s.eps_bits)];
                change.add(s.cett);
                change.add(-before);
            }
            before = s.cett;
        }
    }
    /// As an observer: takes the intermediate.
    void operator()(const sighting& s) {
        if (s.where == site::intermediate) {
            add(s.values);
        }
    }
    /// Refuses a pass with another number of bins: one that was made for other targets or of another curve.
    void merge(const cett_refinement& other) {
        detail::need("tamis::study::cett_refinement: a pass over %zu bins can not take one over %zu",
                     tables_.size(), other.tables_.size());
        for (std::size_t t = 0; t < tables_.size(); ++t) {
            for (std::size_t place = 0; place < magnitudes_a_bin; ++place) {
                tables_[t][place].merge(other.tables_[t][place]);
            }
        }
        tokens_ += other.tokens_;
    }

    /// How many targets there are.
    std::size_t size() const { return goals_.size(); }

    /// A threshold, and what it incurs.
    struct found {
        /// The threshold.
        float eps;
        double mean; ///< of CETT at eps
    };
    /// For target number i. The largest float where the mean never is beyond the target; NaN when one of the curve's tokens
    /// was not finite. Refuses when this pass saw other tokens than the curve.
    found at(std::size_t i) const {
        detail::need(
            "tamis::study::cett_refinement: the second pass has to see the curve's tokens: %zu, got %zu",
            static_cast<std::size_t>(first_pass_), static_cast<std::size_t>(tokens_));
        const goal g = goals_[i];
        if (not_finite_ != 0) {
            return {not_a_float, not_a_number};
        }
        if (g.bin >= finite_bins) {
            return {(std::numeric_limits<float>::max)(), mean(g.before)};
        }
        const std::vector<exact_total>& changes = tables_[table_of_bin_[g.bin]];
        exact_total before = g.before;
        for (std::size_t place = 0; place < magnitudes_a_bin; ++place) {
            exact_total with = before;
            with.merge(changes[place]);
            if (mean(with) > g.target) {
                const std::size_t bits = g.bin * magnitudes_a_bin + place;
                return {bits == 0 ? 0.0f : std::bit_cast<float>(static_cast<std::uint32_t>(bits - 1)),
                        mean(before)};
            }
            before = with;
        }
        fail(
            "tamis::study::cett_refinement: the second pass has to see the tokens of the first; these differ");
    }
    /// Of the i-th target.
    float threshold(std::size_t i) const { return at(i).eps; }

  private:
    static constexpr std::uint16_t none = 0xffff;
    struct goal {
        double target;
        std::size_t bin;
        exact_total before; // the curve's sum at the bin's beginning
    };

    double mean(const exact_total& sum) const { return sum.sum() / static_cast<double>(tokens_); }

    cett_steps<Down> steps_;
    std::uint64_t first_pass_, not_finite_, tokens_ = 0;
    std::vector<goal> goals_;
    std::vector<std::uint16_t> table_of_bin_;
    std::vector<std::vector<exact_total>> tables_; // of the changes, a bin each
};

} // namespace study

TAMIS_END
