#pragma once

#include <tamis/detail/lanes.hpp>

#include <cstring>

TAMIS_BEGIN

// The SIMD passes over scores that searches are made of. Sums are of weights: an entry weighs its score (mass, for
// top-p) or one (number, for top-k). NaN weighs nothing and lies in no bracket, except where it says so.

namespace detail {

struct mass {
    using of_few = mass; // what sums of few scores are made by
    template <class Real>
    static real_lanes<Real> of(const key_lanes<Real>& keys) {
        return reals_of<Real>(keys);
    }
    template <class Real>
    static double of(Real score) {
        return widen(detail::bits_as<Real>(magnitude_bits(score)));
    }
    /// The relative error of a pass's sum: in float, a lane sums 16 terms, 4 accumulators and up to 16 lanes are added
    /// (each step rounds by 2^-24), all else in double. Denormals may be flushed: add 2^-126 an entry.
    template <class Real>
    static double relative_error(std::size_t n) {
        return std::is_same_v<Real, float> ? 0x1.2p-19 : 0x1p-51 * static_cast<double>(n + 32);
    }
};

/// The same summed in double: for floats that are too many for sums in float to tell neighbours apart. It takes no
/// longer where memory is what is waited for.
struct precise_mass : mass {
    template <class Real>
    static double relative_error(std::size_t n) {
        return 0x1p-51 * static_cast<double>(n + 32);
    }
};
/// So many.
inline constexpr std::size_t many = std::size_t{1} << 17;

struct number {
    using of_few = number;
    template <class Real>
    static real_lanes<Real> of(const key_lanes<Real>&) {
        return real_lanes<Real>(Real{1});
    }
    template <class Real>
    static double of(Real) {
        return 1;
    }
};

/// Scores as keys, four vectors at a time.
template <class Real>
struct four_keys {
    key_lanes<Real> a, b, c, d;
};
template <class Real>
inline constexpr std::size_t four_size = 4 * lane_count<Real>;
template <class Real>
four_keys<Real> load_four(const Real* p) {
    constexpr std::size_t lanes = lane_count<Real>;
    return {load_keys<Real>(p), load_keys<Real>(p + lanes), load_keys<Real>(p + 2 * lanes),
            load_keys<Real>(p + 3 * lanes)};
}

/// Any scores by fours; the last are filled up with `padding`.
template <class Real>
class in_fours {
  public:
    using real = Real;

    explicit in_fours(std::span<const Real> s, key_of<Real> padding = padding_key<Real>) : scores_{s} {
        if (const std::size_t rest = s.size() % four_size<Real>; rest != 0) {
            const real_lanes<Real> filling(detail::bits_as<Real>(padding));
            for (std::size_t k = 0; k < four_size<Real>; k += lane_count<Real>) {
                filling.store_unaligned(rest_ + k);
            }
            std::memcpy(rest_, s.data() + (s.size() - rest), rest * sizeof(Real));
        }
    }
    std::size_t count() const { return (scores_.size() + four_size<Real> - 1) / four_size<Real>; }
    four_keys<Real> operator[](std::size_t i) const {
        const bool whole = (i + 1) * four_size<Real> <= scores_.size();
        return load_four(whole ? scores_.data() + i * four_size<Real> : rest_);
    }

  private:
    std::span<const Real> scores_;
    Real rest_[four_size<Real>];
};

/// Scores that are followed by padding to the end of a four, as part leaves them.
template <class Real>
class padded_fours {
  public:
    using real = Real;

    explicit padded_fours(std::span<const Real> s) : scores_{s} {}
    std::size_t count() const { return (scores_.size() + four_size<Real> - 1) / four_size<Real>; }
    four_keys<Real> operator[](std::size_t i) const {
        return load_four(scores_.data() + i * four_size<Real>);
    }

  private:
    std::span<const Real> scores_;
};

/// Room for scores with their padding.
constexpr std::size_t bracket_room(std::size_t n) { return n + 64; }

/// After so many fours a float lane has summed enough to be added to a double.
inline constexpr std::size_t fours_a_sum = 16;

/// What scores weigh, in four vectors. (Named, and local to the loops: g++ keeps arrays and what lambdas capture in
/// memory.)
template <class Weight, class Real>
struct lane_sums {
    real_lanes<Real> a = real_lanes<Real>(Real{0});
    real_lanes<Real> b = a;
    real_lanes<Real> c = a;
    real_lanes<Real> d = a;

    void add(const four_keys<Real>& keys) {
        a = a + Weight::template of<Real>(keys.a);
        b = b + Weight::template of<Real>(keys.b);
        c = c + Weight::template of<Real>(keys.c);
        d = d + Weight::template of<Real>(keys.d);
    }
    void add_below(const four_keys<Real>& keys, const key_lanes<Real>& limit) {
        a = add_where<Real>(a, keys.a < limit, Weight::template of<Real>(keys.a));
        b = add_where<Real>(b, keys.b < limit, Weight::template of<Real>(keys.b));
        c = add_where<Real>(c, keys.c < limit, Weight::template of<Real>(keys.c));
        d = add_where<Real>(d, keys.d < limit, Weight::template of<Real>(keys.d));
    }
    void add_where_above(const key_lanes<Real>& keys, const four_keys<Real>& limits) {
        const auto weights = Weight::template of<Real>(keys);
        a = add_where<Real>(a, keys < limits.a, weights);
        b = add_where<Real>(b, keys < limits.b, weights);
        c = add_where<Real>(c, keys < limits.c, weights);
        d = add_where<Real>(d, keys < limits.d, weights);
    }
    double total() const { return sum_of_lanes<Real>((a + b) + (c + d)); }
};

template <>
struct lane_sums<precise_mass, float> {
    two_doubles a, b, c, d;

    void add(const four_keys<float>& keys) {
        a.add(keys.a);
        b.add(keys.b);
        c.add(keys.c);
        d.add(keys.d);
    }
    void add_below(const four_keys<float>& keys, const key_lanes<float>& limit) {
        a.add(only<float>(keys.a < limit, keys.a));
        b.add(only<float>(keys.b < limit, keys.b));
        c.add(only<float>(keys.c < limit, keys.c));
        d.add(only<float>(keys.d < limit, keys.d));
    }
    double total() const { return (a.total() + b.total()) + (c.total() + d.total()); }
};

/// What all scores weigh together as a mass: infinite or NaN when one of them is, or when they overflow.
template <class Weight = mass, class Real>
double weigh_all(std::span<const Real> s) {
    const in_fours<Real> all{s, 0};
    double total = 0;
    for (std::size_t i = 0; i < all.count();) {
        lane_sums<Weight, Real> sums;
        for (const std::size_t end = smaller(i + fours_a_sum, all.count()); i < end; ++i) {
            sums.add(all[i]);
        }
        total += sums.total();
    }
    return total;
}

/// What the scores below each of two thresholds weigh.
struct two_weights {
    double first, second;
};
template <class Weight, class Fours, class Real = typename Fours::real>
two_weights weigh_below(const Fours& all, key_of<Real> first, key_of<Real> second) {
    const key_lanes<Real> firsts(first);
    const key_lanes<Real> seconds(second);
    two_weights total{0, 0};
    for (std::size_t i = 0; i < all.count();) {
        lane_sums<Weight, Real> below_first;
        lane_sums<Weight, Real> below_second;
        for (const std::size_t end = smaller(i + fours_a_sum, all.count()); i < end; ++i) {
            const four_keys<Real> keys = all[i];
            below_first.add_below(keys, firsts);
            below_second.add_below(keys, seconds);
        }
        total.first += below_first.total();
        total.second += below_second.total();
    }
    return total;
}

/// What all scores with keys below `limit` weigh together, and the least and largest of their keys (padding and
/// 0 when there are none).
template <class Real>
struct extent {
    double weight;
    key_of<Real> least, largest;
};
template <class Weight, class Fours, class Real = typename Fours::real>
extent<Real> measure(const Fours& all, key_of<Real> limit = infinity_key<Real> + 1) {
    const key_lanes<Real> limits(limit);
    key_lanes<Real> least(padding_key<Real>);
    key_lanes<Real> largest(key_of<Real>{0});
    double total = 0;
    for (std::size_t i = 0; i < all.count();) {
        lane_sums<Weight, Real> sums;
        for (const std::size_t end = smaller(i + fours_a_sum, all.count()); i < end; ++i) {
            const four_keys<Real> keys = all[i];
            sums.add_below(keys, limits);
            least =
                (xsimd::min)(least, (xsimd::min)((xsimd::min)(keys.a, keys.b), (xsimd::min)(keys.c, keys.d)));
            largest = (xsimd::max)(largest, (xsimd::max)((xsimd::max)(only<Real>(keys.a < limits, keys.a),
                                                                      only<Real>(keys.b < limits, keys.b)),
                                                         (xsimd::max)(only<Real>(keys.c < limits, keys.c),
                                                                      only<Real>(keys.d < limits, keys.d))));
        }
        total += sums.total();
    }
    return {total, least_lane<Real>(least), largest_lane<Real>(largest)};
}

/// The largest key that is no NaN's; 0 when there is none.
template <class Real>
key_of<Real> largest_key(std::span<const Real> s) {
    const in_fours<Real> all{s, 0};
    const key_lanes<Real> limit(infinity_key<Real> + 1);
    key_lanes<Real> largest(key_of<Real>{0});
    key_lanes<Real> second = largest;
    const auto real = [&](const key_lanes<Real>& keys) { return only<Real>(keys < limit, keys); };
    for (std::size_t i = 0; i < all.count(); ++i) {
        const four_keys<Real> keys = all[i];
        largest = (xsimd::max)(largest, (xsimd::max)(real(keys.a), real(keys.b)));
        second = (xsimd::max)(second, (xsimd::max)(real(keys.c), real(keys.d)));
    }
    return largest_lane<Real>((xsimd::max)(largest, second));
}

/// Writes the scores with low <= key < high to `out`, without their signs and with padding behind them, and tells what
/// those below weigh. `out` has bracket_room; it may be where the scores begin.
template <class Real>
struct parting {
    double below;
    std::size_t count;
};
template <class Weight, class Fours, class Real = typename Fours::real>
parting<Real> part(const Fours& all, key_of<Real> low, key_of<Real> high, Real* out) {
    const key_lanes<Real> lows(low);
    const key_lanes<Real> highs(high);
    Real* next = out;
    double below = 0;
    for (std::size_t i = 0; i < all.count();) {
        lane_sums<Weight, Real> sums;
        for (const std::size_t end = smaller(i + fours_a_sum, all.count()); i < end; ++i) {
            const four_keys<Real> keys = all[i];
            sums.add_below(keys, lows);
            next += compress<Real>(next, keys.a, within<Real>(keys.a, lows, highs));
            next += compress<Real>(next, keys.b, within<Real>(keys.b, lows, highs));
            next += compress<Real>(next, keys.c, within<Real>(keys.c, lows, highs));
            next += compress<Real>(next, keys.d, within<Real>(keys.d, lows, highs));
        }
        below += sums.total();
    }
    const real_lanes<Real> padding(detail::bits_as<Real>(padding_key<Real>));
    for (std::size_t k = 0; k < four_size<Real>; k += lane_count<Real>) {
        padding.store_unaligned(next + k);
    }
    return {below, static_cast<std::size_t>(next - out)};
}

/// What all finite scores below `low`, and all finite ones together, weigh; summed in double: wrong by at most
/// n * 2^-52 of the total and 2^-126 an entry.
inline two_weights weigh_precisely(std::span<const float> s, key_of<float> low) {
    const in_fours<float> all{s};
    const key_lanes<float> lows(low);
    const key_lanes<float> limits(infinity_key<float>);
    two_doubles below;
    two_doubles total;
    for (std::size_t i = 0; i < all.count(); ++i) {
        const four_keys<float> keys = all[i];
        for (const key_lanes<float>& k : {keys.a, keys.b, keys.c, keys.d}) {
            below.add(only<float>(k < lows, k));
            total.add(only<float>(k < limits, k));
        }
    }
    return {below.total(), total.total()};
}

/// What the scores below each of so many thresholds weigh, one a lane: for a few scores without signs.
template <class Weight, class Real>
auto weigh_below_each(std::span<const Real> s, const four_keys<Real>& thresholds) {
    lane_sums<typename Weight::of_few, Real> below;
    for (const Real score : s) {
        below.add_where_above(key_lanes<Real>(detail::bits_as<key_of<Real>>(score)), thresholds);
    }
    return below;
}

} // namespace detail

TAMIS_END
