#include "ffn/support_check.hpp"

#include <tamis/ffn/any_ffn.hpp>
#include <tamis/ffn/prefill.hpp>

#include <doctest/doctest.h>

namespace prefill_test {

// prefill makes the same masks and, up to rounding, the same values as tokens one by one, for every subset of sites.

namespace {

constexpr std::size_t width = 70;
constexpr std::size_t neurons = 530; // more than a block of outputs

template <std::size_t Subset, std::size_t Layouts>
void check(std::size_t tokens, std::size_t d = neurons) {
    CAPTURE(Subset);
    CAPTURE(tokens);
    engine random{tokens};
    const problem p = random_problem(width, d, true, 1);
    const auto weights = store_glu<Layouts, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    const std::vector<float> x = coarse_values(tokens * width, random);
    std::vector<float> expected(tokens * width);
    std::vector<float> y(tokens * width);
    const tamis::block<const float> in{x.data(), tokens, width};

    recorder one_by_one;
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(in, tamis::block<float>{expected.data(), tokens, width}, tamis::tokens_at_a_time{1, memory},
        one_by_one);
    recorder seen;
    tamis::owned_workspace for_all{tamis::prefill_workspace_bytes(ffn, tokens)};
    const tamis::traffic told =
        tamis::prefill(ffn, in, tamis::block<float>{y.data(), tokens, width}, for_all, tamis::serial{}, seen);

    CHECK(told.bytes_read == weights.view().bytes()); // once, all of it
    CHECK(told.bytes_dense == tokens * weights.view().bytes());
    CHECK(told.bytes_skipped() == 0);
    CHECK(seen.seen.size() == 4 * tokens);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        wrong += std::fabs(y[i] - expected[i]) <= 1e-3f ? 0u : 1u;
    }
    CHECK(wrong == 0);
}

} // namespace

TEST_CASE("prefill equals tokens one by one") {
    for (const std::size_t tokens : {1u, 2u, 17u, 40u}) {
        check<0, 7>(tokens);
        check<1, 7>(tokens);
        check<2, 4>(tokens);
        check<4, 4>(tokens);
        check<9, 7>(tokens);
        check<15, 0>(tokens);
    }
    check<1, 7>(3, 2700); // more blocks of outputs than are taken side by side, and a part of one
}

TEST_CASE(
    "prefill of an FFN that was chosen at run time, with masks from outside: the bits of one that was not") {
    const std::size_t tokens = 20;
    engine random{tokens};
    const problem p = random_problem(width, neurons, true, 1);
    const auto weights = store_glu<4, 0>(p);
    tamis::mask_block kept{tokens, neurons};
    for (std::size_t i = 0; i < tokens * neurons; ++i) {
        kept.span().row(i / neurons).set(i % neurons, below(random, 3) == 0);
    }
    const auto policy = tamis::at_neurons(tamis::given{kept});
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, policy};
    const tamis::any_ffn<tamis::formats<tamis::f32>, tamis::gatings<tamis::silu>> any{weights.view(),
                                                                                      tamis::silu{}, policy};
    const std::vector<float> x = coarse_values(tokens * width, random);
    std::vector<float> expected(tokens * width);
    std::vector<float> a(tokens * width);
    std::vector<float> b(tokens * width);
    const tamis::block<const float> in{x.data(), tokens, width};
    tamis::owned_workspace memory{tamis::prefill_workspace_bytes(any, tokens) + ffn.workspace_bytes()};
    ffn(in, tamis::block<float>{expected.data(), tokens, width}, tamis::tokens_at_a_time{1, memory});
    tamis::prefill(ffn, in, tamis::block<float>{a.data(), tokens, width}, memory);
    tamis::prefill(any, in, tamis::block<float>{b.data(), tokens, width}, memory);
    CHECK(same_bits(a, b));
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        wrong += std::fabs(a[i] - expected[i]) <= 1e-3f ? 0u : 1u;
    }
    CHECK(wrong == 0);
}

TEST_CASE("prefill by several threads") {
    engine random{9};
    const problem p = random_problem(width, neurons, true, 1);
    const auto weights = store_glu<7, 0>(p);
    const auto ffn = make_glu<9>(weights.view(), tamis::silu{});
    const std::vector<float> x = coarse_values(20 * width, random);
    std::vector<float> alone(x.size());
    std::vector<float> together(x.size());
    const tamis::block<const float> in{x.data(), 20, width};
    const auto backwards = [](std::size_t count, auto&& task) {
        while (count-- > 0) {
            task(count);
        }
    };
    const tamis::executor_of threads{3, backwards};
    tamis::owned_workspace memory{tamis::prefill_workspace_bytes(ffn, 20, threads)};
    tamis::prefill(ffn, in, tamis::block<float>{alone.data(), 20, width}, memory);
    tamis::prefill(ffn, in, tamis::block<float>{together.data(), 20, width}, memory, threads);
    CHECK(same_bits(alone, together));
}

} // namespace prefill_test
