#include "ffn/support_block.hpp"
#include "ffn/support_threads.hpp"

#include <doctest/doctest.h>

namespace threads_orders_test {

// The parts of the work may be done in any order: none waits for another, and none adds to what another wrote.

namespace {

template <class Ffn, class Executor>
std::vector<float> run(const Ffn& ffn, std::size_t tokens, const Executor& order) {
    token_block b{tokens, ffn.width(), 7};
    tamis::owned_workspace memory{ffn.workspace_bytes(order, tokens)};
    ffn(b.in(), b.out(), memory, order);
    return b.y;
}

template <class Ffn>
void check(const Ffn& ffn, std::size_t tokens) {
    CAPTURE(tokens);
    const std::vector<float> expected = run(ffn, tokens, tamis::serial{});
    REQUIRE(all_finite(expected));
    for (const std::size_t width : {2u, 5u, 40u}) {
        CAPTURE(width);
        CHECK(same_bits(run(ffn, tokens, reversed_of(width)), expected));
        CHECK(same_bits(run(ffn, tokens, shuffled_of(width, width)), expected));
    }
}

template <std::size_t Subset, std::size_t Layouts>
void check_all(const problem& p) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    const auto weights = store_glu<Layouts, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    check(ffn, 1);
    check(ffn, 4);
}

} // namespace

TEST_CASE("parts in reverse and in any order: small FFNs, in all layouts") {
    const problem p = random_problem(67, 133, true, 1);
    for_constants<layout_count>([&]<class Layouts>(Layouts) {
        check_all<0, Layouts::value>(p);
        check_all<15, Layouts::value>(p);
    });
}

TEST_CASE("parts in reverse and in any order: sums that are divided by rows and by columns") {
    const problem p = random_problem(600, 2000, true, 2);
    check_all<9, 7>(p);
    check_all<2, 4>(p);
}

} // namespace threads_orders_test
