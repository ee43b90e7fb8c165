#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

// workspace_bytes() is what a call needs: exactly so much is enough, whatever is in it, and what lies behind
// stays.

namespace {

struct aligned_memory {
    explicit aligned_memory(std::size_t bytes)
        : data{static_cast<std::byte*>(::operator new(bytes, std::align_val_t{tamis::workspace_alignment}))} {
    }
    ~aligned_memory() { ::operator delete(data, std::align_val_t{tamis::workspace_alignment}); }
    aligned_memory(const aligned_memory&) = delete;
    aligned_memory& operator=(const aligned_memory&) = delete;
    std::byte* data;
};

template <std::size_t Subset>
void check_workspace(std::size_t width, std::size_t neurons) {
    CAPTURE(Subset);
    CAPTURE(width);
    CAPTURE(neurons);
    const problem p = random_problem(width, neurons, true, 1);
    const auto weights = store_glu<5, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    const std::size_t bytes = ffn.workspace_bytes();
    CHECK(bytes % tamis::workspace_alignment == 0);

    std::vector<float> expected(width);
    tamis::owned_workspace own{bytes};
    ffn(p.x, expected, own);

    // Filled with NaN, and a guard behind.
    const aligned_memory memory{bytes + 256};
    std::memset(memory.data, 0xff, bytes + 256);
    std::vector<float> y(width);
    ffn(p.x, y, tamis::workspace{std::span{memory.data, bytes}});
    CHECK(same_bits(y, expected));
    bool guard = true;
    for (std::size_t i = bytes; i < bytes + 256; ++i) {
        guard = guard && memory.data[i] == std::byte{0xff};
    }
    CHECK(guard);

    // Memory of any alignment, and so much more.
    ffn(p.x, y, tamis::workspace{std::span{memory.data + 1, bytes + tamis::workspace_alignment}});
    CHECK(same_bits(y, expected));
}

} // namespace

#if defined(__cpp_exceptions)
TEST_CASE("a smaller workspace is refused, not overrun") {
    const problem p = random_problem(17, 33, false, 1);
    const auto weights = store_glu<7, 0>(p);
    const auto ffn = make_glu<0>(weights.view(), tamis::silu{});
    const aligned_memory memory{ffn.workspace_bytes()};
    std::vector<float> y(17);
    CHECK_THROWS_AS(ffn(p.x, y, tamis::workspace{std::span{memory.data, ffn.workspace_bytes() - 1}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(ffn(p.x, y, tamis::workspace{}), std::invalid_argument);
}
#endif

TEST_CASE("workspace_bytes is exactly enough") {
    for_constants<subset_count>([]<class Subset>(Subset) {
        check_workspace<Subset::value>(64, 128);
        check_workspace<Subset::value>(67, 33);
        check_workspace<Subset::value>(1, 1);
    });
}

TEST_CASE("one object serves many workspaces; one workspace many calls") {
    const problem p = random_problem(17, 40, true, 2);
    const auto weights = store_glu<7, 1>(p);
    const auto ffn = make_glu<15>(weights.view(), tamis::silu{});
    const auto other = make_glu<9>(weights.view(), tamis::silu{});
    tamis::owned_workspace a{std::max(ffn.workspace_bytes(), other.workspace_bytes())};
    tamis::owned_workspace b{ffn.workspace_bytes()};
    std::vector<float> first(17);
    std::vector<float> second(17);
    ffn(p.x, first, a);
    other(p.x, second, a);
    ffn(p.x, second, b);
    CHECK(same_bits(first, second));
    ffn(p.x, second, a);
    CHECK(same_bits(first, second));
}
