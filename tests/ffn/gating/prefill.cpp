#include "ffn/support_block.hpp"

#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/ffn/prefill.hpp>

#include <doctest/doctest.h>

#include <cmath>

// Gatings by dense products: the values of tokens one by one, up to rounding.

namespace {

template <std::size_t Subset, class Gating>
void check_gating_prefill(Gating gating) {
    constexpr std::size_t tokens = 17, width = 40, neurons = 270;
    const problem p = random_problem(width, neurons, true, 1);
    const auto weights = store_glu<4, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), gating);
    token_block one_by_one{tokens, width, 3};
    token_block together{tokens, width, 3};
    tamis::owned_workspace memory{tamis::prefill_workspace_bytes(ffn, tokens)};
    ffn(one_by_one.in(), one_by_one.out(), tamis::tokens_at_a_time{1, memory});
    tamis::prefill(ffn, together.in(), together.out(), memory);
    float largest = 0;
    for (std::size_t i = 0; i < together.y.size(); ++i) {
        largest = std::max(largest, std::fabs(together.y[i] - one_by_one.y[i]));
    }
    CHECK(all_finite(together.y));
    CHECK(largest < 1e-3f);
}

} // namespace

TEST_CASE("prefill: gatings") {
    check_gating_prefill<2>(tamis::clipped_swiglu{1.702f, 0.75f});
    check_gating_prefill<4>(tamis::sparse_gelu{0.75});
}
