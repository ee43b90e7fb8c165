#pragma once

#include <tamis/detail/to_reals.hpp>
#include <tamis/detail/unseen.hpp>
#include <tamis/values.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

TAMIS_BEGIN

/// A score turns the values into magnitudes >= 0, one by one: `score(v, i)` with v the value as a real and i its
/// place (the neuron, or the input). It returns float or double; the sign is dropped. A NaN stays a NaN, and a zero that has
/// to be inactive a zero. One that has something for each place says for how many, `std::size_t places() const`: more values
/// than that are refused.
/// Models: magnitude, power, weighted, centred.
template <class S, class Real>
concept score_for = requires(const S& s, Real v, std::size_t i) {
    { s(v, i) } -> std::floating_point;
    requires std::same_as<decltype(s(v, i)), float> || std::same_as<decltype(s(v, i)), double>;
};

template <class S>
concept score = score_for<S, float> || score_for<S, double>;

/// The real that a score makes of values of type Real.
template <class S, class Real>
using score_real = decltype(std::declval<const S&>()(Real{}, std::size_t{}));

/// The scores of a span, as rules see them: `s.size()`, and `s[i]`, the magnitude of entry i (NaN if the entry is
/// NaN). Searches compare `s.bits(i)`, integers that order as the magnitudes do. Underneath lie reals whose signs
/// mean nothing, so that the magnitudes of floats need no copy.
template <class Real>
class scores {
  public:
    /// float or double.
    using real = Real;

    /// Of numbers whose signs do not count.
    constexpr explicit scores(std::span<const Real> signed_scores) : signed_{signed_scores} {}

    /// How many entries.
    constexpr std::size_t size() const { return signed_.size(); }
    /// The magnitude of entry i.
    constexpr Real operator[](std::size_t i) const { return detail::bits_as<Real>(bits(i)); }
    /// Its bits: they order as the magnitudes do.
    constexpr bits_of<Real> bits(std::size_t i) const { return magnitude_bits(signed_[i]); }

    /// The reals underneath, to be read without their signs.
    constexpr std::span<const Real> signed_scores() const { return signed_; }

  private:
    std::span<const Real> signed_;
};

namespace detail {

/// A score that also takes a vector of doubles, those at places first, first + 1 ...: the same scores, sooner.
template <class S>
concept scores_lanes = requires(const S& s, const real_lanes<double>& v, std::size_t first) {
    { s.lanes(v, first) } -> std::same_as<real_lanes<double>>;
};

/// Refuses another number of scores than of values, and more values than the score has places for.
template <class Score>
void need_places(const Score& score, std::size_t values, std::size_t out) {
    need("tamis: there are %zu values, and room for %zu scores", values, out);
    if constexpr (requires {
                      { score.places() } -> std::convertible_to<std::size_t>;
                  }) {
        if (score.places() < values) {
            fail_sizes(
                "tamis: a score with something for each of %zu values is needed (weights, norms), got one "
                "for %zu",
                values, score.places());
        }
    }
}

template <class Score, class T, class Real>
void score_some(const Score& score, const T* values, std::size_t first, std::size_t count, Real* out) {
    std::size_t i = 0;
    if constexpr (scores_lanes<Score> && std::is_same_v<Real, double>) {
        for (; i + lane_count<double> <= count; i += lane_count<double>) {
            score.lanes(load_doubles(values + i), first + i).store_unaligned(out + i);
        }
    }
    for (; i < count; ++i) {
        out[i] = score(values[i], first + i);
    }
}

} // namespace detail

/// Scores `values`, entry i at place i, into `out` (as many), by the simple loop.
template <class Score, values V, class Real>
void plain_score_into(const Score& score, V&& values, std::span<Real> out) {
    const auto view = detail::unseen(view_of(values));
    detail::need_places(score, view.size(), out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = score(to_real(view[i]), i);
    }
}

/// The same, vectors at a time where values are contiguous and the score has `lanes` (detail::scores_lanes). One pass.
template <class Score, values V, class Real>
void score_into(const Score& score, V&& values, std::span<Real> out) {
    const auto view = detail::unseen(view_of(values));
    detail::need_places(score, view.size(), out.size());
    if constexpr (requires { view.data(); }) {
        using value = std::remove_cv_t<detail::view_element<decltype(view)>>;
        if constexpr (std::is_same_v<value, real_of<value>>) {
            detail::score_some(score, view.data(), 0, out.size(), out.data());
        } else {
            real_of<value> reals[64];
            for (std::size_t i = 0; i < out.size(); i += 64) {
                const std::size_t count = detail::smaller<std::size_t>(64, out.size() - i);
                detail::to_reals(view.data() + i, count, reals);
                detail::score_some(score, reals, i, count, out.data() + i);
            }
        }
    } else {
        plain_score_into(score, view, out);
    }
}

namespace detail {

/// In computed scores, doubles up to the smallest normal one (2^-1022, to which a product may be rounded up) count as
/// zero, whether or not the processor flushes denormals: so the mask is the same with -ffast-math.
constexpr double without_denormals(double value) {
    return magnitude_bits(value) <= 0x0010000000000000ull ? 0.0 : value;
}

} // namespace detail

TAMIS_END
