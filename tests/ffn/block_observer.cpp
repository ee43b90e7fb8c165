#include "ffn/support_block.hpp"

#include <doctest/doctest.h>

// Of tokens that share readings an observer sees a site at a time, of all of the group; tokens are numbered by their
// place in the caller's block, behind the first group too.

namespace {

using tamis::site;

template <std::size_t Subset>
void check(std::size_t tokens, std::size_t together) {
    CAPTURE(Subset);
    CAPTURE(tokens);
    CAPTURE(together);
    const problem p = random_problem(17, 33, true, 1);
    const auto weights = store_glu<7, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::relu{});
    token_block b{tokens, p.width(), 1};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, together)};
    recorder seen;
    ffn(b.in(), b.out(), tamis::tokens_at_a_time{together, memory}, seen);

    const bool up_first = has_site(Subset, site::up) && !has_site(Subset, site::gate);
    const site order[] = {site::input, up_first ? site::up : site::gate, up_first ? site::gate : site::up,
                          site::intermediate};
    REQUIRE(seen.seen.size() == 4 * tokens);
    std::size_t next = 0;
    for (std::size_t first = 0; first < tokens; first += together) {
        for (const site where : order) {
            for (std::size_t token = first; token < std::min(first + together, tokens); ++token, ++next) {
                CAPTURE(next);
                const recorder::record& r = seen.seen[next];
                CHECK(r.where == where);
                CHECK(r.token == token);
                CHECK(r.has_policy == has_site(Subset, where));
                CHECK(r.mask.size() == (r.has_policy ? r.values.size() : 0));
                if (where == site::input) {
                    CHECK(r.values == b.x_of(token));
                }
            }
        }
    }
}

} // namespace

TEST_CASE("observers of a block: the sites of a group in order, with the tokens' places") {
    for_constants<subset_count>([]<class Subset>(Subset) {
        check<Subset::value>(5, 5);
        check<Subset::value>(7, 3);
    });
    check<9>(35, 16);
    check<0>(17, 16);
    check<15>(4, 1);
}

TEST_CASE("observers of a block: no more than 16 tokens are taken together, whatever the memory") {
    const problem p = random_problem(17, 33, true, 1);
    const auto weights = store_glu<7, 0>(p);
    const auto ffn = make_glu<9>(weights.view(), tamis::relu{});
    CHECK(ffn.workspace_bytes(tamis::serial{}, 17) ==
          ffn.workspace_bytes(tamis::serial{}, tamis::most_tokens));
    CHECK(ffn.workspace_bytes(tamis::serial{}, 0) == ffn.workspace_bytes());
}
