#include <tamis/rule/top_k.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/rounded.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

using namespace tamis;
using namespace tamis::study;

TEST_CASE("rounded: the chosen sites' rows, and nothing between them") {
    static_assert(site_hook<rounded<to_bf16>> && site_hook<rounded<any_rounding>>);
    std::vector<float> values{257, 1.0f / 3, 7e4f, 257, 0.1f, 257};
    const block tokens{values.data(), 2, 2, 3};
    const std::array only_gate{site::gate};
    rounded hook{to_bf16{}, only_gate};
    hook(0, site::input, tokens);
    CHECK(values[0] == 257.0f);
    hook(0, site::gate, tokens);
    CHECK(values == std::vector<float>{256, 0.333984375f, 7e4f, 256, 0.10009765625f, 257});
    CHECK(std::string_view{hook.name()} == "bf16");
}

TEST_CASE("rounded, then masked: the mask is that of the rounded values") {
    std::vector<float> values{257, 256, 258, 1}; // 256, 256, 258, 1 in bfloat16
    plan p{1};
    p.set_all(site::up, top_k{2});
    owned_workspace memory{p.workspace_bytes(4)};
    masker mask{p, memory};
    rounded<any_rounding> round{any_rounding{to_bf16{}}};
    chained both{round, mask};
    both(0, site::up, block{values.data(), 1, 4});
    CHECK(values == std::vector<float>{256, 256, 258, 0}); // a tie, kept together
}
