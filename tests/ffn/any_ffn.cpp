#include "ffn/support_block.hpp"
#include "ffn/support_subsets.hpp"
#include "ffn/support_threads.hpp"
#include "support/message.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/format/f16.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>

#include <doctest/doctest.h>

namespace any_ffn_test {

// What is chosen at run time gives the bits of what is chosen at compile time: y, what is read, and what is seen.

namespace {

using any_formats =
    tamis::formats<tamis::f32, tamis::bf16, tamis::f16, tamis::q8_0, tamis::q4_0, tamis::int8_by_row>;
using any_gatings =
    tamis::gatings<tamis::silu, tamis::gelu_tanh, tamis::relu2, tamis::sparse_gelu, tamis::clipped_swiglu>;
using any_one = tamis::any_ffn<any_formats, any_gatings>;

bool same_sightings(const recorder& a, const recorder& b) {
    bool same = a.seen.size() == b.seen.size();
    for (std::size_t i = 0; same && i < a.seen.size(); ++i) {
        const recorder::record& x = a.seen[i];
        const recorder::record& y = b.seen[i];
        same = x.where == y.where && same_bits(x.values, y.values) && x.mask == y.mask &&
               x.has_policy == y.has_policy && x.token == y.token;
    }
    return same;
}
bool same_traffic(tamis::traffic a, tamis::traffic b) {
    return a.bytes_read == b.bytes_read && a.bytes_dense == b.bytes_dense && a.bytes_shared == b.bytes_shared;
}

/// One token, and a block on threads.
template <class Ffn>
void check_same(const any_one& any, const Ffn& ffn) {
    token_block a{5, ffn.width(), 1};
    token_block b = a;
    recorder seen_a;
    recorder seen_b;
    const auto threads = threads_of(3);
    tamis::owned_workspace memory_a{any.workspace_bytes(threads, 5)};
    tamis::owned_workspace memory_b{ffn.workspace_bytes(threads, 5)};
    REQUIRE(any.width() == ffn.width());
    REQUIRE(any.neurons() == ffn.neurons());
    REQUIRE(any.bytes() == ffn.weights().bytes());
    tamis::traffic read_a = any(a.x_of(0), a.out().row(0), memory_a, seen_a);
    tamis::traffic read_b = ffn(b.x_of(0), b.out().row(0), memory_b, seen_b);
    CHECK(same_bits(a.y_of(0), b.y_of(0)));
    CHECK(same_traffic(read_a, read_b));
    read_a = any(a.in(), a.out(), memory_a, threads, seen_a);
    read_b = ffn(b.in(), b.out(), memory_b, threads, seen_b);
    CHECK(same_bits(a.y, b.y));
    CHECK(same_traffic(read_a, read_b));
    CHECK(same_sightings(seen_a, seen_b));
}

template <std::size_t Subset, class Weights, class Sigma>
any_one any_of(const Weights& weights, const Sigma& sigma) {
    return std::apply(
        [&](auto... policies) {
            return any_one{weights, sigma, tamis::masks_only(policies)...};
        },
        policies_of<Subset>());
}
template <std::size_t Subset, class Weights, class Sigma>
void check_skips(const any_one& any, const Weights& weights, const Sigma& sigma) {
    const auto ffn = make_glu<Subset>(weights, sigma);
    using type = std::remove_const_t<decltype(ffn)>;
    CHECK(any.skips(tamis::site::input) == type::template skips<tamis::site::input>());
    CHECK(any.skips(tamis::site::gate) == type::template skips<tamis::site::gate>());
    CHECK(any.skips(tamis::site::up) == type::template skips<tamis::site::up>());
    CHECK(any.skips(tamis::site::intermediate) == type::template skips<tamis::site::intermediate>());
    check_same(any, ffn);
}

} // namespace

TEST_CASE("any_ffn: policies at no site, at each, and together") {
    const problem p = random_problem(37, 70, true, 1);
    const auto weights = store_glu<4, 0>(p, 8);
    const auto check_subset = [&]<std::size_t... Subset>(std::index_sequence<Subset...>) {
        (check_skips<Subset>(any_of<Subset>(weights.view(), tamis::silu{}), weights.view(), tamis::silu{}),
         ...);
    };
    check_subset(std::index_sequence<0, 1, 2, 4, 6, 8, 13, 15>{});
}

TEST_CASE("any_ffn: layouts and formats that differ") {
    const problem p = random_problem(37, 70, false, 2);
    const auto check_layout = [&]<std::size_t... Layouts>(std::index_sequence<Layouts...>) {
        const auto check_one = [&](const auto& weights) {
            check_skips<5>(any_of<5>(weights.view(), tamis::relu2{}), weights.view(), tamis::relu2{});
        };
        (check_one(store_glu<Layouts, 2>(p, 8)), ...);
    };
    check_layout(std::index_sequence<0, 3, 5, 6>{});
}

TEST_CASE("any_ffn: every format") {
    const problem p = random_problem(96, 64, true, 3);
    const auto check_format = [&]<class F>(F) {
        CAPTURE(F::name);
        const auto weights = store_glu<7, F, F, tamis::f32>(p);
        check_same(any_of<9>(weights.view(), tamis::gelu_tanh{}),
                   make_glu<9>(weights.view(), tamis::gelu_tanh{}));
    };
    check_format(tamis::bf16{});
    check_format(tamis::f16{});
    check_format(tamis::q8_0{});
    check_format(tamis::q4_0{});
    check_format(tamis::int8_by_row{});
}

TEST_CASE("any_ffn: gatings of up, and of the whole gate, which an up mask can not save") {
    const problem p = random_problem(37, 70, true, 4);
    const auto weights = store_glu<4, 0>(p);
    check_skips<4>(any_of<4>(weights.view(), tamis::clipped_swiglu{}), weights.view(),
                   tamis::clipped_swiglu{});
    check_skips<12>(any_of<12>(weights.view(), tamis::sparse_gelu{0.5}), weights.view(),
                    tamis::sparse_gelu{0.5});
    check_skips<0>(any_of<0>(weights.view(), tamis::sparse_gelu{0.5}), weights.view(),
                   tamis::sparse_gelu{0.5});
}

TEST_CASE("any_ffn: masks from outside, alone and with rules") {
    const problem p = random_problem(37, 70, true, 5);
    const auto weights = store_glu<4, 0>(p);
    engine random{5};
    tamis::mask_block kept{5, 70};
    for (std::size_t i = 0; i < 5 * 70; ++i) {
        kept.span().row(i / 70).set(i % 70, below(random, 3) == 0);
    }
    const auto neurons = tamis::at_neurons(tamis::given{kept});
    const auto check_given_any = [&](const auto& sigma, auto... policies) {
        const any_one any{weights.view(), sigma, neurons, policies...};
        const tamis::glu_ffn ffn{weights.view(), sigma, neurons, policies...};
        CHECK(any.skips_given() == ffn.skips_given());
        check_same(any, ffn);
    };
    check_given_any(tamis::silu{});
    check_given_any(tamis::sparse_gelu{0.5}, tamis::at_up(tamis::top_p{0.75}));
    check_given_any(tamis::silu{}, tamis::at_gate(tamis::top_p{0.75}),
                    tamis::at_intermediate(tamis::top_p{0.9}));
    check_given_any(tamis::clipped_swiglu{}, tamis::at_up(tamis::given{kept}));
}

TEST_CASE("any_ffn: ungated") {
    const problem p = random_problem(37, 70, true, 6);
    const auto weights = store_glu<6, 3>(p);
    const tamis::plain_weights plain{weights.up.view(), weights.down.view(), p.up_bias, p.down_bias};
    const auto input = tamis::at_input(tamis::top_p{0.875});
    const auto intermediate = tamis::at_intermediate(tamis::max_p{0.125});
    const any_one any{plain, tamis::relu2{}, input, intermediate};
    CHECK(!any.is_gated());
    CHECK(any.skips(tamis::site::input) == tamis::skipped_matrices{false, true, false});
    CHECK(any.skips(tamis::site::intermediate) == tamis::skipped_matrices{false, false, true});
    check_same(any, tamis::plain_ffn{plain, tamis::relu2{}, input, intermediate});
    check_same(any_one{plain, tamis::silu{}}, tamis::plain_ffn{plain, tamis::silu{}});
}

TEST_CASE("any_ffn: all of it from values, as a file and settings say it") {
    const problem p = random_problem(64, 96, false, 7);
    const auto weights = store_glu<4, tamis::q8_0, tamis::q8_0, tamis::f16>(p);
    const auto typed = weights.view();
    using tamis::any_matrix, tamis::weight_layout;
    const tamis::any_glu_weights read{
        any_matrix{"q8_0", weight_layout::neuron_major, typed.gate.row(0), 96, 64},
        any_matrix{"q8_0", weight_layout::neuron_major, typed.up.row(0), 96, 64},
        any_matrix{"f16", weight_layout::neuron_major, typed.down.row(0), 96, 64}};
    any_one::gating_type sigma = tamis::gelu_tanh{};
    std::vector<tamis::any_policy> policies;
    policies.push_back({tamis::site::gate, tamis::threshold{0.25}});
    policies.push_back({tamis::site::input, tamis::top_k{40}, true});
    const any_one any{read, sigma, policies};
    CHECK(any.has(tamis::site::gate));
    CHECK(!any.has(tamis::site::up));
    check_same(any, tamis::glu_ffn{typed, tamis::gelu_tanh{}, tamis::at_gate(tamis::threshold{0.25}),
                                   tamis::masks_only(tamis::at_input(tamis::top_k{40}))});
}

TEST_CASE("any_ffn: the other calls that FFNs have") {
    const problem p = random_problem(40, 70, true, 8);
    const auto weights = store_glu<4, 0>(p);
    const any_one any{weights.view(), tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    std::vector<float> a(40, 0.5f);
    std::vector<float> b = a;
    tamis::owned_workspace memory{any.workspace_bytes()};
    any(tamis::scaled{p.x, 0.5f}, tamis::add_to{a, 0.25f}, memory);
    ffn(tamis::scaled{p.x, 0.5f}, tamis::add_to{b, 0.25f}, memory);
    CHECK(same_bits(a, b));
}

#if defined(__cpp_exceptions)
TEST_CASE("any_ffn: what does not fit is refused by name") {
    const problem p = random_problem(32, 64, true, 9);
    const auto weights = store_glu<4, 0>(p);
    const auto typed = weights.view();
    using tamis::any_matrix, tamis::weight_layout;
    const any_matrix up{typed.up};
    const any_matrix down{typed.down};
    const auto said = [&](const any_matrix& gate, const any_matrix& d, auto... policies) {
        return message_of([&] { any_one{tamis::any_glu_weights{gate, up, d}, tamis::silu{}, policies...}; });
    };
    CHECK(said(up, down) == "");
    CHECK(
        said({"iq2_xxs", weight_layout::neuron_major, up.data(), 64, 32}, down) ==
        "tamis: W_gate is 'iq2_xxs', but this is compiled for f32, bf16, f16, q8_0, q4_0, int8_by_row: add it to "
        "formats<...>, or repack");
    CHECK(said({"f32", weight_layout::output_major, up.data(), 64, 32}, down) ==
          "tamis::any_ffn: W_gate is output_major; it has to be neuron_major or input_major");
    CHECK(said(up, {"f32", weight_layout::input_major, down.data(), 64, 32}) ==
          "tamis::any_ffn: W_down is input_major; it has to be neuron_major or output_major");
    CHECK(said({"f32", weight_layout::neuron_major, up.data(), 63, 32}, down) ==
          "tamis::glu_weights: W_up has 64 neurons, W_gate 63");
    CHECK(said({"f32", weight_layout::neuron_major, nullptr, 64, 32}, down) ==
          "tamis::matrix: 64 rows of 32 weights at a null pointer");
    CHECK(said({"f32", weight_layout::neuron_major, up.data(), 64, 32, 127}, down) ==
          "tamis::matrix: a row takes 128 bytes, but stride_bytes is 127");
    CHECK(
        said(up, down, tamis::at_input(tamis::top_p{0.5})) ==
        "tamis::any_ffn: the mask at the input saves nothing: no matrix is input_major. Repack them (tamis::repack), "
        "or ask for masks alone: masks_only(...)");
    CHECK(said(up, down, tamis::masks_only(tamis::at_input(tamis::top_p{0.5}))) == "");
    CHECK(said(up, down, tamis::at_gate(tamis::top_p{0.5}), tamis::at_gate(tamis::top_k{1})) ==
          "tamis::any_ffn: two policies at gate; join two rules by & or |");
    const any_matrix flat{"f32", weight_layout::output_major, down.data(), 32, 64};
    CHECK(said(up, flat, tamis::at_intermediate(tamis::top_p{0.5})).find("W_down is output_major") !=
          std::string::npos);
    CHECK(message_of([&] {
              any_one{tamis::any_plain_weights{up, down}, tamis::silu{}, tamis::at_gate(tamis::top_p{0.5})};
          }) == "tamis::any_ffn: an ungated FFN has the sites input and intermediate");
    CHECK(message_of([&] {
              any_one{tamis::any_plain_weights{up, down}, tamis::sparse_gelu{0.5}};
          }) ==
          "tamis::any_ffn: an ungated FFN takes an activation; this gating changes up, or takes all gates");
}
#endif

} // namespace any_ffn_test
