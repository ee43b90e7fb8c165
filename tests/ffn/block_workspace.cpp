#include "ffn/support_block.hpp"
#include "ffn/support_threads.hpp"
#include "support/message.hpp"

#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

#include <cstring>

// workspace_bytes(threads, tokens) is exactly what so many tokens take with so many threads: what lies behind stays, and
// a byte less is refused.

namespace {

struct outcome {
    std::vector<float> y;
    std::uint64_t groups; // by what a dense call with the same sharing would have read
    bool guard;           // what lies behind the workspace stayed
};

template <class Ffn, class Executor>
outcome run(const Ffn& ffn, std::size_t tokens, std::size_t together, std::size_t bytes,
            const Executor& threads) {
    constexpr std::size_t guard_bytes = 256;
    const std::size_t all = bytes + guard_bytes;
    const std::unique_ptr<std::byte[]> memory{new std::byte[all + tamis::workspace_alignment]};
    void* start = memory.get();
    std::size_t space = all + tamis::workspace_alignment;
    std::byte* const first =
        static_cast<std::byte*>(std::align(tamis::workspace_alignment, all, start, space));
    std::memset(first, 0xff, all); // floats of it are NaN
    token_block b{tokens, ffn.width(), 1};
    const tamis::traffic told =
        ffn(b.in(), b.out(), tamis::tokens_at_a_time{together, tamis::workspace{std::span{first, bytes}}},
            threads);
    CHECK(told.bytes_dense == tokens * ffn.weights().bytes());
    const bool guard =
        std::all_of(first + bytes, first + all, [](std::byte x) { return x == std::byte{0xff}; });
    return {b.y, (told.bytes_dense - told.bytes_shared) / ffn.weights().bytes(), guard};
}

template <class Ffn>
void check(const Ffn& ffn) {
    const outcome alone = run(ffn, 6, 1, ffn.workspace_bytes(), tamis::serial{});
    CHECK(alone.groups == 6);
    for (const std::size_t width : {1u, 2u, 3u, 8u, 40u}) {
        CAPTURE(width);
        const auto threads = reversed_of(width);
        for (const std::size_t tokens : {1u, 2u, 3u, 6u}) {
            CAPTURE(tokens);
            const std::size_t bytes = ffn.workspace_bytes(threads, tokens);
            const outcome enough = run(ffn, 6, tokens, bytes, threads);
            CHECK(enough.guard);
            CHECK(enough.groups == 6 / tokens);
            CHECK(all_finite(enough.y));
            if (tokens == 1) {
                CHECK(same_bits(enough.y, alone.y));
            }
#if defined(__cpp_exceptions)
            CHECK(message_of([&] {
                      run(ffn, 6, tokens, bytes - 1, threads);
                  }).starts_with("tamis::workspace: this call needs " + std::to_string(bytes) + " bytes"));
#endif
        }
    }
}

template <std::size_t Subset, std::size_t Layouts>
void check_glu_of(std::size_t width, std::size_t neurons) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    CAPTURE(width);
    const problem p = random_problem(width, neurons, true, 1);
    const auto weights = store_glu<Layouts, 0>(p);
    check(make_glu<Subset>(weights.view(), tamis::relu{}));
}

} // namespace

TEST_CASE("rows of a block lie an odd number of cache lines apart, and hold their floats") {
    for (const std::size_t n : {0u, 1u, 15u, 16u, 17u, 32u, 33u, 1024u, 4096u, 7168u, 14336u, 18432u}) {
        CAPTURE(n);
        const std::size_t stride = tamis::detail::row_stride(n);
        CHECK(stride >= n);
        CHECK(stride % 32 == 16);
        CHECK(stride <= n + 32);
    }
}

TEST_CASE("workspace of a block: exactly so much for so many tokens and threads") {
    for_constants<subset_count>([]<class Subset>(Subset) {
        check_glu_of<Subset::value, 7>(67, 33);
        check_glu_of<Subset::value, 0>(1, 1);
    });
}

TEST_CASE("workspace of a block: sums that are divided need more") {
    check_glu_of<9, 7>(300, 2000);
    check_glu_of<6, 4>(300, 2000);
    const problem p = random_problem(600, 2000, false, 1);
    const auto weights = store_glu<7, 0>(p);
    const tamis::plain_ffn ffn{tamis::plain_weights{weights.up.view(), weights.down.view()}, tamis::relu{}};
    check(ffn);
    CHECK(ffn.workspace_bytes(threads_of(2)) > ffn.workspace_bytes());
    CHECK(ffn.workspace_bytes(threads_of(8)) == ffn.workspace_bytes(threads_of(2)));
}
