#pragma once

#include <tamis/detail/soft_double.hpp>
#include <tamis/study/calibrate/cett_steps.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>

TAMIS_BEGIN

namespace study {

// CETT's calibration [S]: per layer the threshold eps at which the mean over tokens of CETT is the target. One pass over
// the tokens (cett_curve) says it for every target to within 2^-8 of eps; a second one (cett_refinement) to the float.
//
//     cett_curve curve{down, norms};
//     curve.add(intermediate);  ...  curve.merge(other_threads);
//     const float eps = curve.threshold_for(0.1).within;             // a threshold that can be used
//     cett_refinement pass{curve, std::array{0.1}};
//     pass.add(intermediate);  ...                                   // the same tokens
//     const float exact = pass.threshold(0);                         // tamis::cett(norms, exact)

/// The threshold for a target, to within a bin of magnitude_bins.hpp. `within` is the last float of the bin before the
/// first whose end is beyond the target (0 when there is none before), `beyond` the end of that bin; the means of CETT at
/// both. When a token was not finite all four are NaN. When no end is beyond the target, `within` is the largest float and `beyond` is infinite.
struct cett_bracket {
    /// The thresholds on both sides of the target.
    float within, beyond;
    /// The mean CETT at each.
    double mean_within, mean_beyond;
};

/// The mean over tokens of CETT as a function of eps, at the end of each bin: one pass, any order, any parts. Tokens whose
/// output is zero have no CETT and are left out. Those that are not finite have one that is not known: they are counted, and
/// what the curve says is NaN then. Means are sums over tokens of CETT cut to 2^-64, exact from there on
/// (exact_total), so parts that are merged in any order say the same to the last bit. Also a meter, of the intermediate.
/// Cost a token: see cett_steps. 2 MiB.
template <class Down>
class cett_curve {
  public:
    /// W_down and its neuron_norms, both borrowed. Refuses another number of norms.
    cett_curve(const Down& down, detail::kept_span<float> norms)
        : steps_{down, norms}, changes_(magnitude_bins) {}

    /// A token. Refuses another number of entries than there are neurons.
    void add(std::span<const float> intermediate) {
        const auto token = steps_.walk(intermediate, [](std::uint32_t eps_bits, std::uint32_t next) {
            return bin_of(eps_bits) != bin_of(next); // what happens inside a bin is not seen at its end
        });
        ++(token.defined ? tokens_ : token.finite ? left_out_ : not_finite_);
        double before = 0;
        for (const auto& s : token.steps) {
            changes_[bin_of(s.eps_bits)].add(s.cett);
            changes_[bin_of(s.eps_bits)].add(-before); // two terms: a difference would be rounded
            before = s.cett;
        }
    }
    /// As an observer: takes the intermediate.
    void operator()(const sighting& s) {
        if (s.where == site::intermediate) {
            add(s.values);
        }
    }
    /// Refuses a curve over another number of neurons.
    void merge(const cett_curve& other) {
        detail::need("tamis::study::cett_curve: a curve over %zu neurons can not take one over %zu",
                     steps_.neurons(), other.steps_.neurons());
        for (std::size_t bin = 0; bin < magnitude_bins; ++bin) {
            changes_[bin].merge(other.changes_[bin]);
        }
        tokens_ += other.tokens_;
        left_out_ += other.left_out_;
        not_finite_ += other.not_finite_;
    }

    /// Tokens in the means; those whose output is zero; those with NaN or infinity.
    std::uint64_t tokens() const { return tokens_; }
    /// Tokens without output.
    std::uint64_t left_out() const { return left_out_; }
    /// Tokens with values that are not finite: figures are NaN then.
    std::uint64_t not_finite() const { return not_finite_; }
    /// What walks a token.
    const cett_steps<Down>& steps() const { return steps_; }

    /// The mean over tokens of CETT at the last end of a bin that is not above eps; 0 before the first. Refuses a
    /// negative or NaN eps, and a curve without tokens.
    double mean_at(double eps) const {
        need_tokens();
        if (!detail::is_between(eps, 0.0, detail::infinite_double)) {
            fail_value("tamis::study::cett_curve: eps must be >= 0, got %.12g", eps);
        }
        exact_total sum;
        for (std::size_t bin = 0; bin < finite_bins && widen(last_of_bin(bin)) <= eps; ++bin) {
            sum.merge(changes_[bin]);
        }
        return mean(sum);
    }

    /// The threshold for a target, of the first crossing: CETT is not monotone in eps. Refuses a target outside [0, 1], and
    /// a curve without tokens. Any number of targets may be asked for; each takes one pass over the bins.
    cett_bracket threshold_for(double target) const {
        const crossing c = crossing_of(target);
        if (not_finite_ != 0) {
            return {not_a_float, not_a_float, not_a_number, not_a_number};
        }
        cett_bracket b{c.bin == 0 ? 0.0f : last_of_bin(c.bin - 1),
                       detail::bits_as<float>(infinity_bits<float>), mean(c.before), mean(c.before)};
        if (c.bin < finite_bins) {
            exact_total with = c.before;
            with.merge(changes_[c.bin]);
            b.beyond = last_of_bin(c.bin);
            b.mean_beyond = mean(with);
        }
        return b;
    }

    /// The first bin at whose end the mean is beyond the target, or finite_bins; and the sum of CETT at its beginning.
    struct crossing {
        std::size_t bin;    ///< finite_bins: none is
        exact_total before; ///< of all bins before it
    };
    /// Where a target is crossed. Refuses a target outside [0, 1], and a curve without tokens.
    crossing crossing_of(double target) const {
        need_tokens();
        if (!detail::is_between(target, 0.0, 1.0)) {
            fail_value("tamis::study::cett_curve: the target must be in [0, 1], got %.12g", target);
        }
        crossing c{0, {}};
        for (exact_total with; c.bin < finite_bins; ++c.bin) {
            with.merge(changes_[c.bin]);
            if (with.sum() / static_cast<double>(tokens_) > target) {
                break;
            }
            c.before = with;
        }
        return c;
    }

  private:
    double mean(const exact_total& sum) const {
        return unless_lost(not_finite_, sum.sum() / static_cast<double>(tokens_));
    }
    void need_tokens() const {
        if (tokens_ == 0 && not_finite_ == 0) {
            fail("tamis::study::cett_curve: no token with an output has been added; add some first");
        }
    }

    cett_steps<Down> steps_;
    std::vector<exact_total> changes_; // of the sum over tokens of CETT, in each bin
    std::uint64_t tokens_ = 0, left_out_ = 0, not_finite_ = 0;
};

/// Every layer's threshold for one target: what CETT-PPL asks for again and again.
template <class Down>
std::vector<double> cett_thresholds(const per_layer<cett_curve<Down>>& curves, double target) {
    std::vector<double> thresholds;
    for (std::size_t layer = 0; layer < curves.size(); ++layer) {
        thresholds.push_back(widen(curves[layer].threshold_for(target).within));
    }
    return thresholds;
}

} // namespace study

TAMIS_END
