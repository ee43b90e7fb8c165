#include <tamis/rule/top_k.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/rounded.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <string_view>
#include <vector>

namespace rounded_test {

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

TEST_CASE("rounded: what overflows, saturates or is flushed is counted, over rows and calls") {
    const float infinite = std::bit_cast<float>(0x7f800000u), nan = std::bit_cast<float>(0x7fc00000u);
    const auto losses_of = [&](const any_rounding& r) {
        std::vector<float> values{1, 70000, -3e38f, 65519, 500, -1e-30f, 0, infinite, nan, 2};
        rounded hook{r};
        hook(0, site::gate, block{values.data(), 2, 5});
        return hook.losses();
    };
    const rounding_losses f16 = losses_of(to_f16{});
    CHECK(f16.values == 10);
    CHECK(f16.overflowed == 2); // 65519 is rounded to 65504
    CHECK(f16.saturated == 1);
    CHECK(f16.flushed == 1);
    CHECK(f16.not_finite == 2);
    const rounding_losses e4m3 = losses_of(to_e4m3{}); // no infinity: what is too large becomes 448
    CHECK(e4m3.overflowed == 0);
    CHECK(e4m3.saturated == 4);
    CHECK(e4m3.not_finite == 2); // of which one became 448
    const rounding_losses e5m2 = losses_of(to_e5m2{});
    CHECK(e5m2.overflowed == 3);
    CHECK(e5m2.saturated == 0);
    const rounding_losses bf16 = losses_of(to_bf16{});
    CHECK(bf16.overflowed == 0);
    CHECK(bf16.flushed == 0);
    CHECK(losses_of(to_f32{}) == rounding_losses{10, 0, 0, 0, 2});
    rounding_losses twice = f16;
    twice.merge(f16);
    CHECK(twice == rounding_losses{20, 4, 2, 2, 4});
    CHECK(largest_of(any_rounding{to_e5m2{}}) == 57344);
    CHECK(to_e5m2{}(largest_of(to_e5m2{})) == 57344);
    CHECK(to_bf16{}(largest_of(to_bf16{})) == largest_of(to_bf16{}));
}

} // namespace rounded_test
