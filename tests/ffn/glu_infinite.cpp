#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

// An inactive entry contributes nothing, not even infinity times zero: a gate that overflowed is left out
// with its neuron, in the layouts that skip it and in those that do not.

namespace {

/// Keeps what its author says: for one size.
struct fixed_set : tamis::selects<fixed_set> {
    std::uint64_t bits;
    explicit fixed_set(std::uint64_t kept) : bits{kept} {}
    void select(std::span<const float>, tamis::mask_span out, tamis::workspace) const {
        out.words()[0] = bits;
    }
    static std::size_t selection_bytes(std::size_t) { return 0; }
};

template <std::size_t Layouts, class... Policies>
std::vector<float> run(const problem& p, const Policies&... policies) {
    const auto weights = store_glu<Layouts, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::linear{}, tamis::masks_only(policies)...};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> y(p.width());
    ffn(p.x, y, memory);
    return y;
}

} // namespace

TEST_CASE_TEMPLATE("an infinite neuron that is masked at gate or up changes nothing", Layouts,
                   std::integral_constant<std::size_t, 0>, std::integral_constant<std::size_t, 3>,
                   std::integral_constant<std::size_t, 4>, std::integral_constant<std::size_t, 7>) {
    constexpr std::size_t layouts = Layouts::value;
    problem p = random_problem(5, 6, true, 11);
    const std::uint64_t without_neuron_2 = 0b111011;
    const auto tame_gate = run<layouts>(p, tamis::at_gate(fixed_set{without_neuron_2}));
    const auto tame_up = run<layouts>(p, tamis::at_up(fixed_set{without_neuron_2}));
    REQUIRE(all_finite(tame_gate));

    problem wild = p;
    wild.gate_bias[2] = inf_of<float>;
    CHECK(same_bits(run<layouts>(wild, tamis::at_gate(fixed_set{without_neuron_2})), tame_gate));
    CHECK(same_bits(run<layouts>(wild, tamis::at_up(fixed_set{without_neuron_2})), tame_up));
    wild.gate_bias[2] = nan_of<float>;
    CHECK(same_bits(run<layouts>(wild, tamis::at_up(fixed_set{without_neuron_2})), tame_up));

    wild = p;
    wild.up_bias[2] = inf_of<float>;
    CHECK(same_bits(run<layouts>(wild, tamis::at_gate(fixed_set{without_neuron_2})), tame_gate));
    CHECK(same_bits(run<layouts>(wild, tamis::at_up(fixed_set{without_neuron_2})), tame_up));
    const auto tame_product = run<layouts>(p, tamis::at_intermediate(fixed_set{without_neuron_2}));
    CHECK(same_bits(run<layouts>(wild, tamis::at_intermediate(fixed_set{without_neuron_2})), tame_product));
}

TEST_CASE_TEMPLATE("an infinite gate that its own mask keeps and the up's leaves out", Layouts,
                   std::integral_constant<std::size_t, 0>, std::integral_constant<std::size_t, 7>) {
    constexpr std::size_t layouts = Layouts::value;
    problem p = random_problem(5, 6, true, 13);
    const fixed_set all{0b111111};
    const fixed_set without_neuron_2{0b111011};
    const auto tame = run<layouts>(p, tamis::at_gate(all), tamis::at_up(without_neuron_2));
    const auto tame_nonzero = run<layouts>(p, tamis::at_gate(all), tamis::at_up(without_neuron_2),
                                           tamis::at_intermediate(tamis::nonzero{}));
    for (const float wild : {inf_of<float>, nan_of<float>}) { // 0 * infinity is no zero
        p.gate_bias[2] = wild;
        CHECK(same_bits(run<layouts>(p, tamis::at_gate(all), tamis::at_up(without_neuron_2)), tame));
        CHECK(same_bits(run<layouts>(p, tamis::at_gate(all), tamis::at_up(without_neuron_2),
                                     tamis::at_intermediate(tamis::nonzero{})),
                        tame_nonzero));
    }
}

TEST_CASE("an infinite or NaN input that is masked changes nothing") {
    problem p = random_problem(5, 6, true, 12);
    const std::uint64_t without_input_3 = 0b10111;
    const auto tame = run<7>(p, tamis::at_input(fixed_set{without_input_3}));
    const auto tame_by_neurons = run<4>(p, tamis::at_input(fixed_set{without_input_3}));
    for (const float wild : {inf_of<float>, negative_inf_of<float>, nan_of<float>}) {
        p.x[3] = wild;
        CHECK(same_bits(run<7>(p, tamis::at_input(fixed_set{without_input_3})), tame));
        CHECK(same_bits(run<4>(p, tamis::at_input(fixed_set{without_input_3})), tame_by_neurons));
    }
}
