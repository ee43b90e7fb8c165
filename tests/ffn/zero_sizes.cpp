#include "ffn/support_block.hpp"

#include <tamis/ffn/pack.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/ffn/prefill.hpp>
#include <tamis/select_block.hpp>

#include <doctest/doctest.h>

namespace zero_sizes_test {

// No neurons, no width, no tokens, and an executor that says it has no threads: every combination gives what the formula
// gives, which is the bias.

namespace {

/// An executor that is wrong about itself, or not: width 0 counts as 1.
struct zero_threads {
    std::size_t says;

    std::size_t width() const { return says; }
    template <class Task>
    void run(std::size_t count, Task&& task) const {
        for (std::size_t i = count; i-- > 0;) {
            task(i);
        }
    }
};

struct zero_case {
    std::size_t width, neurons, tokens, threads;
};
template <class F>
void for_zero_cases(F&& f) {
    for (const std::size_t width : {0u, 3u}) {
        for (const std::size_t neurons : {0u, 5u}) {
            for (const std::size_t tokens : {0u, 1u, 3u}) {
                for (const std::size_t threads : {0u, 1u, 2u, 9u}) {
                    CAPTURE(width);
                    CAPTURE(neurons);
                    CAPTURE(tokens);
                    CAPTURE(threads);
                    f(zero_case{width, neurons, tokens, threads});
                }
            }
        }
    }
}

/// Runs a block, and compares it with tokens one by one; without neurons y is the bias.
template <class Ffn>
void check_zero(const Ffn& ffn, const zero_case& at, std::span<const float> bias) {
    const zero_threads threads{at.threads};
    token_block b{at.tokens, at.width, 1};
    tamis::owned_workspace memory{ffn.workspace_bytes(threads, at.tokens)};
    const tamis::traffic told = ffn(b.in(), b.out(), memory, threads);
    CHECK(told.bytes_dense == at.tokens * ffn.weights().bytes());
    CHECK(told.bytes_read <= told.bytes_dense);
    CHECK(all_finite(b.y));

    std::vector<float> many(b.y.size(), nan_of<float>);
    tamis::owned_workspace for_all{tamis::prefill_workspace_bytes(ffn, at.tokens, threads)};
    tamis::prefill(ffn, b.in(), tamis::block<float>{many.data(), at.tokens, at.width}, for_all, threads);
    for (std::size_t token = 0; token < at.tokens; ++token) {
        std::vector<float> alone(at.width);
        ffn(b.x_of(token), alone, memory);
        std::size_t wrong = 0;
        for (std::size_t j = 0; j < at.width; ++j) {
            wrong += std::abs(b.y_of(token)[j] - alone[j]) <= 1e-5f ? 0u : 1u;
            wrong += std::abs(many[token * at.width + j] - alone[j]) <= 1e-5f ? 0u : 1u;
            wrong += at.neurons != 0 || alone[j] == bias[j] ? 0u : 1u;
        }
        CHECK(wrong == 0);
    }
}

template <std::size_t Subset, std::size_t Layouts>
void check_zero_glu(const zero_case& at) {
    CAPTURE(Subset);
    const problem p = random_problem(at.width, at.neurons, true, 1);
    const auto weights = store_glu<Layouts, 0>(p);
    check_zero(make_glu<Subset>(weights.view(), tamis::silu{}), at, p.down_bias);
}

} // namespace

TEST_CASE("zero sizes: a gated FFN, in layouts of either kind") {
    for_zero_cases([](const zero_case& at) {
        check_zero_glu<0, 0>(at);
        check_zero_glu<15, 7>(at);
    });
}

TEST_CASE("zero sizes: an ungated FFN") {
    for_zero_cases([](const zero_case& at) {
        const problem p = random_problem(at.width, at.neurons, true, 1);
        const auto up = store_up<tamis::bf16, tamis::input_major>(p.up);
        const auto down = store_down<tamis::bf16, tamis::neuron_major>(p.down);
        check_zero(tamis::plain_ffn{tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                                    tamis::relu{}, tamis::at_input(tamis::top_p{0.9}),
                                    tamis::at_intermediate(tamis::top_p{0.9})},
                   at, p.down_bias);
    });
}

TEST_CASE("zero sizes: pack and repack") {
    for_zero_cases([](const zero_case& at) {
        if (at.tokens != 0) {
            return;
        }
        const problem p = random_problem(at.width, at.neurons, false, 1);
        const auto weights = store_glu<0, 0>(p);
        const tamis::on_threads on{zero_threads{at.threads}};
        const auto packed = tamis::pack<tamis::bf16>(on, weights.view(), tamis::at_input(tamis::top_p{0.9}),
                                                     tamis::at_intermediate(tamis::top_p{0.9}));
        CHECK(packed.owned_bytes() == 3 * 2 * at.width * at.neurons);
        CHECK(packed.view().width() == at.width);
        CHECK(packed.view().neurons() == at.neurons);
        const auto down = weights.down.view();
        std::vector<std::byte> memory(tamis::repacked_bytes<tamis::f32, tamis::neuron_major>(down));
        const auto again = tamis::repack<tamis::f32, tamis::neuron_major>(down, memory, on.threads);
        CHECK(again.rows() == at.neurons);
        CHECK(again.columns() == at.width);
        for (std::size_t i = 0; i < memory.size() / sizeof(float); ++i) {
            CHECK(again.at(i / at.width, i % at.width) == down.at(i % at.width, i / at.width));
        }
        const auto place = tamis::repack_in_place<tamis::f32, tamis::output_major>(again, memory, on.threads);
        CHECK(place.rows() == at.width);
    });
}

TEST_CASE("zero sizes: masks of a block by an executor without threads") {
    const std::vector<float> x{1, 2, 3, 4, 5, 6};
    const tamis::block<const float> values{x.data(), 2, 3};
    const zero_threads threads{0};
    tamis::mask_block made{2, 3};
    tamis::owned_workspace memory{tamis::rows_selection_bytes(tamis::top_k{1}, 3, threads)};
    tamis::select_rows(tamis::top_k{1}, values, made.span(), memory, threads);
    CHECK(made.row(0)[2]);
    CHECK(made.row(1)[2]);
    CHECK(made.row(0).count() + made.row(1).count() == 2);
}

} // namespace zero_sizes_test
