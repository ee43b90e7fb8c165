#include "ffn/support_block.hpp"

#include <tamis/ffn/packed_ffn.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace packed_ffn_test {

// packed_ffn: the weights packed for the policies, and the FFN over them, in one object.

namespace {

constexpr auto packed_input = tamis::at_input(tamis::top_p{0.875});
constexpr auto packed_intermediate = tamis::at_intermediate(tamis::max_p{0.125});

template <class Ffn>
std::vector<float> output_of(const Ffn& ffn, const std::vector<float>& x) {
    std::vector<float> y(ffn.width());
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(x, y, memory);
    return y;
}

} // namespace

TEST_CASE("packed_ffn is pack and glu_ffn, and survives a move") {
    const problem p = random_problem(37, 61, true, 1);
    const auto weights = store_glu<0, 0>(p);
    const auto packed = tamis::pack(weights.view(), packed_input, packed_intermediate);
    const tamis::glu_ffn apart{packed, tamis::silu{}, packed_input, packed_intermediate};
    auto made = std::make_unique<decltype(tamis::packed_ffn(weights.view(), tamis::silu{}, packed_input,
                                                            packed_intermediate))>(
        tamis::packed_ffn(weights.view(), tamis::silu{}, packed_input, packed_intermediate));
    const auto moved = std::move(*made);
    made.reset();
    CHECK(same_bits(output_of(moved, p.x), output_of(apart, p.x)));
    CHECK(moved.owned_bytes() == packed.owned_bytes());
    CHECK(moved.skips_all<tamis::site::input>());
    CHECK(moved.skips_all<tamis::site::intermediate>());
    static_assert(!std::is_copy_constructible_v<decltype(moved)>);
}

TEST_CASE("packed_ffn: a format, threads and progress") {
    const problem p = random_problem(37, 61, true, 2);
    const auto weights = store_glu<0, 0>(p);
    std::size_t last = 0;
    const tamis::on_threads on{tamis::serial{}, [&](std::size_t done, std::size_t) { last = done; }};
    const auto ffn = tamis::packed_ffn<tamis::bf16>(on, weights.view(), tamis::silu{}, packed_intermediate);
    CHECK(last == 3 * 37 * 61 * 2);
    CHECK(ffn.owned_bytes() == last);
    const auto packed = tamis::pack<tamis::bf16>(weights.view(), packed_intermediate);
    const tamis::glu_ffn apart{packed.view(), tamis::silu{}, packed_intermediate};
    CHECK(same_bits(output_of(ffn, p.x), output_of(apart, p.x)));
}

TEST_CASE("packed_ffn: of an ungated FFN, and blocks") {
    const problem p = random_problem(19, 43, true, 3);
    const auto up = store_up<tamis::f32, tamis::neuron_major>(p.up);
    const auto down = store_down<tamis::f32, tamis::output_major>(p.down);
    const tamis::plain_weights weights{up.view(), down.view(), p.up_bias, p.down_bias};
    const auto ffn = tamis::packed_ffn(weights, tamis::relu{}, packed_input, packed_intermediate);
    static_assert(ffn.skips<tamis::site::input>().up);
    static_assert(ffn.skips<tamis::site::intermediate>().down);
    const tamis::plain_ffn as_it_lies{weights, tamis::relu{}, tamis::masks_only(packed_input),
                                      tamis::masks_only(packed_intermediate)};
    token_block b{3, 19, 1};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, 3)};
    ffn(b.in(), b.out(), memory);
    for (std::size_t token = 0; token < 3; ++token) {
        const std::vector<float> expected = output_of(as_it_lies, b.x_of(token));
        std::size_t wrong = 0;
        for (std::size_t j = 0; j < 19; ++j) {
            wrong += std::abs(b.y_of(token)[j] - expected[j]) <= 1e-4f ? 0u : 1u;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("masks_only: pack makes no layout for it, and masks are made all the same") {
    const problem p = random_problem(19, 43, false, 4);
    const auto weights = store_glu<0, 0>(p);
    const auto packed =
        tamis::pack(weights.view(), tamis::masks_only(packed_input), tamis::masks_only(packed_intermediate));
    CHECK(packed.owned_bytes() == 0);
    const tamis::glu_ffn ffn{packed, tamis::silu{}, tamis::masks_only(packed_intermediate)};
    CHECK(!ffn.skips<tamis::site::intermediate>());
    recorder seen;
    std::vector<float> y(19);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    const tamis::traffic told = ffn(p.x, y, memory, seen);
    CHECK(told.bytes_skipped() == 0);
    CHECK(seen.seen.back().has_policy);
    CHECK(same_mask(seen.seen.back().mask, tamis::select(tamis::max_p{0.125}, seen.seen.back().values)));
}

} // namespace packed_ffn_test
