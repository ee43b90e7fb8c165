#pragma once

#include <tamis/mask/apply.hpp>
#include <tamis/select.hpp>

TAMIS_BEGIN

// From values straight to what a kernel wants: the indices of the active ones, (index, value) entries, or the values
// with zeros in the place of the rest. For a rule, or a score with a rule, without a mask between; other selectors
// make one in the workspace.

namespace detail {

/// Calls of_cut(cut, scores) for what has one cut, else of_mask(mask).
template <class S, class View, class OfCut, class OfMask>
auto select_into(const S& s, const View& values, workspace w, OfCut&& of_cut, OfMask&& of_mask) {
    if constexpr (rule<S>) {
        return with_cut(magnitude{}, s, values, w, of_cut);
    } else if constexpr (requires { with_cut(s.score_part(), s.rule_part(), values, w, of_cut); }) {
        return with_cut(s.score_part(), s.rule_part(), values, w, of_cut);
    } else {
        const mask_span mask{w.take<std::uint64_t>(mask_words(values.size())), values.size()};
        tamis::select(s, values, mask, w);
        return of_mask(mask_view{mask});
    }
}

inline void need_room(std::size_t wanted, std::size_t room) {
    need_indices_for(wanted);
    if (room < wanted) {
        fail_sizes("tamis: needs room for all %zu entries, which may be active, got %zu", wanted, room);
    }
}

} // namespace detail

/// Bytes of workspace that the calls below need for n values.
template <selector S>
constexpr std::size_t active_selection_bytes(const S& s, std::size_t n) {
    return selection_bytes(s, n) + workspace_bytes_of<std::uint64_t>(mask_words(n));
}

/// Writes the indices of the active values, ascending; returns how many. `out` has room for all, and what lies behind
/// the last index is undefined. Equals active_indices of the mask. Refuses more than 2^32 values.
template <selector S, values V>
std::size_t select_indices(const S& s, V&& values, std::span<std::uint32_t> out, workspace w) {
    const auto view = detail::unseen(view_of(values));
    detail::need_room(view.size(), out.size());
    out = detail::unseen(out);
    return detail::select_into(
        s, view, w, [&](auto cut, auto scores) { return write_indices(cut, scores, out); },
        [&](mask_view mask) { return active_indices(mask, out); });
}

/// The same with the values, as floats: what a kernel that sums active rows reads.
template <selector S, values V>
    requires std::same_as<values_real<V>, float>
std::size_t select_entries(const S& s, V&& values, std::span<entry> out, workspace w) {
    const auto view = detail::unseen(view_of(values));
    detail::need_room(view.size(), out.size());
    out = detail::unseen(out);
    const auto by_mask = [&](mask_view mask) {
        std::size_t count = 0;
        mask.for_each_active([&](std::size_t i) {
            out[count++] = {static_cast<std::uint32_t>(i), to_real(view[i])};
        });
        return count;
    };
    return detail::select_into(
        s, view, w,
        [&](auto cut, auto scores) {
            if constexpr (std::is_convertible_v<decltype(view), std::span<const float>>) {
                return write_entries(cut, scores, std::span<const float>{view}, out);
            } else if constexpr (rule<S>) { // the scores are the values as floats
                return write_entries(cut, scores, scores.signed_scores(), out);
            } else {
                std::size_t count = 0;
                for (std::size_t i = 0; i < scores.size(); ++i) {
                    if (cut.keeps(scores.bits(i))) {
                        out[count++] = {static_cast<std::uint32_t>(i), to_real(view[i])};
                    }
                }
                return count;
            }
        },
        by_mask);
}

/// Sets the values that are not active to zero, in place.
template <selector S, values V>
void select_in_place(const S& s, V&& values, workspace w) {
    const auto view = detail::unseen(view_of(values));
    using value = std::remove_reference_t<decltype(view[0])>;
    static_assert(!std::is_const_v<value>, "tamis::select_in_place: these values are read-only");
    if constexpr (rule<S> && std::is_convertible_v<decltype(view), std::span<values_real<V>>>) {
        detail::with_cut(magnitude{}, s, view, w, [&](auto cut, auto) { write_zeros(cut, view); });
    } else {
        const mask_span mask{w.take<std::uint64_t>(mask_words(view.size())), view.size()};
        tamis::select(s, view, mask, w);
        zero_inactive(view, mask);
    }
}

TAMIS_END
