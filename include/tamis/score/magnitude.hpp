#pragma once

#include <tamis/score/score.hpp>

TAMIS_BEGIN

/// |v|: the score that every rule uses unless told otherwise. Exact.
struct magnitude {
    template <class Real>
    constexpr Real operator()(Real v, std::size_t) const {
        return v; // the sign is dropped with the bits
    }
};

/// |v| of elements that are no reals yet is their conversion.
template <values V, class Real>
void score_into(const magnitude& score, V&& values, std::span<Real> out) {
    const auto view = detail::unseen(view_of(values));
    if constexpr (requires { view.data(); }) {
        detail::need_places(score, view.size(), out.size());
        detail::to_reals(view.data(), out.size(), out.data());
    } else {
        plain_score_into(score, view, out);
    }
}

TAMIS_END
