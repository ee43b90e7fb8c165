#pragma once

#include "support/generate.hpp"

#include <tamis/study/meter.hpp>
#include <tamis/study/state.hpp>

#include <span>
#include <string_view>
#include <vector>

// What the tests of meters share: sightings that are owned, and the ways in which their order must not matter.

/// A sighting with memory of its own.
struct owned_sighting {
    tamis::site where = tamis::site::intermediate;
    std::vector<float> values{};
    tamis::mask mask{};
    bool has_policy = true;
    std::size_t token = 0;

    operator tamis::sighting() const { return {where, values, mask, has_policy, token}; }
};

/// A mask from text, entry 0 first: "11100".
inline tamis::mask mask_of(std::string_view text) {
    tamis::mask m{text.size()};
    for (std::size_t i = 0; i < text.size(); ++i) {
        m.set(i, text[i] == '1');
    }
    return m;
}
inline owned_sighting masked(tamis::site where, std::string_view mask, std::size_t token = 0) {
    return {where, std::vector<float>(mask.size(), 1.0f), mask_of(mask), true, token};
}

inline tamis::mask random_mask(std::size_t n, std::uint64_t percent, engine& random) {
    tamis::mask m{n};
    for (std::size_t i = 0; i < n; ++i) {
        m.set(i, below(random, 100) < percent);
    }
    return m;
}

/// Tokens at one site: random values and masks of different densities.
inline std::vector<owned_sighting> random_sightings(tamis::site where, std::size_t n, std::size_t tokens,
                                                    std::uint64_t seed) {
    engine random{seed};
    std::vector<owned_sighting> all;
    for (std::size_t t = 0; t < tokens; ++t) {
        all.push_back({where, generate<float>(shape::heavy_tailed, n, random),
                       random_mask(n, below(random, 101), random), true, t});
    }
    return all;
}

template <class M>
M fed(M fresh, std::span<const owned_sighting> sightings) {
    for (const owned_sighting& s : sightings) {
        fresh(s);
    }
    return fresh;
}

/// Whether three meters of a part each, merged in any order and grouping, and by way of words, are the meter that saw all:
/// by their states, word by word. With several sightings a token, `cut` is a multiple of these.
template <class M>
bool merges_exactly(const M& fresh, std::span<const owned_sighting> all, std::size_t cut = 1) {
    const std::size_t first = all.size() / cut / 4 * cut;
    const std::size_t second = all.size() / cut / 2 * cut;
    const M a = fed(fresh, all.first(first));
    const M b = fed(fresh, all.subspan(first, second - first));
    const M c = fed(fresh, all.subspan(second));
    const auto expected = tamis::study::to_words(fed(fresh, all));
    const auto merged = [&](M into, const M& then, const M& last) {
        into.merge(then);
        into.merge(last);
        return tamis::study::to_words(into) == expected;
    };
    M bc = b;
    bc.merge(c);
    M nothing = fresh;
    tamis::study::from_words(nothing, tamis::study::to_words(bc));
    return merged(a, b, c) && merged(c, b, a) && merged(b, a, c) && merged(fresh, bc, a) &&
           merged(a, fresh, nothing);
}
