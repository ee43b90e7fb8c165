#pragma once

#include <tamis/any_selector.hpp>
#include <tamis/ffn/policy.hpp>

#include <array>
#include <optional>

TAMIS_BEGIN

/// A policy whose site and rule are known at run time: any of at_input(...) to at_neurons(given{...}), masks_only(...) of
/// them, or {site, selector}.
class any_policy {
  public:
    /// Of a policy whose types are known.
    template <site Where, class S, bool MasksOnly>
        requires(Where != detail::before_sites)
    any_policy(policy<Where, S, MasksOnly> p)
        : where_{Where}, masks_only_{MasksOnly}, selector_{std::move(p.selector_part)} {}
    template <bool MasksOnly>
    any_policy(policy<detail::before_sites, given, MasksOnly> p)
        : where_{detail::before_sites}, masks_only_{MasksOnly}, given_{p.selector_part} {}
    /// A selector at a site; with masks_only it need not save anything.
    any_policy(site where, any_selector s, bool masks_only = false)
        : where_{where}, masks_only_{masks_only}, selector_{std::move(s)} {}

    /// Its site.
    site where() const { return where_; }
    /// Whether it need not save anything.
    bool masks_only() const { return masks_only_; }
    /// One of them is there: masks of at_neurons, or what selects at a site.
    const given* masks() const { return given_ ? &*given_ : nullptr; }
    /// What selects at a site, or null: see masks.
    const any_selector* selector() const { return selector_ ? &*selector_ : nullptr; }

  private:
    site where_;
    bool masks_only_;
    std::optional<any_selector> selector_;
    std::optional<given> given_;
};

namespace detail {

/// The selector of a site where there may be none.
struct site_selector {
    const any_selector* held = nullptr;

    bool is_absent() const { return held == nullptr; }
    void select(std::span<const float> values, mask_span out, workspace w) const {
        held->select(values, out, w);
    }
    void select_row(std::span<const float> values, std::size_t row, mask_span out, workspace w) const {
        held->select_row(values, row, out, w);
    }
    std::size_t selection_bytes(std::size_t n) const {
        return held == nullptr ? 0 : held->selection_bytes(n);
    }
};
/// The same of masks that are known before.
struct neuron_masks {
    const given* held = nullptr;

    bool is_absent() const { return held == nullptr; }
    void give(std::size_t token, mask_span out) const { held->give(token, out); }
    void select(std::span<const float>, mask_span out, workspace) const { held->give(0, out); }
    static std::size_t selection_bytes(std::size_t) { return 0; }
};

/// At most one policy a site, looked up at run time.
class any_policies {
  public:
    /// Refuses a second one at a site.
    void add(const any_policy& p) {
        std::optional<any_policy>& place = at_[index(p.where())];
        if (place) {
            char text[128];
            std::snprintf(text, sizeof text, "tamis::any_ffn: two policies at %s; join two rules by & or |",
                          p.masks() != nullptr ? "the neurons" : name_of(p.where()));
            fail(text);
        }
        place.emplace(p);
    }
    bool has(site where) const { return at_[index(where)].has_value(); }
    bool has_to_skip(site where) const { return has(where) && !at_[index(where)]->masks_only(); }

    site_selector selector(site where) const {
        return {has(where) ? at_[index(where)]->selector() : nullptr};
    }
    neuron_masks masks() const { return {has(before_sites) ? at_[index(before_sites)]->masks() : nullptr}; }

  private:
    static std::size_t index(site where) {
        const auto i = static_cast<std::size_t>(where);
        if (i >= 5) {
            fail_value("tamis::any_policy: there is no site %.0f", static_cast<double>(i));
        }
        return i;
    }
    std::array<std::optional<any_policy>, 5> at_{};
};

} // namespace detail

TAMIS_END
