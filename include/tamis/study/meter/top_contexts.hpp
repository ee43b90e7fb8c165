#pragma once

#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// A token of a sequence, and a neuron's value there.
struct context {
    /// What the neuron was there.
    float value = 0;
    std::uint32_t position = 0; ///< in its sequence, from 0
    /// The number that begin was told.
    std::uint64_t sequence = 0;

    /// Larger magnitudes first, NaN before all; then the earlier sequence, the earlier position; of one token the positive
    /// value. A total order, so that the first few of all contexts do not depend on the order in which they come.
    friend constexpr bool operator<(const context& a, const context& b) {
        if (magnitude_bits(a.value) != magnitude_bits(b.value)) {
            return magnitude_bits(a.value) > magnitude_bits(b.value);
        }
        if (a.sequence != b.sequence) {
            return a.sequence < b.sequence;
        }
        return a.position != b.position
                   ? a.position < b.position
                   : std::bit_cast<std::uint32_t>(a.value) < std::bit_cast<std::uint32_t>(b.value);
    }
    /// To the bit.
    friend constexpr bool operator==(const context& a, const context& b) { return !(a < b) && !(b < a); }

    template <class Archive>
    constexpr void state(Archive& a) {
        a(value, position, sequence);
    }
};

/// What a layer's neurons respond to, for those who interpret them: for each neuron of a site the few contexts with its
/// largest values, in how many tokens it is active, and how much it contributes. Values are those before the site's mask,
/// a neuron's contexts are kept whether or not it is active there; exact zeros are no contexts. Bounded memory: contexts *
/// 16 + 40 bytes a neuron. O(neurons) a token; a new context costs O(contexts), and they become rare.
class top_contexts {
  public:
    /// `norms`: ||W_down[:, i]|| of each neuron (neuron_norms), copied; none: all 1. Refuses another number of norms than of
    /// neurons, and no contexts.
    top_contexts(std::size_t neurons, std::size_t contexts, site where = site::intermediate,
                 std::span<const float> norms = {})
        : neurons_{neurons},
          contexts_{contexts},
          where_{where},
          norms_(norms.begin(), norms.end()),
          best_(neurons * contexts),
          active_(neurons),
          magnitudes_(neurons) {
        if (contexts == 0) {
            fail("tamis::study::top_contexts: at least 1 context a neuron is needed, got 0");
        }
        if (!norms.empty()) {
            detail::need("tamis::study::top_contexts: %zu norms are needed, got %zu", neurons, norms.size());
        }
    }

    /// A sequence begins, or goes on at a position. To find a context again, and to merge meters, each sequence needs a
    /// number of its own: a story's place in the text, not in the thread that runs it.
    void begin(std::uint64_t sequence, std::uint32_t position = 0) {
        sequence_ = sequence;
        position_ = position;
        started_ = true;
    }
    /// The sequence behind the last one, 0 at first: for a single meter that sees all sequences in their order.
    void begin() { begin(started_ ? sequence_ + 1 : 0); }

    /// A token of the site takes the next position. Refuses another number of values than of neurons.
    void operator()(const sighting& s) {
        if (s.where != where_) {
            return;
        }
        detail::need("tamis::study::top_contexts: %zu values are needed, got %zu", neurons_, s.values.size());
        started_ = true;
        ++tokens_;
        for (std::size_t i = 0; i < neurons_; ++i) {
            const float value = s.values[i];
            active_[i] += (s.has_policy ? s.mask[i] : magnitude_bits(value) != 0) ? 1u : 0u;
            if (magnitude_bits(value) != 0) {
                magnitudes_[i].add(widen(std::bit_cast<float>(magnitude_bits(value))));
                take(i, {value, position_, sequence_});
            }
        }
        ++position_;
    }

    /// Refuses a meter of another site, or other numbers of neurons or contexts.
    void merge(const top_contexts& other) {
        detail::need("tamis::study::top_contexts: a meter of %zu neurons can not take one of %zu", neurons_,
                     other.neurons_);
        detail::need("tamis::study::top_contexts: a meter of %zu contexts can not take one of %zu", contexts_,
                     other.contexts_);
        if (where_ != other.where_) {
            fail("tamis::study::top_contexts: a meter of one site can not take one of another");
        }
        tokens_ += other.tokens_;
        for (std::size_t i = 0; i < neurons_; ++i) {
            active_[i] += other.active_[i];
            magnitudes_[i].merge(other.magnitudes_[i]);
            for (const context& c : other.top(i)) {
                take(i, c);
            }
        }
    }

    std::size_t neurons() const { return neurons_; }
    /// The site that it counts.
    site where() const { return where_; }
    /// How many tokens were counted.
    std::uint64_t tokens() const { return tokens_; }

    /// A neuron's contexts, the largest magnitude first: as many as were asked for, or fewer if there are no more.
    std::span<const context> top(std::size_t neuron) const {
        const auto all = std::span{best_}.subspan(neuron * contexts_, contexts_);
        const auto end = std::find_if(all.begin(), all.end(),
                                      [](const context& c) { return magnitude_bits(c.value) == 0; });
        return all.first(static_cast<std::size_t>(end - all.begin()));
    }
    /// The share of tokens where the neuron is active: by the site's mask where it has a policy, else where its value is not
    /// zero. 0 of no tokens.
    double frequency(std::size_t neuron) const {
        return tokens_ == 0 ? 0.0 : static_cast<double>(active_[neuron]) / static_cast<double>(tokens_);
    }
    /// The mean over all tokens of |value|; NaN when one of these is NaN or infinite (not_finite). 0 of no tokens.
    double mean_magnitude(std::size_t neuron) const {
        const exact_total& sum = magnitudes_[neuron];
        return unless_lost(sum.left_out(), tokens_ == 0 ? 0.0 : sum.sum() / static_cast<double>(tokens_));
    }
    /// Tokens whose value the mean can not take.
    std::uint64_t not_finite(std::size_t neuron) const { return magnitudes_[neuron].left_out(); }
    /// CETT's neuron norm, averaged: mean |value| * ||W_down[:, i]||; at the intermediate what masking the neuron costs.
    double contribution(std::size_t neuron) const {
        return mean_magnitude(neuron) * (norms_.empty() ? 1.0 : widen(norms_[neuron]));
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(neurons_), std::as_const(contexts_), std::as_const(where_), tokens_, best_, active_,
          magnitudes_);
    }
    const char* problem() const {
        if (best_.size() != neurons_ * contexts_ || active_.size() != neurons_ ||
            magnitudes_.size() != neurons_) {
            return "top_contexts: not as many contexts, counts and totals as the neurons have";
        }
        for (std::size_t i = 0; i < neurons_; ++i) {
            const auto all = std::span{best_}.subspan(i * contexts_, contexts_);
            const exact_total& sum = magnitudes_[i];
            if (!std::is_sorted(all.begin(), all.end())) {
                return "top_contexts: contexts that are not in their order";
            }
            if (active_[i] > tokens_ || sum.count() > tokens_ || sum.left_out() > tokens_ - sum.count() ||
                top(i).size() > tokens_ || (sum.left_out() == 0 && sum.sum() < 0)) {
                return "top_contexts: a neuron with more tokens than there are, or a negative mass";
            }
        }
        return nullptr;
    }

  private:
    /// Keeps a neuron's contexts sorted; unused ones have a zero value, behind all others.
    void take(std::size_t neuron, const context& c) {
        const auto all = std::span{best_}.subspan(neuron * contexts_, contexts_);
        if (c < all.back()) {
            const auto place = std::upper_bound(all.begin(), all.end(), c);
            std::move_backward(place, all.end() - 1, all.end());
            *place = c;
        }
    }

    std::size_t neurons_, contexts_;
    site where_;
    std::vector<float> norms_;
    std::uint64_t tokens_ = 0;
    std::vector<context> best_;
    std::vector<std::uint64_t> active_;
    std::vector<exact_total> magnitudes_;
    // of the sequence that is under way
    std::uint64_t sequence_ = 0;
    std::uint32_t position_ = 0;
    bool started_ = false;
};

} // namespace study

TAMIS_END
