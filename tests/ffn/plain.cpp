#include "ffn/support_reference.hpp"
#include "ffn/support_spy.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

namespace plain_test {

// The ungated FFN against Eigen in double: every subset of its two sites, layout, format and activation.

namespace {

template <std::size_t Subset, class Weights, class Sigma>
auto make_plain(const Weights& weights, Sigma sigma) {
    const auto input = tamis::masks_only(tamis::at_input(tamis::top_p{0.875})); // in any layout
    const auto intermediate = tamis::masks_only(tamis::at_intermediate(tamis::max_p{0.125}));
    if constexpr (Subset == 0) {
        return tamis::plain_ffn{weights, sigma};
    } else if constexpr (Subset == 1) {
        return tamis::plain_ffn{weights, sigma, input};
    } else if constexpr (Subset == 2) {
        return tamis::plain_ffn{weights, sigma, intermediate};
    } else {
        return tamis::plain_ffn{weights, sigma, intermediate, input};
    }
}

/// Bits of Layouts: up by inputs, down by neurons.
template <std::size_t Subset, std::size_t Layouts, class UpFormat, class DownFormat, class Sigma>
void check(Sigma sigma, exact_sigma exact) {
    for (const auto& size : {std::pair{1, 1}, {3, 5}, {17, 33}, {67, 133}}) {
        const auto width = static_cast<std::size_t>(size.first);
        const auto neurons = static_cast<std::size_t>(size.second);
        for (const bool biased : {false, true}) {
            const problem p = random_problem(width, neurons, biased, 1);
            const auto up = store_up<UpFormat, up_layout<2 * Layouts>>(p.up, 4);
            const auto down = store_down<DownFormat, down_layout<2 * Layouts>>(p.down, 8);
            const auto ffn =
                make_plain<Subset>(tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                                   sigma);
            recorder seen;
            std::vector<float> y(p.width());
            tamis::owned_workspace memory{ffn.workspace_bytes()};
            spy::read.clear();
            const tamis::traffic told = ffn(p.x, y, memory, seen);
            CAPTURE(Subset);
            CAPTURE(Layouts);
            CAPTURE(width);
            CAPTURE(biased);
            CHECK(differences(reference_plain(p, exact, seen.masks()), seen, y) == "");
            REQUIRE(seen.seen.size() == 2);
            CHECK(seen.seen[0].where == tamis::site::input);
            CHECK(seen.seen[1].where == tamis::site::intermediate);
            CHECK(seen.seen[0].has_policy == (Subset % 2 == 1));
            CHECK(seen.seen[1].has_policy == (Subset >= 2));
            CHECK(told.bytes_dense == ffn.weights().bytes());
            if constexpr (std::is_same_v<UpFormat, spy> && std::is_same_v<DownFormat, spy>) {
                CHECK(told.bytes_read == spy::bytes_read());
            }
        }
    }
}

template <std::size_t Subset, std::size_t Layouts>
void check_all() {
    check<Subset, Layouts, tamis::f32, tamis::bf16>(tamis::relu{}, exact_relu);
    check<Subset, Layouts, tamis::bf16, tamis::f32>(tamis::gelu{}, exact_gelu);
    check<Subset, Layouts, spy, spy>(tamis::silu{}, exact_silu);
}

} // namespace

TEST_CASE("plain_ffn against the reference") {
    for_constants<4>([]<class Subset>(Subset) {
        for_constants<4>([]<class Layouts>(Layouts) { check_all<Subset::value, Layouts::value>(); });
    });
}

TEST_CASE("plain_ffn: what it skips") {
    using up = tamis::matrix<tamis::f32, tamis::input_major>;
    using up_by_neurons = tamis::matrix<tamis::f32, tamis::neuron_major>;
    using down = tamis::matrix<tamis::f32, tamis::neuron_major>;
    using down_by_outputs = tamis::matrix<tamis::f32, tamis::output_major>;
    using best = decltype(make_plain<3>(std::declval<tamis::plain_weights<up, down>>(), tamis::relu{}));
    using worst = decltype(make_plain<3>(std::declval<tamis::plain_weights<up_by_neurons, down_by_outputs>>(),
                                         tamis::relu{}));
    using none = decltype(make_plain<0>(std::declval<tamis::plain_weights<up, down>>(), tamis::relu{}));
    static_assert(best::skips<tamis::site::input>() == tamis::skipped_matrices{false, true, false});
    static_assert(best::skips<tamis::site::intermediate>() == tamis::skipped_matrices{false, false, true});
    static_assert(worst::skips<tamis::site::input>() == tamis::skipped_matrices{});
    static_assert(worst::skips<tamis::site::intermediate>() == tamis::skipped_matrices{});
    static_assert(none::skips<tamis::site::input>() == tamis::skipped_matrices{});
}

TEST_CASE("plain_ffn: a block equals its tokens, and the workspace is exactly enough") {
    const problem p = random_problem(19, 43, true, 2);
    const auto up = store_up<tamis::bf16, tamis::input_major>(p.up);
    const auto down = store_down<tamis::bf16, tamis::neuron_major>(p.down);
    const auto ffn = make_plain<3>(tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                                   tamis::gelu_tanh{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    engine random{3};
    const std::vector<float> x = coarse_values(3 * 20, random);
    std::vector<float> y(3 * 19);
    std::vector<float> expected(3 * 19);
    tamis::traffic sum;
    for (std::size_t i = 0; i < 3; ++i) {
        sum += ffn(std::span{x}.subspan(i * 20, 19), std::span{expected}.subspan(i * 19, 19), memory);
    }
    const tamis::traffic told = ffn(tamis::block<const float>{x.data(), 3, 19, 20},
                                    tamis::block<float>{y.data(), 3, 19}, tamis::tokens_at_a_time{1, memory});
    CHECK(same_bits(y, expected));
    CHECK(told.bytes_read == sum.bytes_read);
}

} // namespace plain_test
