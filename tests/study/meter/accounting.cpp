#include <tamis/study/meter/accounting.hpp>

#include "study/support_ffn.hpp"
#include "support/message.hpp"

#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/format/int8_by_row.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

using tamis::site;
using tamis::study::accounting_meter;
using tamis::study::ffn_sizes;

static_assert(tamis::study::meter<accounting_meter> && tamis::study::has_state<accounting_meter>);

namespace {

/// Token by token, what the meter counts is what the FFN says it read.
template <std::size_t Subset, class Weights>
void check(const Weights& weights, const problem_of_tokens& problem) {
    CAPTURE(Subset);
    const auto packed = packed_for<Subset>(weights);
    const auto ffn = make_glu<Subset>(packed.view(), tamis::silu{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    accounting_meter m{ffn_sizes::of(weights)};
    accounting_meter of_packed{ffn_sizes::of(packed.view())};
    std::vector<float> y(problem.p.width());
    tamis::traffic told;
    for (std::size_t t = 0; t < problem.tokens; ++t) {
        told += ffn(problem.token(t), y, memory, m);
        ffn(problem.token(t), y, memory, of_packed);
        CHECK(m.bytes().bytes_read == told.bytes_read);
        CHECK(m.bytes().bytes_dense == told.bytes_dense);
        CHECK(of_packed.bytes().bytes_read == told.bytes_read);
        CHECK(of_packed.bytes().bytes_dense == told.bytes_dense);
    }
    CHECK(m.tokens() == problem.tokens);
    CHECK(m.multiply_adds_dense() == 3 * problem.tokens * problem.p.width() * problem.p.neurons());
    CHECK(m.bytes_not_read() ==
          static_cast<double>(told.bytes_skipped()) / static_cast<double>(told.bytes_dense));
    CHECK((Subset == 0) == (m.bytes_not_read() == 0));
}

} // namespace

TEST_CASE("accounting: what glu_ffn says it reads, for every subset of sites and any formats") {
    const problem_of_tokens problem{32, 64, 5, true, 1};
    const problem_of_tokens odd{7, 13, 3, false, 2};
    for_constants<subset_count>([&]<class Subset>(Subset) {
        check<Subset::value>(store_glu<0, 0>(problem.p).view(), problem);
        const auto mixed = store_glu<0, tamis::q8_0, tamis::bf16, tamis::q4_0>(problem.p);
        check<Subset::value>(mixed.view(), problem);
        const auto by_neurons = store_glu<4, 0>(problem.p, 8);
        check<Subset::value>(by_neurons.view(), problem);
        using int8 = tamis::int8_by_row; // with a factor a row, so that a layout's bytes are its own
        check<Subset::value>(store_glu<0, int8, int8, int8>(odd.p).view(), odd);
    });
}

TEST_CASE("accounting: multiply-adds are the weights that are read, in one format") {
    const problem_of_tokens problem{17, 33, 4, false, 3};
    for_constants<subset_count>([&]<class Subset>(Subset) {
        accounting_meter m{ffn_sizes::of<tamis::f32>(17, 33)};
        run_glu<Subset::value>(problem, tamis::relu{}, m);
        CHECK(m.multiply_adds() * sizeof(float) == m.bytes().bytes_read);
        CHECK(m.multiply_adds_dense() * sizeof(float) == m.bytes().bytes_dense);
        CHECK(m.multiply_adds_not_done() == m.bytes_not_read());
    });
}

TEST_CASE("accounting: the same from a block of hooked_ffn, site by site") {
    const problem_of_tokens problem{23, 41, 6, true, 4};
    for_constants<subset_count>([&]<class Subset>(Subset) {
        CAPTURE(Subset::value);
        const accounting_meter fresh{ffn_sizes::of<tamis::bf16>(23, 41)};
        accounting_meter by_glu = fresh;
        run_glu<Subset::value>(problem, tamis::silu{}, by_glu);
        accounting_meter by_hooks = fresh;
        run_hooked(problem, plan_of<Subset::value>(), tamis::silu{}, by_hooks);
        if (!has_gate_and_up(Subset::value)) {
            CHECK(to_words(by_hooks) == to_words(by_glu));
        }
        CHECK(by_hooks.tokens() == 6);
    });
}

TEST_CASE("accounting: with masks at gate and up, down is read where both are active") {
    accounting_meter m{ffn_sizes::of<tamis::f32>(2, 4)};
    const std::vector<float> x{1, 1};
    const std::vector<float> i(4, 1.0f);
    m(tamis::sighting{site::input, x, {}, false, 0});
    m(masked(site::gate, "1101"));
    m(masked(site::up, "1011")); // over all of up, as hooked_ffn has it
    m(tamis::sighting{site::intermediate, i, {}, false, 0});
    CHECK(m.multiply_adds() == 2 * (4 + 3 + 2));
    m(tamis::sighting{site::input, x, {}, false, 0});
    m(masked(site::up, "1000")); // up alone comes before gate, and saves gate
    m(tamis::sighting{site::gate, i, {}, false, 0});
    m(masked(site::intermediate, "0000"));
    CHECK(m.multiply_adds() == 2 * (4 + 3 + 2) + 2 * (1 + 4 + 0));
    CHECK(m.tokens() == 2);
}

TEST_CASE("accounting: the input counts two thirds of the matrices, the intermediate one") {
    accounting_meter m{ffn_sizes::of<tamis::f32>(4, 8)};
    const std::vector<float> i(8, 1.0f);
    m(masked(site::input, "1000"));
    m(tamis::sighting{site::gate, i, {}, false, 0});
    m(tamis::sighting{site::up, i, {}, false, 0});
    m(masked(site::intermediate, "11110000"));
    CHECK(m.bytes_not_read() == doctest::Approx(0.75 * 2 / 3 + 0.5 / 3).epsilon(1e-15));
}

TEST_CASE("accounting: an ungated FFN") {
    const problem_of_tokens problem{9, 20, 4, false, 5};
    const auto up = store_up<tamis::f32, tamis::neuron_major>(problem.p.up);
    const auto up_by_inputs = store_up<tamis::f32, tamis::input_major>(problem.p.up);
    const auto down = store_down<tamis::f32, tamis::neuron_major>(problem.p.down);
    const tamis::plain_weights weights{up_by_inputs.view(), down.view()};
    const tamis::plain_ffn ffn{weights, tamis::relu{}, tamis::at_input(tamis::top_p{0.8}),
                               tamis::at_intermediate(tamis::nonzero{})};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    for (const ffn_sizes& sizes : {ffn_sizes::of(tamis::plain_weights{up.view(), down.view()}),
                                   ffn_sizes::of<tamis::f32>(9, 20, false)}) {
        accounting_meter m{sizes};
        tamis::traffic told;
        std::vector<float> y(9);
        for (std::size_t t = 0; t < problem.tokens; ++t) {
            told += ffn(problem.token(t), y, memory, m);
        }
        CHECK(m.bytes().bytes_read == told.bytes_read);
        CHECK(m.bytes().bytes_dense == told.bytes_dense);
        CHECK(m.multiply_adds_dense() == 2 * 4 * 9 * 20);
    }
}

TEST_CASE("accounting: merged in any order it is one meter") {
    std::vector<owned_sighting> all;
    engine random{6};
    for (std::size_t t = 0; t < 12; ++t) {
        all.push_back({site::input, std::vector<float>(10), random_mask(10, 50, random), true, 0});
        all.push_back({site::gate, std::vector<float>(20), random_mask(20, 50, random), true, 0});
        all.push_back({site::up, std::vector<float>(20), {}, false, 0});
        all.push_back({site::intermediate, std::vector<float>(20), random_mask(20, 50, random), true, 0});
    }
    CHECK(merges_exactly(accounting_meter{ffn_sizes::of<tamis::q8_0>(10, 20)}, all, 4));
}

TEST_CASE("accounting: nothing seen, nothing saved") {
    const accounting_meter m{ffn_sizes::of<tamis::f32>(3, 5)};
    CHECK(m.bytes_not_read() == 0);
    CHECK(m.multiply_adds_not_done() == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("accounting: masks and meters of other sizes are refused") {
    accounting_meter m{ffn_sizes::of<tamis::f32>(3, 5)};
    CHECK(message_of([&] {
              m(masked(site::input, "10101"));
          }).find("over 3 entries is needed here, got one over 5") != std::string::npos);
    CHECK(message_of([&] { m(masked(site::up, "101")); }).find("over 5 entries") != std::string::npos);
    CHECK(message_of([&] { m.merge(accounting_meter{ffn_sizes::of<tamis::f32>(4, 5)}); }).find("width 3") !=
          std::string::npos);
    CHECK(message_of([&] { m.merge(accounting_meter{ffn_sizes::of<tamis::f32>(3, 6)}); }).find("5 neurons") !=
          std::string::npos);
}
#endif
