// Masks of groups and of thresholds a channel: one hash, the same for every compiler, optimisation, instruction set and flag,
// whether or not denormals are flushed.
#include <tamis/rule/channel_thresholds.hpp>
#include <tamis/rule/grouped.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_p.hpp>

#include "support/flushed_denormals.hpp"
#include "support/generate.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace same_groups_test {

namespace {

template <class T>
void hash_groups(std::uint64_t& hash) {
    using namespace tamis;
    const auto add = [&](const mask& made) {
        for (const std::uint64_t word : made.words()) {
            hash = (hash ^ word) * 0x100000001b3ull;
        }
    };
    engine random{5};
    for (const shape s : shapes) {
        for (const std::size_t n : {7u, 64u, 1000u, 4864u}) {
            const auto v = generate<T>(s, n, random);
            for (const std::size_t size : {8u, 32u, 100u, 256u}) {
                for (const double p : {0.3, 0.9, 0.99}) {
                    add(grouped{size, group_sum{}, top_p{p}}(v));
                    add(grouped{size, group_norm{}, top_p{p}}(v));
                    add(grouped{size, group_largest{}, top_p{p}}(v));
                }
            }
            std::vector<float> thresholds(n); // of other values of the shape, and of these
            for (std::size_t i = 0; i < n; ++i) {
                const auto bits = magnitude_bits(generate<float>(s, 1, random)[0]);
                thresholds[i] = detail::bits_as<float>(bits > infinity_bits<float> ? 0u : bits);
            }
            add(channel_thresholds{thresholds}(v));
            add(threshold::above(0.125)(v));
            add(threshold::above(0x1p-140)(v));
        }
    }
}

std::uint64_t hash_of_groups() {
    std::uint64_t hash = 0xcbf29ce484222325ull;
    hash_groups<float>(hash);
    hash_groups<double>(hash);
    return hash;
}

constexpr std::uint64_t expected_groups = 3706332281285503540ull;

} // namespace

TEST_CASE("masks of groups and of channels are the same everywhere") {
    CHECK(hash_of_groups() == expected_groups);
    const flushed_denormals flushed;
    CHECK(hash_of_groups() == expected_groups);
}

} // namespace same_groups_test
