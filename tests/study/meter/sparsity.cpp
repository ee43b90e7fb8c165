#include <tamis/study/meter/sparsity.hpp>

#include "study/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using tamis::site;
using tamis::study::sparsity_meter;

static_assert(tamis::study::meter<sparsity_meter> && tamis::study::has_state<sparsity_meter>);

TEST_CASE("sparsity: entries and dropped are pooled over tokens, site by site") {
    sparsity_meter m;
    m(masked(site::input, "10"));
    m(masked(site::gate, "1000"));
    m(masked(site::gate, "1110"));
    m(masked(site::gate, "00"));
    CHECK(m.pooled(site::input) == sparsity_meter::counts{2, 1});
    CHECK(m.pooled(site::gate) == sparsity_meter::counts{10, 6});
    CHECK(m.sparsity(site::gate) == 0.6); // not the mean of 3/4, 1/4 and 1
    CHECK(m.tokens(site::gate) == 3);
    CHECK(m.least(site::gate) == 0.25);
    CHECK(m.greatest(site::gate) == 1);
    CHECK(m.tokens(site::up) == 0);
    CHECK(m.sparsity(site::up) == 0);
}

TEST_CASE("sparsity: a site without a policy counts nothing") {
    sparsity_meter m;
    const std::vector<float> values{1, 2, 3};
    m(tamis::sighting{site::input, values, {}, false, 5});
    CHECK(m.tokens(site::input) == 0);
    CHECK(m.by_position(site::input).empty());
}

TEST_CASE("sparsity: by position") {
    sparsity_meter m;
    m(masked(site::up, "1100", 0));
    m(masked(site::up, "1000", 2));
    m(masked(site::up, "0000", 0));
    const auto at = m.by_position(site::up);
    REQUIRE(at.size() == 3);
    CHECK(at[0] == sparsity_meter::counts{8, 6});
    CHECK(at[1] == sparsity_meter::counts{0, 0});
    CHECK(at[1].sparsity() == 0);
    CHECK(at[2].sparsity() == 0.75);
}

TEST_CASE("sparsity: tokens fall into bins of a percent, the edges upwards") {
    sparsity_meter m;
    const auto of = [&](std::size_t n, std::size_t dropped) {
        m(masked(site::intermediate, std::string(dropped, '0') + std::string(n - dropped, '1')));
    };
    of(100, 29); // 29 %: in floating point 0.29 * 100 is less
    of(1000, 299);
    of(1000, 300);
    of(200, 199);
    of(7, 7);
    of(7, 0);
    of(0, 0);
    const auto& bins = m.distribution(site::intermediate);
    CHECK(bins[29] == 2);
    CHECK(bins[30] == 1);
    CHECK(bins[99] == 1);
    CHECK(bins[100] == 1);
    CHECK(bins[0] == 2);
    CHECK(m.tokens(site::intermediate) == 7);
    CHECK(m.least(site::intermediate) == 0);
}

TEST_CASE("sparsity: merged in any order it is one meter") {
    auto all = random_sightings(site::gate, 67, 23, 1);
    for (std::size_t i = 0; i < all.size(); i += 3) {
        all[i].where = site::input;
    }
    CHECK(merges_exactly(sparsity_meter{}, all));
    // against the plain sums
    const sparsity_meter m = fed(sparsity_meter{}, all);
    std::uint64_t dropped = 0;
    std::uint64_t tokens = 0;
    double least = 1;
    for (const owned_sighting& s : all) {
        if (s.where == site::gate) {
            dropped += 67 - s.mask.count();
            ++tokens;
            least = std::min(least, s.mask.sparsity());
        }
    }
    CHECK(m.pooled(site::gate) == sparsity_meter::counts{67 * tokens, dropped});
    CHECK(m.least(site::gate) == least);
}
