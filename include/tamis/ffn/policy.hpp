#pragma once

#include <tamis/ffn/site.hpp>
#include <tamis/select.hpp>

#include <utility>

TAMIS_BEGIN

/// A rule or selector at a site: at_input(top_p{0.9}). An FFN takes at most one a site, in any order.
template <site Where, class Selector>
struct policy {
    static_assert(detail::explain_rule<Selector>());
    static_assert(selector<Selector>, "tamis: a policy needs a rule or a selector; see tamis/rule/rule.hpp");

    static constexpr site where = Where;
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

/// The policies of an FFN, looked up by site at compile time; an absent site takes no memory and no time.
template <class... Policies>
class policy_set;

template <>
class policy_set<> {
  public:
    template <site Where>
    static constexpr bool has = false;

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

TAMIS_END
