#include "ffn/support_subsets.hpp"

#include <doctest/doctest.h>

// skips<site>() and skips_all<site>() against the table of the README: what a site's mask saves in which
// layout.

namespace {

using tamis::site;
using tamis::skipped_matrices;

constexpr skipped_matrices nothing{};

template <std::size_t Layouts>
using weights_in = tamis::glu_weights<tamis::matrix<tamis::f32, gate_layout<Layouts>>,
                                      tamis::matrix<tamis::bf16, up_layout<Layouts>>,
                                      tamis::matrix<tamis::f32, down_layout<Layouts>>>;

template <std::size_t Subset, std::size_t Layouts>
using ffn_in = decltype(make_glu<Subset>(std::declval<weights_in<Layouts>>(), tamis::silu{}));

template <std::size_t Subset, std::size_t Layouts>
consteval bool follows_the_table() {
    using ffn = ffn_in<Subset, Layouts>;
    constexpr bool gate_by_inputs = (Layouts & 1) != 0;
    constexpr bool up_by_inputs = (Layouts & 2) != 0;
    constexpr bool down_by_neurons = (Layouts & 4) != 0;
    constexpr bool input = has_site(Subset, site::input);
    constexpr bool gate = has_site(Subset, site::gate);
    constexpr bool up = has_site(Subset, site::up);
    constexpr bool intermediate = has_site(Subset, site::intermediate);
    static_assert(ffn::template has<site::input> == input && ffn::template has<site::gate> == gate &&
                  ffn::template has<site::up> == up && ffn::template has<site::intermediate> == intermediate);

    //                                                                    gate               up              down
    constexpr skipped_matrices by_input =
        input ? skipped_matrices{gate_by_inputs, up_by_inputs, false} : nothing;
    constexpr skipped_matrices by_gate =
        gate ? skipped_matrices{false, !up_by_inputs, down_by_neurons} : nothing;
    constexpr skipped_matrices by_up =
        up ? skipped_matrices{!gate_by_inputs && !gate, false, down_by_neurons} : nothing;
    constexpr skipped_matrices by_product =
        intermediate ? skipped_matrices{false, false, down_by_neurons} : nothing;

    return ffn::template skips<site::input>() == by_input && ffn::template skips<site::gate>() == by_gate &&
           ffn::template skips<site::up>() == by_up &&
           ffn::template skips<site::intermediate>() == by_product &&
           ffn::template skips_all<site::input>() == (input && gate_by_inputs && up_by_inputs) &&
           ffn::template skips_all<site::gate>() == (gate && !up_by_inputs && down_by_neurons) &&
           ffn::template skips_all<site::up>() == (up && !gate && !gate_by_inputs && down_by_neurons) &&
           ffn::template skips_all<site::intermediate>() == (intermediate && down_by_neurons);
}

template <std::size_t... I>
consteval bool all_follow(std::index_sequence<I...>) {
    return (follows_the_table<I / layout_count, I % layout_count>() && ...);
}

} // namespace

TEST_CASE("skips: all subsets in all layouts follow the table") {
    static_assert(all_follow(std::make_index_sequence<subset_count * layout_count>{}));
}

TEST_CASE("skips: the layouts that each site wants") {
    static_assert(ffn_in<1, 3>::skips_all<site::input>());
    static_assert(ffn_in<2, 4>::skips_all<site::gate>());
    static_assert(ffn_in<4, 4>::skips_all<site::up>());
    static_assert(ffn_in<8, 4>::skips_all<site::intermediate>());
    static_assert(ffn_in<9, 7>::skips_all<site::input>() && ffn_in<9, 7>::skips_all<site::intermediate>());
    static_assert(!ffn_in<0, 7>::skips_all<site::input>(), "without a policy nothing is skipped");
}
