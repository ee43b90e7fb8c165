#pragma once

#include <tamis/mask/mask.hpp>

#include <algorithm>

TAMIS_BEGIN

// Masks as sets of active entries. The functions write into a mask that the caller owns (which may be one of
// the operands); the operators make a new one. All masks of a call are of one size, which is checked.

namespace detail {

constexpr void need_same_size(std::size_t a, std::size_t b) {
    if (a != b) {
        fail_sizes("tamis: masks of one size are needed, got %zu and %zu entries", a, b);
    }
}

template <class Operation>
constexpr void combine_words(mask_view a, mask_view b, mask_span out, Operation operation) {
    need_same_size(a.size(), b.size());
    need_same_size(a.size(), out.size());
    std::transform(a.words().begin(), a.words().end(), b.words().begin(), out.words().begin(), operation);
}

} // namespace detail

/// Active in both.
constexpr void intersect(mask_view a, mask_view b, mask_span out) {
    detail::combine_words(a, b, out, [](std::uint64_t x, std::uint64_t y) { return x & y; });
}
/// Active in either. Over the masks of several tokens: the weights that a batch has to read.
constexpr void unite(mask_view a, mask_view b, mask_span out) {
    detail::combine_words(a, b, out, [](std::uint64_t x, std::uint64_t y) { return x | y; });
}
/// Active in a and not in b.
constexpr void subtract(mask_view a, mask_view b, mask_span out) {
    detail::combine_words(a, b, out, [](std::uint64_t x, std::uint64_t y) { return x & ~y; });
}
/// Active where a is not.
constexpr void complement(mask_view a, mask_span out) {
    detail::need_same_size(a.size(), out.size());
    std::transform(a.words().begin(), a.words().end(), out.words().begin(),
                   [](std::uint64_t x) { return ~x; });
    out.clear_behind();
}

inline mask operator&(mask_view a, mask_view b) {
    mask result{a.size()};
    intersect(a, b, result.span());
    return result;
}
inline mask operator|(mask_view a, mask_view b) {
    mask result{a.size()};
    unite(a, b, result.span());
    return result;
}
inline mask operator-(mask_view a, mask_view b) {
    mask result{a.size()};
    subtract(a, b, result.span());
    return result;
}
inline mask operator~(mask_view a) {
    mask result{a.size()};
    complement(a, result.span());
    return result;
}

/// |a and b| / |a or b|: how alike two masks are, in [0, 1]; 1 for two empty ones. Between the steps of a
/// sequence it tells how stable a mask is.
constexpr double jaccard(mask_view a, mask_view b) {
    detail::need_same_size(a.size(), b.size());
    std::size_t both = 0;
    std::size_t either = 0;
    for (std::size_t i = 0; i < a.words().size(); ++i) {
        both += detail::bits_set(a.words()[i] & b.words()[i]);
        either += detail::bits_set(a.words()[i] | b.words()[i]);
    }
    return either == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(either);
}

TAMIS_END
