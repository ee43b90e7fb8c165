#include "ffn/support_block.hpp"
#include "ffn/support_threads.hpp"

#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

namespace threads_test {

// The caller's threads change no bit of y: with any number of them, in every layout, for tokens alone and in blocks.

namespace {

constexpr std::size_t thread_counts[] = {1, 2, 3, 8, 40};

template <class Ffn, class Executor>
void check_with(const Ffn& ffn, const token_block& expected, tamis::traffic dense, const Executor& threads) {
    CAPTURE(threads.width());
    token_block b = expected;
    std::fill(b.y.begin(), b.y.end(), nan_of<float>);
    tamis::owned_workspace memory{ffn.workspace_bytes(threads, b.tokens)};
    const tamis::traffic told = ffn(b.in(), b.out(), memory, threads);
    CHECK(same_bits(b.y, expected.y));
    CHECK(told.bytes_read == dense.bytes_read);
    CHECK(told.bytes_dense == dense.bytes_dense);
}

/// With this number of tokens that share readings.
template <class Ffn>
void check(const Ffn& ffn, std::size_t tokens, std::span<const std::size_t> counts = thread_counts) {
    CAPTURE(tokens);
    token_block b{tokens, ffn.width(), tokens};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, tokens)};
    const tamis::traffic told = ffn(b.in(), b.out(), memory);
    REQUIRE(all_finite(b.y));
    for (const std::size_t count : counts) {
        check_with(ffn, b, told, threads_of(count));
    }
}

template <std::size_t Subset, std::size_t Layouts, class F>
void check_large(const problem& p, std::span<const std::size_t> counts = thread_counts) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    const auto weights = store_glu<Layouts, F, F, F>(p);
    check(make_glu<Subset>(weights.view(), tamis::silu{}), 1, counts);
}

/// So large that sums of rows are divided into several runs of them, and those of gate and up by columns, too.
const problem& large() {
    static const problem p = random_problem(600, 2000, true, 1);
    return p;
}

} // namespace

TEST_CASE("threads: small FFNs, in all layouts") {
    const problem p = random_problem(67, 133, true, 1);
    for_constants<layout_count>([&]<class Layouts>(Layouts) {
        CAPTURE(Layouts::value);
        const auto weights = store_glu<Layouts::value, Layouts::value % format_count>(p, 4);
        check(make_glu<9>(weights.view(), tamis::silu{}), 1);
        check(make_glu<6>(weights.view(), tamis::silu{}), 3);
    });
}

TEST_CASE("threads: tiny FFNs, with more threads than there is to do") {
    for (const auto& [width, neurons] : {std::pair{1, 1}, {3, 5}, {17, 33}}) {
        const problem p =
            random_problem(static_cast<std::size_t>(width), static_cast<std::size_t>(neurons), true, 2);
        const auto by_inputs = store_glu<7, 0>(p);
        check(make_glu<15>(by_inputs.view(), tamis::silu{}), 2);
        const auto by_neurons = store_glu<0, 0>(p);
        check(make_glu<15>(by_neurons.view(), tamis::silu{}), 1);
    }
}

TEST_CASE("threads: large FFNs, whose sums are divided") {
    check_large<0, 7, tamis::f32>(large());
    check_large<9, 7, tamis::f32>(large());
    check_large<6, 4, tamis::f32>(large());
}

TEST_CASE("threads: large FFNs in the other layouts") {
    constexpr std::size_t some[] = {3, 8};
    for_constants<layout_count>(
        [&]<class Layouts>(Layouts) { check_large<8, Layouts::value, tamis::bf16>(large(), some); });
}

TEST_CASE("threads: large blocks that share readings") {
    constexpr std::size_t some[] = {2, 8};
    const auto weights = store_glu<7, 0>(large());
    check(make_glu<9>(weights.view(), tamis::silu{}), 5, some);
    const auto by_neurons = store_glu<4, 1>(large());
    check(make_glu<2>(by_neurons.view(), tamis::silu{}), 2, some);
}

TEST_CASE("threads: an ungated FFN") {
    const problem& p = large();
    const auto up = store_up<tamis::f32, tamis::input_major>(p.up);
    const auto down = store_down<tamis::f32, tamis::neuron_major>(p.down);
    const tamis::plain_ffn ffn{tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                               tamis::gelu{}, tamis::at_intermediate(tamis::top_p{0.9})};
    check(ffn, 1);
    check(ffn, 3);
}

} // namespace threads_test
