#pragma once

#include <tamis/detail/hardened.hpp>
#include <tamis/detail/memory.hpp>
#include <tamis/rule/rule.hpp>
#include <tamis/score/magnitude.hpp>
#include <tamis/write_active.hpp>

TAMIS_BEGIN

// From values to a mask: score, rule, cut, mask. A selector is anything that makes a mask over values; a rule is
// one by itself, with the score |v|.

/// A class with
///     void select(View values, tamis::mask_span out, tamis::workspace) const;   // writes all of out
///     std::size_t selection_bytes(std::size_t n) const;                         // the workspace for n values
/// where View is std::span<const T> or tamis::strided<const T>, as its author chooses.
/// Models: scored (a score with a rule), both_of, either_of, always_active, given, grouped, channel_thresholds, cett_exact.
/// One that has something for each row of a block (given, with a mask a token) also has
///     void select_row(View values, std::size_t row, tamis::mask_span out, tamis::workspace) const;
template <class S, class View = std::span<const float>>
concept own_selector = requires(const S& s, View v, mask_span out, workspace w, std::size_t n) {
    s.select(v, out, w);
    { s.selection_bytes(n) } -> std::convertible_to<std::size_t>;
};

template <class S>
concept selector = rule<S> || own_selector<S> || own_selector<S, std::span<const double>>;

namespace detail {

/// Asked with floats, which every selector for an FFN takes.
template <class S>
concept selects_rows = requires(const S& s, std::span<const float> v, std::size_t row, mask_span out,
                                workspace w) { s.select_row(v, row, out, w); };

/// With TAMIS_HARDENED: refuses values, a mask and a workspace that share memory.
template <class View>
void need_selection_apart(const View& values, mask_span out, const workspace& w) {
    const byte_rows words{out.words().data(), 1, out.words().size_bytes(), out.words().size_bytes()};
    const std::span<const std::byte> memory = w.memory_left();
    bool apart = !overlap(words, memory.data(), memory.size());
    if constexpr (requires { values.data(); }) {
        apart = apart && !overlap(words, values.data(), values.size() * sizeof(values[0])) &&
                !overlap(byte_rows{values.data(), 1, values.size() * sizeof(values[0]), 0}, memory.data(),
                         memory.size());
    }
    if (!apart) {
        fail("tamis::select: the values, the mask and the workspace overlap: give each memory of its own");
    }
}

inline void need_mask_over(std::size_t n, mask_span out) {
    need("tamis::select: a mask over %zu entries is needed, got one over %zu", n, out.size());
}

template <class View>
using const_view = std::conditional_t<requires(View v) { v.data(); },
                                      std::span<const std::remove_cv_t<view_element<View>>>, View>;

/// Calls f(cut, scores) with what a rule says of the values' scores.
template <class Score, class Rule, class View, class F>
auto with_cut(const Score& score, const Rule& rule, const View& values, workspace w, F&& f) {
    using value_real = real_of<view_element<View>>;
    static_assert(score_for<Score, value_real>, "tamis: this score does not take values of this type");
    using real = score_real<Score, value_real>;
    static_assert(
        rule_for<Rule, real>,
        "tamis: this rule has no cut_of for these scores: float for magnitudes of float, half and small "
        "integers, double for values of double and for the computed scores (power, weighted, centred)");
    std::span<const real> magnitudes;
    if constexpr (std::is_same_v<Score, magnitude> && std::is_convertible_v<View, std::span<const real>>) {
        magnitudes = values; // no copy: the searches ignore signs
    } else {
        const auto scored = w.take<real>(values.size());
        score_into(score, values, scored);
        magnitudes = scored;
    }
    const scores<real> s{magnitudes};
    return f(tamis::cut_of(rule, s, w), s);
}

template <class Score, class Rule, class View>
void select_scored(const Score& score, const Rule& rule, const View& values, mask_span out, workspace w) {
    with_cut(score, rule, values, w, [&](auto cut, auto scores) { write_mask(cut, scores, out); });
}

} // namespace detail

/// Writes the mask of `values` by a rule or selector into `out`; allocates nothing. `out` has the values' size;
/// the workspace has selection_bytes(s, n). Time and ties are the rule's.
template <class S, class V>
void select(const S& s, V&& v, mask_span out, workspace w) {
    static_assert(detail::explain_rule<S>());
    static_assert(selector<S>,
                  "tamis: this is neither a rule (a const member cut_of(tamis::scores<Real>) that returns "
                  "tamis::cut<Real>) nor a selector (const members select(values, mask_span, workspace) and "
                  "selection_bytes(n)); see tamis/rule/rule.hpp and tamis/select.hpp");
    const auto view = detail::unseen(view_of(v));
    detail::need_mask_over(view.size(), out);
    if constexpr (detail::hardened) {
        detail::need_selection_apart(view, out, w);
    }
    if constexpr (rule<S>) {
        detail::select_scored(magnitude{}, s, view, out, w);
    } else {
        s.select(detail::const_view<std::remove_const_t<decltype(view)>>{view}, out, w);
    }
}

/// The same for a row of a block, or a token: a selector that has something for each is told which it is, the others take
/// them all alike.
template <class S, class V>
void select_row(const S& s, V&& v, std::size_t row, mask_span out, workspace w) {
    if constexpr (detail::selects_rows<S>) {
        const auto view = detail::unseen(view_of(v));
        detail::need_mask_over(view.size(), out);
        if constexpr (detail::hardened) {
            detail::need_selection_apart(view, out, w);
        }
        s.select_row(detail::const_view<std::remove_const_t<decltype(view)>>{view}, row, out, w);
    } else {
        select(s, v, out, w);
    }
}

/// Bytes of workspace that select needs for n values: at most 8 n for the scores and what the rule asks.
template <selector S>
constexpr std::size_t selection_bytes(const S& s, std::size_t n) {
    if constexpr (rule<S>) {
        return workspace_bytes_of<std::uint64_t>(n) + rule_workspace_bytes(s, n);
    } else {
        return s.selection_bytes(n);
    }
}

/// The mask of `values` as an owning object: allocates it and the workspace.
template <class S, class V>
mask select(const S& s, V&& v) {
    mask result{view_of(v).size()};
    if constexpr (selector<S>) {
        owned_workspace memory{selection_bytes(s, result.size())};
        select(s, v, result.span(), memory);
    } else {
        select(s, v, result.span(), workspace{}); // says what S lacks
    }
    return result;
}

TAMIS_END
