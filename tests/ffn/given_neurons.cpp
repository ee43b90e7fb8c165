#include "ffn/support_block.hpp"
#include "ffn/support_reference.hpp"
#include "ffn/support_spy.hpp"
#include "ffn/support_subsets.hpp"
#include "support/message.hpp"

#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/ffn/packed_ffn.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/rule/given.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selectors.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace given_neurons_test {

// Masks over the neurons from outside: y is that of the FFN without the neurons they leave out, whose rows are read nowhere.

namespace {

using tamis::given;

tamis::mask neurons_kept(std::size_t d, std::uint64_t seed) {
    engine random{seed};
    tamis::mask kept{d};
    for (std::size_t i = 0; i < d; ++i) {
        kept.set(i, below(random, 3) == 0);
    }
    return kept;
}

/// The problem without the neurons that are left out.
problem only_neurons(const problem& p, tamis::mask_view kept) {
    problem few{{0, p.width(), {}}, {0, p.width(), {}}, {p.width(), 0, {}}, {}, {}, p.down_bias, p.x};
    few.gate.outputs = few.up.outputs = few.down.inputs = kept.count();
    for (std::size_t i = 0; i < kept.size(); ++i) {
        for (std::size_t j = 0; j < p.width() && kept[i]; ++j) {
            few.gate.values.push_back(p.gate.at(i, j));
            few.up.values.push_back(p.up.at(i, j));
        }
        if (kept[i] && !p.up_bias.empty()) {
            few.gate_bias.push_back(p.gate_bias[i]);
            few.up_bias.push_back(p.up_bias[i]);
        }
    }
    for (std::size_t j = 0; j < p.width(); ++j) {
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (kept[i]) {
                few.down.values.push_back(p.down.at(j, i));
            }
        }
    }
    return few;
}

bool close_to(std::span<const float> a, std::span<const float> b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(std::fabs(a[i] - b[i]) <= 1e-4f * (1 + std::fabs(b[i])))) {
            return false;
        }
    }
    return a.size() == b.size();
}

template <class Ffn>
std::vector<float> one_call(const Ffn& ffn, const problem& p) {
    std::vector<float> y(p.width());
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory);
    return y;
}

/// With policies that count no zeros, so that leaving neurons out changes nothing else.
template <std::size_t Layouts, class... Policies>
void check_given(const Policies&... policies) {
    for (const std::size_t neurons : {5u, 70u, 131u}) {
        CAPTURE(Layouts);
        CAPTURE(neurons);
        const problem p = random_problem(37, neurons, true, neurons);
        const tamis::mask kept = neurons_kept(neurons, 7);
        auto weights = store_glu<Layouts, 0>(p, 4);
        const problem few = only_neurons(p, kept);
        const auto few_weights = store_glu<Layouts, 0>(few);
        const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::masks_only(policies)...,
                                 tamis::masks_only(tamis::at_neurons(given{kept}))};
        const tamis::glu_ffn of_few{few_weights.view(), tamis::silu{}, tamis::masks_only(policies)...};
        const std::vector<float> y = one_call(ffn, p);
        CHECK(close_to(y, one_call(of_few, few)));
        for (std::size_t i = 0; i < neurons; ++i) { // what is left out may be NaN
            if (!kept[i] && (Layouts & 1) == 0) {
                weights.gate.spoil(i);
            }
            if (!kept[i] && (Layouts & 2) == 0) {
                weights.up.spoil(i);
            }
            if (!kept[i] && (Layouts & 4) != 0) {
                weights.down.spoil(i);
            }
        }
        CHECK(same_bits(one_call(ffn, p), y));
    }
}

using spy_up = tamis::matrix<spy, tamis::neuron_major>;
using spy_weights = tamis::glu_weights<spy_up, spy_up, spy_up>;
using with_given =
    tamis::glu_ffn<spy_weights, tamis::silu, decltype(tamis::at_neurons(given{tamis::mask_view{}}))>;
static_assert(with_given::skips_given() == tamis::skipped_matrices{true, true, true});
static_assert(!with_given::skips<tamis::site::gate>());
static_assert(tamis::glu_ffn<spy_weights, tamis::silu>::skips_given() == tamis::skipped_matrices{});

} // namespace

TEST_CASE("at_neurons: alone, in every layout") {
    for_constants<layout_count>([]<class Layouts>(Layouts) { check_given<Layouts::value>(); });
}

TEST_CASE("at_neurons: with rules at the sites") {
    using namespace tamis;
    check_given<4>(at_gate(threshold{0.25}));
    check_given<4>(at_up(top_p{0.75}));
    check_given<4>(at_intermediate(max_p{0.125}));
    check_given<4>(at_gate(top_p{0.75}), at_up(threshold{0.125}), at_intermediate(top_p{0.875}));
    check_given<7>(at_input(top_p{0.75}), at_intermediate(top_p{0.875}));
}

TEST_CASE("at_neurons: what it says it read is what it read, a third of all") {
    const problem p = random_problem(23, 90, false, 1);
    const tamis::mask kept = neurons_kept(90, 1);
    const auto weights = store_glu<4, spy, spy, spy>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::at_neurons(given{kept})};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    std::vector<float> y(23);
    spy::read.clear();
    const tamis::traffic read = ffn(p.x, y, memory);
    CHECK(read.bytes_read == 3 * kept.count() * 23 * sizeof(float));
    CHECK(read.bytes_read == spy::bytes_read());
    CHECK(read.bytes_dense == weights.view().bytes());
}

TEST_CASE("at_neurons: other policies make nothing active that it left out") {
    const problem p = random_problem(17, 80, true, 2);
    const tamis::mask kept = neurons_kept(80, 2);
    tamis::mask all{80};
    all.span().fill(true);
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(),
                             tamis::silu{},
                             tamis::at_neurons(given{kept}),
                             tamis::at_gate(given{all}),
                             tamis::at_up(given{all}),
                             tamis::at_intermediate(tamis::always_active{all, tamis::nonzero{}})};
    recorder seen;
    std::vector<float> y(17);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory, seen);
    REQUIRE(seen.seen.size() == 4); // it is no site
    for (const recorder::record& r : seen.seen) {
        CHECK((r.where == tamis::site::input || same_mask(r.mask, kept)));
    }
    CHECK(same_bits(y, one_call(tamis::glu_ffn{weights.view(), tamis::silu{}, tamis::at_neurons(given{kept})},
                                p)));
}

TEST_CASE("at_neurons: a mask a token of a block, whichever tokens share readings") {
    const std::size_t tokens = 7;
    const problem p = random_problem(33, 100, true, 3);
    token_block b{tokens, p.width(), 3};
    tamis::mask_block kept{tokens, 100};
    engine random{4};
    for (std::size_t token = 0; token < tokens; ++token) {
        for (std::size_t i = 0; i < 100; ++i) {
            kept.span().row(token).set(i, below(random, 2) == 0);
        }
    }
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::at_neurons(given{kept}),
                             tamis::at_intermediate(tamis::top_p{0.875})};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, tokens)};
    for (const std::size_t together : {1u, 3u, 7u}) {
        ffn(b.in(), b.out(), tamis::tokens_at_a_time{together, memory});
        for (std::size_t token = 0; token < tokens; ++token) {
            problem one = p;
            one.x = b.x_of(token);
            const tamis::mask alone{kept.row(token)};
            const tamis::glu_ffn of_one{weights.view(), tamis::silu{}, tamis::at_neurons(given{alone}),
                                        tamis::at_intermediate(tamis::top_p{0.875})};
            CHECK(close_to(b.y_of(token), one_call(of_one, one)));
        }
    }
}

TEST_CASE("at_neurons: gatings of up and of the whole gate are those of a mask at the gate") {
    const problem p = random_problem(30, 90, true, 11);
    const tamis::mask kept = neurons_kept(90, 11);
    const auto weights = store_glu<4, 0>(p);
    const auto check_gating = [&](const auto& gating) {
        const tamis::glu_ffn before{weights.view(), gating, tamis::at_neurons(given{kept})};
        const tamis::glu_ffn at_gate{weights.view(), gating, tamis::at_gate(given{kept})};
        CHECK(same_bits(one_call(before, p), one_call(at_gate, p)));
        return before.skips_given();
    };
    CHECK(check_gating(tamis::clipped_swiglu{}).gate);  // whose up of nothing is 1
    CHECK(!check_gating(tamis::sparse_gelu{0.5}).gate); // which needs all gates
}

TEST_CASE("at_neurons of an ungated FFN") {
    const problem p = random_problem(37, 90, true, 5);
    const tamis::mask kept = neurons_kept(90, 5);
    const problem few = only_neurons(p, kept);
    const auto plain_of = [](const problem& q, const auto& weights, auto... policies) {
        return tamis::plain_ffn{tamis::plain_weights{weights.up.view(), weights.down.view(), q.up_bias,
                                                     q.down_bias},
                                tamis::gelu{}, policies...};
    };
    auto weights = store_glu<4, 0>(p);
    const auto few_weights = store_glu<4, 0>(few);
    const auto ffn =
        plain_of(p, weights, tamis::at_neurons(given{kept}), tamis::at_intermediate(tamis::top_p{0.9}));
    static_assert(decltype(ffn)::skips_given() == tamis::skipped_matrices{false, true, true});
    const std::vector<float> y = one_call(ffn, p);
    CHECK(close_to(y, one_call(plain_of(few, few_weights, tamis::at_intermediate(tamis::top_p{0.9})), few)));
    for (std::size_t i = 0; i < 90; ++i) {
        if (!kept[i]) {
            weights.up.spoil(i);
            weights.down.spoil(i);
        }
    }
    CHECK(same_bits(one_call(ffn, p), y));
}

TEST_CASE("given at the sites is a selector like any other") {
    const problem p = random_problem(40, 66, true, 6);
    const tamis::mask of_x = neurons_kept(40, 8);
    const tamis::mask of_gate = neurons_kept(66, 9);
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::masks_only(tamis::at_input(given{of_x})),
                             tamis::at_gate(given{of_gate} & tamis::top_p{0.875})};
    recorder seen;
    std::vector<float> y(40);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory, seen);
    CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
    CHECK(same_mask(seen.seen[0].mask, of_x));
    CHECK(same_mask(seen.seen[1].mask, of_gate & tamis::top_p{0.875}(seen.seen[1].values)));
}

TEST_CASE("at_neurons: pack makes down neuron_major for it") {
    const problem p = random_problem(12, 20, false, 7);
    const tamis::mask kept = neurons_kept(20, 7);
    const auto weights = store_glu<0, 0>(p);
    const auto ffn = tamis::packed_ffn(weights.view(), tamis::silu{}, tamis::at_neurons(given{kept}));
    static_assert(decltype(ffn)::skips_given() == tamis::skipped_matrices{true, true, true});
    CHECK(ffn.owned_bytes() == 12 * 20 * sizeof(float));
}

#if defined(__cpp_exceptions)
TEST_CASE("at_neurons: masks of another size are refused with both") {
    const problem p = random_problem(12, 20, false, 7);
    const tamis::mask kept{21};
    const tamis::mask_block rows{1, 20};
    const auto weights = store_glu<4, 0>(p);
    CHECK(message_of([&] {
              one_call(tamis::glu_ffn{weights.view(), tamis::silu{}, tamis::at_neurons(given{kept})}, p);
          }) == "tamis::given: a mask over 20 entries is needed, got one over 21");
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::at_neurons(given{rows})};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, 2)};
    token_block b{2, 12, 1};
    CHECK(message_of([&] { ffn(b.in(), b.out(), memory); }) ==
          "tamis::given: masks for 2 tokens at least are needed, got 1");
}
#endif

} // namespace given_neurons_test
