#pragma once

#include <tamis/mask/set_operations.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/meter.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/round.hpp>
#include <tamis/study/state.hpp>

#include <array>

TAMIS_BEGIN

namespace study {

/// What rounding did to one site's masks, over all tokens seen.
struct mask_drift {
    /// How many were counted.
    std::uint64_t tokens = 0;
    /// Over all tokens: entries; values that are not zero but are rounded to it; active entries of the masks over the values,
    /// over the rounded values, and over both.
    std::uint64_t entries = 0, flushed = 0, active_before = 0, active_after = 0, active_both = 0;
    /// Finite values that the rounding made infinite, and those beyond the format's largest number that became it. Masks are
    /// what they are then: an infinity is all of the mass.
    std::uint64_t overflowed = 0, saturated = 0;
    /// Tokens of which a value was NaN or infinite before it was rounded. Their masks are masks all the same (a NaN is
    /// active, an infinity all of the mass) and no token is left out, but they are masks of a model that has overflowed.
    std::uint64_t not_finite = 0;
    /// Of each token's two masks.
    exact_total jaccard;

    /// 1 while no token was seen.
    double mean_jaccard() const { return tokens == 0 ? 1.0 : jaccard.mean(); }
    /// Mask sparsity, pooled over tokens; 0 of nothing.
    double sparsity_before() const { return sparsity(active_before); }
    /// Of the masks behind the rounding.
    double sparsity_after() const { return sparsity(active_after); }
    /// After the rounding less before it.
    double sparsity_change() const { return sparsity_after() - sparsity_before(); }

    void merge(const mask_drift& other) {
        tokens += other.tokens;
        entries += other.entries;
        flushed += other.flushed;
        overflowed += other.overflowed;
        saturated += other.saturated;
        not_finite += other.not_finite;
        active_before += other.active_before;
        active_after += other.active_after;
        active_both += other.active_both;
        jaccard.merge(other.jaccard);
    }
    template <class Archive>
    void state(Archive& a) {
        a(tokens, entries, flushed, active_before, active_after, active_both, overflowed, saturated,
          not_finite, jaccard);
    }
    const char* problem() const {
        return tokens == 0 && entries != 0 ? "mask_drift: entries of no tokens"
               : flushed > entries || active_before > entries || active_after > entries
                   ? "mask_drift: more flushed or active entries than entries"
               : overflowed > entries || saturated > entries || not_finite > tokens
                   ? "mask_drift: more values that overflowed or saturated than there are"
               : active_both > active_before || active_both > active_after
                   ? "mask_drift: more active in both masks than in one"
               : jaccard.count() != tokens || jaccard.left_out() != 0 || !jaccard.can_be_of_shares()
                   ? "mask_drift: the Jaccard indices are not one in [0, 1] for each token"
                   : nullptr;
    }
    friend bool operator==(const mask_drift&, const mask_drift&) = default;

  private:
    double sparsity(std::uint64_t active) const {
        return entries == 0 ? 0.0 : static_cast<double>(entries - active) / static_cast<double>(entries);
    }
};

/// How far masks move when values are rounded to a smaller number format: for each token the plan's mask over the values and
/// over the rounded ones are compared, and nothing is changed. As the only hook of a run it sees dense values, in front of a
/// masker what masks at earlier sites and layers left; as a layer_observer it sees what the observed masker sees. A guard against massive activations, another p: another plan,
/// and a precision_drift of its own, chained. The plan is borrowed. Two masks a token; one object serves one thread, and
/// allocates when a site is wider than those before.
template <rounding R>
class precision_drift {
  public:
    /// The plan is borrowed.
    explicit precision_drift(const plan& p, R rounding = {})
        : plan_{&p}, rounding_{std::move(rounding)}, at_(p.layers()) {}

    void operator()(std::size_t layer, site where, block<const float> values) {
        for (std::size_t token = 0; token < values.rows(); ++token) {
            see(layer, where, values.row(token));
        }
    }
    void operator()(std::size_t layer, const sighting& s) { see(layer, s.where, s.values); }

    /// Refuses the drift of a plan with another number of layers. Both are taken to have one plan and one rounding.
    void merge(const precision_drift& other) {
        detail::need("tamis::study::precision_drift: one of %zu layers can not take one of %zu", layers(),
                     other.layers());
        for (std::size_t layer = 0; layer < layers(); ++layer) {
            for (const site where : all_sites) {
                slot(layer, where).merge(other.at(layer, where));
            }
        }
    }

    /// How many layers.
    std::size_t layers() const { return at_.size(); }
    /// The format's name.
    const char* name() const { return rounding_.name; }
    /// Without tokens where the plan masks nothing.
    const mask_drift& at(std::size_t layer, site where) const {
        return at_[layer][static_cast<std::size_t>(where)];
    }
    /// A site in all layers together.
    mask_drift at(site where) const {
        mask_drift all;
        for (std::size_t layer = 0; layer < layers(); ++layer) {
            all.merge(at(layer, where));
        }
        return all;
    }

    template <class Archive>
    void state(Archive& a) {
        const std::size_t count = layers();
        a(count);
        for (auto& layer : at_) {
            a(layer);
        }
    }

  private:
    mask_drift& slot(std::size_t layer, site where) { return at_[layer][static_cast<std::size_t>(where)]; }

    void see(std::size_t layer, site where, std::span<const float> values) {
        const any_selector* const chosen = plan_->at(layer, where);
        if (chosen == nullptr) {
            return;
        }
        fit(*chosen, values.size());
        mask_drift& d = slot(layer, where);
        const auto rounded = std::span{rounded_}.first(values.size());
        std::copy(values.begin(), values.end(), rounded.begin());
        round_all(rounding_, rounded);
        rounding_losses losses;
        losses.add(values, rounded, largest_of(rounding_));
        d.flushed += losses.flushed;
        d.overflowed += losses.overflowed;
        d.saturated += losses.saturated;
        d.not_finite += count_not_finite(values) != 0 ? 1u : 0u;
        const workspace w{scratch_};
        chosen->select(values, before_.span(), w);
        chosen->select(rounded, after_.span(), w);
        d.jaccard.add(jaccard(before_, after_));
        ++d.tokens;
        d.entries += values.size();
        d.active_before += before_.count();
        d.active_after += after_.count();
        intersect(before_, after_, after_.span());
        d.active_both += after_.count();
    }

    void fit(const any_selector& chosen, std::size_t n) {
        if (before_.size() != n) {
            before_ = mask{n};
            after_ = mask{n};
        }
        rounded_.resize((std::max)(rounded_.size(), n));
        scratch_.resize((std::max)(scratch_.size(), chosen.selection_bytes(n) + workspace_alignment));
    }

    const plan* plan_;
    [[no_unique_address]] R rounding_;
    std::vector<std::array<mask_drift, all_sites.size()>> at_;
    mask before_, after_;
    std::vector<float> rounded_;
    std::vector<std::byte> scratch_;
};

} // namespace study

TAMIS_END
