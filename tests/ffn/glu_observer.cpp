#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

// The observer sees every site once a token, in the order of the sites, with the values before the mask and
// the mask.

namespace {

static_assert(tamis::observer<recorder> && tamis::observer<tamis::no_observer>);

template <std::size_t Subset>
recorder observe(const problem& p) {
    recorder seen;
    std::vector<float> y(p.width());
    run_glu<Subset, 4, 0, tamis::silu>(p, 0, y, seen);
    return seen;
}

} // namespace

TEST_CASE(
    "every site is shown once, in the order input, gate, up, intermediate; up before gate if it alone masks") {
    const problem p = random_problem(7, 13, true, 1);
    for_constants<subset_count>([&]<class Subset>(Subset) {
        CAPTURE(Subset::value);
        const recorder seen = observe<Subset::value>(p);
        REQUIRE(seen.seen.size() == 4);
        using tamis::site;
        const bool up_first = has_site(Subset::value, site::up) && !has_site(Subset::value, site::gate);
        const site order[] = {site::input, up_first ? site::up : site::gate, up_first ? site::gate : site::up,
                              site::intermediate};
        for (std::size_t i = 0; i < 4; ++i) {
            CAPTURE(i);
            CHECK(seen.seen[i].where == order[i]);
            CHECK(seen.seen[i].has_policy == has_site(Subset::value, order[i]));
            CHECK(seen.seen[i].token == 0);
            CHECK(seen.seen[i].values.size() == (i == 0 ? 7 : 13));
            CHECK(seen.seen[i].mask.size() == (!seen.seen[i].has_policy ? 0 : i == 0 ? 7 : 13));
        }
    });
}

TEST_CASE("the input's values are the caller's x, which stays as it is") {
    const problem p = random_problem(7, 13, true, 2);
    const std::vector<float> before = p.x;
    CHECK(observe<9>(p).seen[0].values == before);
    CHECK(observe<0>(p).seen[0].values == before);
    CHECK(p.x == before);
}

TEST_CASE("an observer changes no result; it may be a lambda, a temporary or const") {
    const problem p = random_problem(7, 13, true, 3);
    const auto weights = store_glu<4, 0>(p);
    const auto ffn = make_glu<15>(weights.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> expected(7);
    std::vector<float> y(7);
    ffn(p.x, expected, memory);

    int calls = 0;
    ffn(p.x, y, memory, [&](const tamis::sighting&) { ++calls; });
    CHECK(calls == 4);
    CHECK(same_bits(y, expected));
    const auto const_lambda = [&](const tamis::sighting& s) { calls += s.has_policy ? 1 : 0; };
    ffn(p.x, y, memory, const_lambda);
    CHECK(calls == 8);
    recorder seen;
    ffn(p.x, y, memory, seen);
    CHECK(seen.seen.size() == 4);
    CHECK(same_bits(y, expected));
}
