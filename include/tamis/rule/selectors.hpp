#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/mask/set_operations.hpp>
#include <tamis/rule/selects.hpp>

#include <algorithm>

TAMIS_BEGIN

// Selectors made of selectors, where the parts have scores of their own: masks are combined, not cuts.

namespace detail {

template <class A, class B>
concept selectors_not_both_rules = selector<A> && selector<B> && !(rule<A> && rule<B>);

/// Runs two selectors and joins their masks.
template <class A, class B, class Join>
class joined : public selects<joined<A, B, Join>> {
  public:
    constexpr joined(A a, B b) : a_{std::move(a)}, b_{std::move(b)} {}

    template <class View>
    void select(View values, mask_span out, workspace w) const {
        select_row(values, 0, out, w);
    }
    template <class View>
    void select_row(View values, std::size_t row, mask_span out, workspace w) const {
        const mask_span other{w.take<std::uint64_t>(mask_words(out.size())), out.size()};
        tamis::select_row(a_, values, row, out, w);
        tamis::select_row(b_, values, row, other, w);
        Join::join(out, other, out);
    }
    constexpr std::size_t selection_bytes(std::size_t n) const {
        return workspace_bytes_of<std::uint64_t>(mask_words(n)) +
               (std::max)(tamis::selection_bytes(a_, n), tamis::selection_bytes(b_, n));
    }

  private:
    A a_;
    B b_;
};

struct join_both {
    static constexpr void join(mask_view a, mask_view b, mask_span out) { intersect(a, b, out); }
};
struct join_either {
    static constexpr void join(mask_view a, mask_view b, mask_span out) { unite(a, b, out); }
};

} // namespace detail

template <selector A, selector B>
using both_of = detail::joined<A, B, detail::join_both>;
template <selector A, selector B>
using either_of = detail::joined<A, B, detail::join_either>;

/// Active under both, or under either, each with its own score.
template <class A, class B>
    requires detail::selectors_not_both_rules<A, B>
constexpr both_of<A, B> operator&(A a, B b) {
    return {std::move(a), std::move(b)};
}
template <class A, class B>
    requires detail::selectors_not_both_rules<A, B>
constexpr either_of<A, B> operator|(A a, B b) {
    return {std::move(a), std::move(b)};
}

/// A selector beside a fixed set of entries that are always active, zeros among them too: neurons that are known
/// to matter, channels with massive activations. The set is borrowed and has the values' size, which is checked.
template <selector S>
class always_active : public selects<always_active<S>> {
  public:
    /// A set that is borrowed, and what selects the rest.
    constexpr always_active(mask_view set TAMIS_LIFETIMEBOUND, S selector)
        : set_{set}, selector_{std::move(selector)} {}
    always_active(const mask&&, S) = delete; // tamis: the set is borrowed: give the mask a name

    template <class View>
    void select(View values, mask_span out, workspace w) const {
        select_row(values, 0, out, w);
    }
    template <class View>
    void select_row(View values, std::size_t row, mask_span out, workspace w) const {
        tamis::select_row(selector_, values, row, out, w);
        unite(out, set_, out);
    }
    constexpr std::size_t selection_bytes(std::size_t n) const {
        return tamis::selection_bytes(selector_, n);
    }

  private:
    mask_view set_;
    S selector_;
};

TAMIS_END
