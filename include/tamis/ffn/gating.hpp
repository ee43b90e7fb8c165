#pragma once

#include <tamis/ffn/activation.hpp>

#include <span>

TAMIS_BEGIN

namespace detail {

/// A gating that takes all of a token's gates at once.
template <class G>
concept takes_whole = requires(const G& g, std::span<float> gates) { g.whole(gates); };
/// A gating that makes something of up.
template <class G>
concept changes_up = requires(const G& g, float u) {
    { g.of_up(u) } -> std::convertible_to<float>;
};

} // namespace detail

/// How gate and up become the intermediate, their product. An activation is a gating: it says what becomes of a gate, and up
/// stays as it is. One may say more, by members:
///
///     float of_up(float u) const;               what becomes of up, after its bias; the mask at up is over that. `lanes_of_up`
///                                               beside it takes and gives a vector of floats, as `lanes` does
///     void whole(std::span<float> gates) const; all gates of a token at once, in place, and no call for one of them; equal
///                                               gates become equal
///
/// Where it takes the whole, all gates are computed: a mask at up then leaves none of W_gate unread.
/// Models: activations; clipped_swiglu, limited_silu, sparse_gelu in ffn/gating/.
template <class G>
concept gating = activation<G> || detail::takes_whole<G>;

namespace detail {

/// One sentence for a member that has a gating's name, but is none.
template <class G>
constexpr bool explain_gating() {
    constexpr bool up = changes_up<G> || !requires { &G::of_up; };
    constexpr bool all = takes_whole<G> || !requires { &G::whole; };
    static_assert(up, "tamis: a gating's of_up is callable as `float of_up(float) const`");
    static_assert(all, "tamis: a gating's whole is callable as `void whole(std::span<float>) const`");
    return up && all;
}

} // namespace detail

TAMIS_END
