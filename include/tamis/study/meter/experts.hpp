#pragma once

#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <algorithm>

TAMIS_BEGIN

namespace study {

/// Mixtures of experts [U]: the same meter for each expert of each layer, and how many tokens were routed to each. Masks are
/// made inside each expert's FFN, over the tokens that the router sent there; the router is not touched, and sees no mask.
///
/// An expert's FFN is a layer of its own to plans and hooks: layer_of(layer, expert) is its number there, and a plan of
/// layers x experts such numbers masks all of them. The whole is a layer_observer of these numbers. A shared expert is one
/// expert more, and gets every token.
template <meter M>
class per_expert {
  public:
    /// Refuses layers without experts.
    per_expert(std::size_t layers, std::size_t experts, const M& fresh = M{})
        : experts_{experts}, meters_{layers * experts, fresh}, routed_(layers * experts) {
        if (experts == 0) {
            fail("tamis::study::per_expert: a layer needs at least 1 expert, got 0");
        }
    }

    /// How many layers.
    std::size_t layers() const { return meters_.size() / experts_; }
    /// In each layer.
    std::size_t experts() const { return experts_; }
    /// The number of an expert's FFN among all.
    std::size_t layer_of(std::size_t layer, std::size_t expert) const { return layer * experts_ + expert; }

    void begin() { meters_.begin(); }
    void begin(std::uint64_t sequence) { meters_.begin(sequence); }
    void operator()(std::size_t number, const sighting& s) {
        routed_[number] += s.where == site::input ? 1 : 0; // every FFN shows its input, once a token
        meters_(number, s);
    }
    void operator()(std::size_t layer, std::size_t expert, const sighting& s) {
        (*this)(layer_of(layer, expert), s);
    }

    /// Refuses other numbers of layers or experts.
    void merge(const per_expert& other) {
        detail::need("tamis::study::per_expert: a meter of %zu experts can not take one of %zu", experts_,
                     other.experts_);
        detail::need("tamis::study::per_expert: a meter of %zu layers can not take one of %zu", layers(),
                     other.layers());
        meters_.merge(other.meters_);
        for (std::size_t i = 0; i < routed_.size(); ++i) {
            routed_[i] += other.routed_[i];
        }
    }

    /// An expert's meter.
    M& at(std::size_t layer, std::size_t expert) { return meters_[layer_of(layer, expert)]; }
    /// An expert's meter.
    const M& at(std::size_t layer, std::size_t expert) const { return meters_[layer_of(layer, expert)]; }
    /// One meter of a layer's experts: every token as often as it was routed.
    M merged(std::size_t layer) const {
        M all{at(layer, 0)};
        for (std::size_t expert = 1; expert < experts_; ++expert) {
            all.merge(at(layer, expert));
        }
        return all;
    }

    /// Tokens that were routed to an expert; and over those of all of its layer's experts, 0 of none.
    std::uint64_t routed(std::size_t layer, std::size_t expert) const {
        return routed_[layer_of(layer, expert)];
    }
    /// The share of a layer's tokens that went to it.
    double share_routed(std::size_t layer, std::size_t expert) const {
        const std::uint64_t all = routed(layer);
        return all == 0 ? 0.0 : static_cast<double>(routed(layer, expert)) / static_cast<double>(all);
    }
    /// Tokens times the experts each was routed to.
    std::uint64_t routed(std::size_t layer) const {
        std::uint64_t all = 0;
        for (std::size_t expert = 0; expert < experts_; ++expert) {
            all += routed(layer, expert);
        }
        return all;
    }

    template <class Archive>
    void state(Archive& a) {
        a(std::as_const(experts_), meters_, routed_);
    }
    const char* problem() const {
        return routed_.size() != meters_.size() ? "per_expert: not one count of routed tokens for each expert"
                                                : nullptr;
    }

  private:
    std::size_t experts_;
    per_layer<M> meters_;
    std::vector<std::uint64_t> routed_;
};

} // namespace study

TAMIS_END
