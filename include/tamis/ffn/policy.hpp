#pragma once

#include <tamis/ffn/gating.hpp>
#include <tamis/ffn/site.hpp>
#include <tamis/rule/given.hpp>
#include <tamis/select.hpp>

#include <utility>

TAMIS_BEGIN

/// A rule or selector at a site: at_input(top_p{0.9}). An FFN takes at most one a site, in any order. One that leaves
/// nothing unread in the layouts that the weights have is refused, unless it is for masks alone (masks_only).
template <site Where, class Selector, bool MasksOnly = false>
struct policy {
    static_assert(detail::explain_rule<Selector>());
    static_assert(selector<Selector>, "tamis: a policy needs a rule or a selector; see tamis/rule/rule.hpp");

    /// Its site.
    static constexpr site where = Where;
    /// Whether it need not save anything.
    static constexpr bool masks_only = MasksOnly;
    /// Its selector.
    Selector selector_part;
};

template <class S>
constexpr policy<site::input, S> at_input(S selector) {
    return {std::move(selector)};
}
template <class S>
constexpr policy<site::gate, S> at_gate(S selector) {
    return {std::move(selector)};
}
template <class S>
constexpr policy<site::up, S> at_up(S selector) {
    return {std::move(selector)};
}
template <class S>
constexpr policy<site::intermediate, S> at_intermediate(S selector) {
    return {std::move(selector)};
}

namespace detail {

/// The place of a policy over the neurons that is known before the FFN begins: no site, since it has no values.
inline constexpr auto before_sites = static_cast<site>(4);

template <class S>
constexpr bool explain_given() {
    static_assert(
        gives_masks<S>,
        "tamis: at_neurons takes masks that are known before the FFN begins: given{mask}, or a class "
        "with `void give(std::size_t token, tamis::mask_span out) const`; a rule needs values: "
        "at_gate, at_up or at_intermediate");
    return gives_masks<S>;
}

} // namespace detail

/// Masks over the neurons that were made elsewhere (a predictor, a router, the last token): at_neurons(given{mask}). What
/// they leave out is computed nowhere: its rows of W_gate, W_up and W_down alike stay unread where they are neuron_major, and
/// a NaN that it would have is never seen. Policies at the sites choose among what it leaves, whatever they are: none makes
/// active what it left out. It has no values and so is not shown to observers, who see zeros in its place.
template <class S>
constexpr policy<detail::before_sites, S> at_neurons(S masks) {
    static_assert(detail::explain_given<S>());
    return {std::move(masks)};
}

/// A policy whose masks are wanted (to be seen by an observer, or for what they do to y) whether or not they leave weights
/// unread: masks_only(at_intermediate(top_p{0.9})). `pack` makes no layout for it.
template <site Where, class S, bool Already>
constexpr policy<Where, S, true> masks_only(policy<Where, S, Already> of) {
    return {std::move(of.selector_part)};
}

namespace detail {

template <class P>
inline constexpr bool is_policy = false;
template <site Where, class S, bool MasksOnly>
inline constexpr bool is_policy<policy<Where, S, MasksOnly>> = true;

/// An FFN without an activation.
struct no_activation {};

/// One sentence for what is no activation.
template <class A>
constexpr bool explain_activation() {
    static_assert(
        !is_policy<A> && !std::is_same_v<A, no_activation>,
        "tamis: an FFN takes an activation before its policies: glu_ffn{weights, silu{}, policies...}");
    static_assert(gating<A> || is_policy<A> || std::is_same_v<A, no_activation>,
                  "tamis: an activation is callable as `float sigma(float) const` (and a gating as "
                  "tamis/ffn/gating.hpp says)");
    return gating<A> && explain_gating<A>();
}
/// One sentence for what is no policy.
template <class... Policies>
constexpr bool explain_policies() {
    static_assert(
        (is_policy<Policies> && ...),
        "tamis: an FFN's policies say at which site a rule is: at_input(top_p{0.9}), at_gate, at_up, "
        "at_intermediate or at_neurons");
    return (is_policy<Policies> && ...);
}

} // namespace detail

/// The policies of an FFN, looked up by site at compile time; an absent site takes no memory and no time.
template <class... Policies>
class policy_set;

template <>
class policy_set<> {
  public:
    template <site Where>
    static constexpr bool has = false;
    template <site Where>
    static constexpr bool has_to_skip = false;

    static constexpr std::size_t selection_bytes(site, std::size_t) { return 0; }
};

template <class First, class... Rest>
class policy_set<First, Rest...> : public policy_set<Rest...> {
    using rest = policy_set<Rest...>;
    static_assert(!rest::template has<First::where>,
                  "tamis: an FFN takes one policy a site; join two rules by & or |");

  public:
    constexpr explicit policy_set(First first, Rest... others)
        : rest{std::move(others)...}, first_{std::move(first)} {}

    template <site Where>
    static constexpr bool has = First::where == Where || rest::template has<Where>;
    /// Whether there is one that is not for masks alone.
    template <site Where>
    static constexpr bool has_to_skip =
        (First::where == Where && !First::masks_only) || rest::template has_to_skip<Where>;

    /// The rule or selector at a site that has one.
    template <site Where>
    constexpr const auto& at() const {
        if constexpr (First::where == Where) {
            return first_.selector_part;
        } else {
            return rest::template at<Where>();
        }
    }

    /// Bytes of workspace that the site's mask over n values takes to be made; 0 without a policy.
    constexpr std::size_t selection_bytes(site where, std::size_t n) const {
        return where == First::where ? tamis::selection_bytes(first_.selector_part, n)
                                     : rest::selection_bytes(where, n);
    }

  private:
    First first_;
};

namespace detail {

/// Behind arguments that were refused with a sentence: nothing more to say.
struct no_policies : policy_set<> {
    template <class... Refused>
    constexpr explicit no_policies(Refused&&...) {}
};
template <bool Right, class... Policies>
struct checked_policies {
    using type = policy_set<Policies...>;
};
template <class... Policies>
struct checked_policies<false, Policies...> {
    using type = no_policies;
};

} // namespace detail

TAMIS_END
