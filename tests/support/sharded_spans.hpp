#pragma once

#include <tamis/rule/cett.hpp>
#include <tamis/shard/sharded.hpp>

#include "generate.hpp"

#include <algorithm>
#include <vector>

// Spans that are shared out unevenly among ranks, and what each rule makes of them there and in one place.

/// The same places on every rank to cut a span of n at: any, so that some ranks have nothing.
inline tamis::shard_range uneven_shard(std::size_t n, std::size_t rank, std::size_t ranks, engine random) {
    std::vector<std::size_t> cuts{0, n};
    for (std::size_t i = 1; i < ranks; ++i) {
        cuts.push_back(below(random, n + 1));
    }
    std::sort(cuts.begin(), cuts.end());
    return {cuts[rank], cuts[rank + 1]};
}

/// Whether this rank's part of the mask is that of the whole.
template <class Whole, class Part, class T>
bool is_part_of(const Whole& whole, const Part& part, const std::vector<T>& all, tamis::shard_range own) {
    const tamis::mask expected = tamis::select(whole, all);
    const tamis::mask got =
        tamis::select(part, std::vector<T>(all.begin() + static_cast<std::ptrdiff_t>(own.first),
                                           all.begin() + static_cast<std::ptrdiff_t>(own.last)));
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (expected[own.first + i] != got[i]) {
            return false;
        }
    }
    return true;
}

/// How many masks of `spans` spans by four rules (and a weighted score) are wrong on this rank.
template <class T, tamis::communicator Ranks>
std::size_t wrong_masks(const Ranks& ranks, std::size_t spans, std::size_t longest, std::uint64_t seed) {
    using namespace tamis;
    engine random(seed);
    std::size_t wrong = 0;
    const auto check = [&](auto rule, const std::vector<T>& all, shard_range own) {
        wrong += is_part_of(rule, sharded{rule, ranks}, all, own) ? 0 : 1;
    };
    for (std::size_t i = 0; i < spans; ++i) {
        const std::size_t n = below(random, longest);
        const auto all = generate<T>(shapes[i % shapes.size()], n, random);
        const auto own = uneven_shard(n, ranks.rank(), ranks.size(), random);
        const double p = static_cast<double>(below(random, 65)) / 64;
        random.discard(ranks.size());
        check(top_p{p}, all, own);
        check(max_p{p}, all, own);
        check(top_k{below(random, n + 2)}, all, own);
        check(top_k::fraction(p), all, own);
        const double largest = n == 0 ? 1.0 : static_cast<double>(all[n / 2]);
        const double budget = largest > 0 && largest < 1e300 ? largest * static_cast<double>(n) * p / 4 : p;
        check(tail_budget{budget}, all, own);
        if constexpr (std::is_same_v<T, float>) { // CETT's bound: norms of the neurons, doubles as scores
            std::vector<float> norms(n);
            for (float& norm : norms) {
                norm = static_cast<float>(below(random, 1000)) / 256;
            }
            const std::vector<float> own_norms(norms.begin() + static_cast<std::ptrdiff_t>(own.first),
                                               norms.begin() + static_cast<std::ptrdiff_t>(own.last));
            wrong += is_part_of(cett_bound(norms, p, 3.0 * static_cast<double>(n)),
                                scored{weighted{own_norms},
                                       sharded{tail_budget{p * (3.0 * static_cast<double>(n))}, ranks}},
                                all, own)
                         ? 0
                         : 1;
        }
    }
    return wrong;
}
