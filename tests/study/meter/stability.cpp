#include <tamis/study/meter/stability.hpp>

#include "study/support.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

using tamis::site;
using tamis::study::stability_meter;

static_assert(tamis::study::sequential_meter<stability_meter> && tamis::study::has_state<stability_meter>);

TEST_CASE("stability: Jaccard of neighbouring tokens within a sequence") {
    stability_meter m{site::gate};
    CHECK(m.mean_jaccard() == 0);
    m.begin();
    m(masked(site::gate, "1100"));
    m(masked(site::up, "0000"));
    m(masked(site::gate, "1110")); // 2/3 cut to 2^-64
    m(masked(site::gate, "1110")); // 1
    m.begin();
    m(masked(site::gate, "0001")); // the first of a sequence has none before
    m(masked(site::gate, "0010")); // 0
    m.begin();
    m(masked(site::gate, "0000"));
    m(masked(site::gate, "0000")); // two empty ones: 1
    CHECK(m.pairs() == 4);
    CHECK(m.mean_jaccard() == doctest::Approx((2.0 / 3 + 1 + 0 + 1) / 4).epsilon(1e-15));
}

TEST_CASE("stability: unions over full groups from the start of each sequence") {
    stability_meter m{site::gate};
    for (int sequence = 0; sequence < 2; ++sequence) {
        m.begin();
        for (const char* mask : {"10000000", "11000000", "00100000", "00010000", "00001000"}) {
            m(masked(site::gate, mask));
        }
    }
    CHECK(m.union_share(0) == 6.0 / 40); // 1 + 2 + 1 + 1 + 1
    CHECK(m.union_share(1) == 4.0 / 16); // 2, 2; the fifth token has no partner
    CHECK(m.union_share(2) == 4.0 / 8);  // the first four
    CHECK(m.union_share(3) == 0);        // no full eight
}

TEST_CASE("stability: against unions made one by one, in several sequences over several words") {
    const std::size_t n = 150;
    stability_meter m{site::intermediate};
    std::array<std::size_t, 6> wanted{};
    std::array<std::size_t, 6> entries{};
    double jaccards = 0;
    std::size_t pairs = 0;
    for (const std::size_t length : std::initializer_list<std::size_t>{70, 1, 33, 64, 0}) {
        const auto tokens = random_sightings(site::intermediate, n, length, length);
        m.begin();
        for (const owned_sighting& s : tokens) {
            m(s);
        }
        for (std::size_t g = 0; g < 6; ++g) {
            const std::size_t k = std::size_t{1} << g;
            CHECK(stability_meter::group_sizes[g] == k);
            for (std::size_t first = 0; first + k <= length; first += k) {
                for (std::size_t i = 0; i < n; ++i) {
                    bool any = false;
                    for (std::size_t t = first; t < first + k; ++t) {
                        any = any || tokens[t].mask[i];
                    }
                    wanted[g] += any ? 1 : 0;
                    entries[g] += 1;
                }
            }
        }
        for (std::size_t t = 1; t < length; ++t) {
            jaccards += tamis::jaccard(tokens[t - 1].mask, tokens[t].mask);
            ++pairs;
        }
    }
    for (std::size_t g = 0; g < 6; ++g) {
        CAPTURE(g);
        CHECK(m.union_share(g) == static_cast<double>(wanted[g]) / static_cast<double>(entries[g]));
    }
    CHECK(m.pairs() == pairs);
    CHECK(m.mean_jaccard() == doctest::Approx(jaccards / static_cast<double>(pairs)).epsilon(1e-14));
}

TEST_CASE("stability: meters of whole sequences merge in any order, by words too") {
    const auto of_sequence = [](std::uint64_t seed) {
        stability_meter m{site::up};
        m.begin();
        return fed(m, random_sightings(site::up, 77, 5 + 9 * seed, seed));
    };
    stability_meter all{site::up};
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        all.begin();
        all = fed(all, random_sightings(site::up, 77, 5 + 9 * seed, seed));
    }
    for (const auto& order : {std::array{0, 1, 2, 3}, std::array{3, 1, 0, 2}, std::array{2, 3, 1, 0}}) {
        stability_meter merged{site::up};
        for (const int i : order) {
            stability_meter part{site::up};
            from_words(part, to_words(of_sequence(static_cast<std::uint64_t>(i))));
            merged.merge(part);
        }
        CHECK(to_words(merged) == to_words(all));
    }
}

TEST_CASE("stability: words carry no sequence that was under way") {
    stability_meter m{site::up};
    m(masked(site::up, "10"));
    stability_meter other{site::up};
    other(masked(site::up, "01"));
    from_words(other, to_words(m));
    other(masked(site::up, "11"));
    CHECK(other.pairs() == 0);
    CHECK(other.union_share(0) == 0.75);
}

#if defined(__cpp_exceptions)
TEST_CASE("stability: another size within a sequence and another site are refused") {
    stability_meter m{site::up};
    m(masked(site::up, "10"));
    CHECK(message_of([&] { m(masked(site::up, "100")); }).find("got 2 and 3") != std::string::npos);
    CHECK(message_of([&] { m.merge(stability_meter{site::gate}); }).find("another") != std::string::npos);
}
#endif
