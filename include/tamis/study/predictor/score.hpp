#pragma once

#include <tamis/mask/set_operations.hpp>
#include <tamis/study/exact_total.hpp>

TAMIS_BEGIN

namespace study {

/// How good predictions are: counts of predicted and true masks, and of the mass they keep. It merges like a meter: in
/// any order, to the same result. O(d) a token.
class prediction_score {
  public:
    /// One token. `values` are what the mass is of (the dense intermediate, say), d of them or none. Refuses sizes that
    /// differ. With values that exact_total can not sum (NaN, infinity) there is no mass, and no recall by it.
    void add(mask_view predicted, mask_view truth, std::span<const float> values = {}) {
        detail::need(
            "tamis::study::prediction_score: the predicted mask has %zu entries, the true "
            "one %zu",
            predicted.size(), truth.size());
        ++tokens_;
        neurons_ += predicted.size();
        predicted_ += predicted.count();
        active_ += truth.count();
        for (std::size_t k = 0; k < predicted.words().size(); ++k) {
            both_ += detail::bits_set(predicted.words()[k] & truth.words()[k]);
        }
        if (!values.empty()) {
            detail::need("tamis::study::prediction_score: %zu values are needed, got %zu", predicted.size(),
                         values.size());
            for (std::size_t i = 0; i < values.size(); ++i) {
                const double mass = std::bit_cast<double>(magnitude_bits(widen(values[i])));
                mass_.add(mass);
                if (predicted[i]) {
                    kept_.add(mass);
                }
            }
        }
    }
    void merge(const prediction_score& other) {
        tokens_ += other.tokens_;
        neurons_ += other.neurons_;
        predicted_ += other.predicted_;
        active_ += other.active_;
        both_ += other.both_;
        mass_.merge(other.mass_);
        kept_.merge(other.kept_);
    }

    /// How many tokens were counted.
    std::uint64_t tokens() const { return tokens_; }
    /// Of the neurons that are active, the share that was predicted; 1 when none is.
    double recall() const { return share(both_, active_, 1.0); }
    /// Of the neurons that were predicted, the share that is active; 1 when none was.
    double precision() const { return share(both_, predicted_, 1.0); }
    /// Shares of all neurons; 0 of none.
    double predicted_share() const { return share(predicted_, neurons_, 0.0); }
    /// The share that was predicted to be active.
    double active_share() const { return share(active_, neurons_, 0.0); }
    /// The recall by mass: sum of |value| over the predicted neurons, over that of all; 1 when there is no mass, NaN when
    /// a value was not finite.
    double weighted_recall() const {
        const double all = mass_.sum();
        return unless_lost(left_out(), all > 0 ? kept_.sum() / all : 1.0);
    }
    /// Values that no mass can hold.
    std::uint64_t left_out() const { return mass_.left_out(); }

    /// See study/state.hpp.
    template <class Archive>
    void state(Archive& a) {
        a(tokens_, neurons_, predicted_, active_, both_, mass_, kept_);
    }
    const char* problem() const {
        return predicted_ > neurons_ || active_ > neurons_
                   ? "prediction_score: more active neurons than neurons"
               : both_ > predicted_ || both_ > active_ ? "prediction_score: more in both masks than in one"
               : kept_.count() > mass_.count() || kept_.left_out() > mass_.left_out() ||
                       mass_.count() > neurons_ || mass_.left_out() > neurons_
                   ? "prediction_score: more values kept than there are, or more values than neurons"
               : left_out() == 0 && (kept_.sum() < 0 || kept_.sum() > mass_.sum())
                   ? "prediction_score: more mass kept than there is"
                   : nullptr;
    }
    friend bool operator==(const prediction_score&, const prediction_score&) = default;

  private:
    static double share(std::uint64_t part, std::uint64_t all, double of_nothing) {
        return all == 0 ? of_nothing : static_cast<double>(part) / static_cast<double>(all);
    }

    std::uint64_t tokens_ = 0, neurons_ = 0, predicted_ = 0, active_ = 0, both_ = 0;
    exact_total mass_, kept_;
};

} // namespace study

TAMIS_END
