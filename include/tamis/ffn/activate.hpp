#pragma once

#include <tamis/detail/simd.hpp>
#include <tamis/ffn/gating.hpp>

#include <cstring>
#include <span>

TAMIS_BEGIN

namespace detail {

template <>
struct lane_quotient<vec> {
    static vec of(const vec& a, const vec& b) { return divide(a, b); }
};

// Without SSE4.1 xsimd rounds to a whole number by adding a large one and taking it away, which -ffast-math leaves out: its exp
// is then wrong by tens of percent. There the calls one by one are taken.
#if defined(__SSE2__) && !defined(__SSE4_1__) && (defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__))
inline constexpr bool vectors_round = false;
#else
inline constexpr bool vectors_round = true;
#endif

/// An activation that takes a vector of floats too.
template <class Activation>
concept takes_lanes = vectors_round && requires(const Activation& sigma, const vec& z) {
    { sigma.lanes(z) } -> std::same_as<vec>;
};

/// A gating whose of_up takes one too.
template <class G>
concept changes_up_by_lanes = requires(const G& g, const vec& u) {
    { g.lanes_of_up(u) } -> std::same_as<vec>;
};

/// f of each value, a vector at a time; what is left over is filled up to one.
template <class F>
void by_lanes(std::span<float> values, F&& f) {
    std::size_t i = 0;
    for (; i + vec::size <= values.size(); i += vec::size) {
        store(&values[i], f(load(&values[i])));
    }
    if (i < values.size()) {
        const auto left = values.subspan(i);
        float rest[vec::size] = {};
        std::memcpy(rest, left.data(), left.size_bytes());
        store(rest, f(load(rest)));
        std::memcpy(left.data(), rest, left.size_bytes());
    }
}

/// What a token's gates become, all by one and the same way: as a whole, else by vectors, else by the call. So equal values
/// have equal results wherever they lie, and ties live or die together.
template <gating Gating>
void activate(const Gating& sigma, std::span<float> values) {
    if constexpr (requires { sigma.activate(values); }) { // chosen at run time
        sigma.activate(values);
    } else if constexpr (takes_whole<Gating>) {
        sigma.whole(values);
    } else if constexpr (takes_lanes<Gating>) {
        by_lanes(values, [&](const vec& z) { return sigma.lanes(z); });
    } else {
        for (float& value : values) {
            value = static_cast<float>(sigma(value));
        }
    }
}

/// Whether all of a token's gates are needed to know one.
template <gating Gating>
constexpr bool needs_all_gates([[maybe_unused]] const Gating& sigma) {
    if constexpr (requires { sigma.needs_all_gates(); }) {
        return sigma.needs_all_gates();
    } else {
        return takes_whole<Gating>;
    }
}

/// What a token's values of up become, in the same way.
template <gating Gating>
void activate_up([[maybe_unused]] const Gating& sigma, [[maybe_unused]] std::span<float> values) {
    if constexpr (requires { sigma.activate_up(values); }) {
        sigma.activate_up(values);
    } else if constexpr (changes_up_by_lanes<Gating>) {
        by_lanes(values, [&](const vec& u) { return sigma.lanes_of_up(u); });
    } else if constexpr (changes_up<Gating>) {
        for (float& value : values) {
            value = static_cast<float>(sigma.of_up(value));
        }
    }
}

} // namespace detail

TAMIS_END
