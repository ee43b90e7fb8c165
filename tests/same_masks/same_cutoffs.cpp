// The cutoffs of gatings that take a token's gates as a whole: one hash, the same for every compiler, optimisation,
// instruction set and flag, and for every order of the gates, since masks of what is not zero follow from them.
#include <tamis/ffn/gating/sparse_gelu.hpp>

#include "support/flushed_denormals.hpp"
#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace same_cutoffs_test {

namespace {

std::uint64_t hash_of_cutoffs(bool in_another_order) {
    constexpr double targets[] = {0.95, 0.5, 0.01, 0.999};
    engine random{1};
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (const shape s : shapes) {
        for (const std::size_t n : {1u, 2u, 3u, 100u, 4096u, 16384u}) {
            const std::vector<float> gates = generate<float>(s, n, random);
            std::vector<float> other = gates;
            engine of_order{n};
            const auto order = shuffled(n, of_order);
            for (std::size_t i = 0; i < n && in_another_order; ++i) {
                other[i] = gates[order[i]];
            }
            for (const double target : targets) {
                for (const auto by : {tamis::deviation::of_population, tamis::deviation::of_sample}) {
                    const float cutoff = tamis::sparse_gelu{target, by}.cutoff_of(other);
                    if (s != shape::denormal) { // whose cutoffs may be flushed
                        hash = (hash ^ tamis::detail::bits_as<std::uint32_t>(cutoff)) * 0x100000001b3ull;
                    }
                }
            }
        }
    }
    return hash;
}

constexpr std::uint64_t expected_cutoffs = 5356121038850482537ull;

} // namespace

TEST_CASE("cutoffs of sparse_gelu are the same everywhere, in any order of the gates") {
    CHECK(hash_of_cutoffs(false) == expected_cutoffs);
    CHECK(hash_of_cutoffs(true) == expected_cutoffs);
    const flushed_denormals flushed;
    CHECK(hash_of_cutoffs(false) == expected_cutoffs);
}

} // namespace same_cutoffs_test
