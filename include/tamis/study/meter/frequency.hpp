#pragma once

#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <algorithm>
#include <functional>

TAMIS_BEGIN

namespace study {

/// Activation frequency [S]: for each neuron (or input) of a site with a policy, the tokens where it is active over all
/// tokens. O(active entries) a token, 8 bytes a neuron.
class frequency_meter {
  public:
    /// At a site.
    explicit frequency_meter(site where) : where_{where} {}

    /// Refuses masks of different sizes.
    void operator()(const sighting& s) {
        if (s.where != where_ || !s.has_policy) {
            return;
        }
        fit(s.mask.size());
        ++tokens_;
        s.mask.for_each_active([&](std::size_t i) { ++active_[i]; });
    }
    /// Refuses a meter of another site or number of neurons.
    void merge(const frequency_meter& other) {
        if (other.where_ != where_) {
            fail("tamis::study::frequency_meter: a meter of one site can not take one of another");
        }
        if (other.tokens_ == 0) {
            return;
        }
        fit(other.active_.size());
        tokens_ += other.tokens_;
        for (std::size_t i = 0; i < active_.size(); ++i) {
            active_[i] += other.active_[i];
        }
    }

    /// The site that it counts.
    site where() const { return where_; }
    /// How many tokens were counted.
    std::uint64_t tokens() const { return tokens_; }
    /// For each neuron, the tokens where it was active; empty before the first token.
    std::span<const std::uint64_t> active() const { return active_; }
    /// A neuron's: tokens where it is active over all.
    double frequency(std::size_t neuron) const { return share(active_[neuron]); }
    /// Neurons that were active for no token.
    std::size_t never_active() const {
        return static_cast<std::size_t>(std::count(active_.begin(), active_.end(), std::uint64_t{0}));
    }
    /// The frequencies of all neurons, descending: its shape hardly changes with a model's scale [S].
    std::vector<double> sorted() const {
        std::vector<std::uint64_t> counts = active_;
        std::sort(counts.begin(), counts.end(), std::greater<>{});
        std::vector<double> curve(counts.size());
        std::transform(counts.begin(), counts.end(), curve.begin(),
                       [&](std::uint64_t count) { return share(count); });
        return curve;
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(where_), tokens_, active_);
    }
    const char* problem() const {
        const auto beyond = [&](std::uint64_t count) { return count > tokens_; };
        return tokens_ == 0 && !active_.empty() ? "frequency_meter: neurons of no tokens"
               : std::any_of(active_.begin(), active_.end(), beyond)
                   ? "frequency_meter: a neuron that is active for more tokens than there are"
                   : nullptr;
    }

  private:
    void fit(std::size_t n) {
        if (tokens_ == 0) {
            active_.assign(n, 0);
        }
        detail::need("tamis::study::frequency_meter: masks over %zu entries are needed, got one over %zu",
                     active_.size(), n);
    }
    double share(std::uint64_t count) const {
        return static_cast<double>(count) / static_cast<double>(tokens_);
    }

    site where_;
    std::uint64_t tokens_ = 0;
    std::vector<std::uint64_t> active_;
};

} // namespace study

TAMIS_END
