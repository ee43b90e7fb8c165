#include "ffn/support_block.hpp"
#include "ffn/support_spy.hpp"

#include <doctest/doctest.h>

// A group of tokens reads each row that any of them wants once: bytes_read is that of the union of their masks, and
// what a spying format saw.

namespace {

using tamis::site;

std::size_t active(const std::vector<bool>& mask, std::size_t otherwise) {
    return mask.empty() ? otherwise : static_cast<std::size_t>(std::count(mask.begin(), mask.end(), true));
}

/// What the tokens [first, last) have to read together, in the layouts that skip most: gate and up by inputs where there
/// is a policy at the input, else by neurons; down by neurons.
template <std::size_t Subset>
std::uint64_t expected_bytes(const problem& p, const recorder& seen, std::size_t first, std::size_t last) {
    const std::size_t h = p.width();
    const std::size_t d = p.neurons();
    const auto wanted = [&](site where) { return union_of(seen, where, first, last); };
    const std::size_t inputs = active(wanted(site::input), h);
    const std::size_t gate = has_site(Subset, site::up) ? active(wanted(site::up), d) : d;
    const std::size_t up = has_site(Subset, site::gate) ? active(wanted(site::gate), d) : d;
    const site last_site = has_site(Subset, site::intermediate) ? site::intermediate
                           : has_site(Subset, site::up)         ? site::up
                                                                : site::gate;
    const std::size_t down = active(wanted(last_site), d);
    return (inputs * gate + inputs * up + down * h) * sizeof(float);
}

/// With memory for `together` tokens.
template <std::size_t Subset>
void check_reading(std::size_t tokens, std::size_t together) {
    CAPTURE(Subset);
    CAPTURE(tokens);
    CAPTURE(together);
    const problem p = random_problem(37, 61, true, tokens);
    constexpr std::size_t layouts = has_site(Subset, site::input) ? 7 : 4;
    const auto weights = store_glu<layouts, spy, spy, spy>(p, 4);
    const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
    token_block b{tokens, p.width(), tokens};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, together)};
    recorder seen;
    spy::read.clear();
    const tamis::traffic told = ffn(b.in(), b.out(), tamis::tokens_at_a_time{together, memory}, seen);
    std::uint64_t read = 0;
    std::uint64_t groups = 0;
    for (std::size_t first = 0; first < tokens; first += together) {
        read += expected_bytes<Subset>(p, seen, first, std::min(first + together, tokens));
        ++groups;
    }
    CHECK(told.bytes_read == read);
    CHECK(told.bytes_dense == tokens * weights.view().bytes());
    CHECK(told.bytes_shared == (tokens - groups) * weights.view().bytes());
    CHECK(told.bytes_skipped() == groups * weights.view().bytes() - read);
    if (groups == 1) {
        CHECK(told.bytes_read == spy::bytes_read());
    }
}

template <std::size_t Subset>
void check_all() {
    check_reading<Subset>(2, 2);
    check_reading<Subset>(3, 3);
    check_reading<Subset>(7, 3); // a last group that is smaller
    check_reading<Subset>(33, 16);
}

} // namespace

TEST_CASE("a block reads the union of its tokens' rows, a group at a time") {
    check_all<1>();
    check_all<2>();
    check_all<4>();
    check_all<8>();
    check_all<9>();
}

TEST_CASE("a block reads the union of its tokens' rows: by hand") {
    const problem p = random_problem(5, 7, false, 1);
    const auto weights = store_glu<7, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::silu{}, tamis::at_input(tamis::top_k{1})};
    const std::vector<float> x{1, 0, 9, 0, 0, /**/ 8, 0, 0, 0, 1, /**/ 0, 1, 7, 1, 1}; // inputs 2, 0 and 2
    std::vector<float> y(15);
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, 3)};
    const tamis::traffic told =
        ffn(tamis::block<const float>{x.data(), 3, 5}, tamis::block<float>{y.data(), 3, 5}, memory);
    CHECK(told.bytes_read == (2 * 7 + 2 * 7 + 7 * 5) * sizeof(float));
    CHECK(told.bytes_dense == 3 * (3 * 7 * 5) * sizeof(float));
    CHECK(told.bytes_shared == 2 * (3 * 7 * 5) * sizeof(float));
    CHECK(told.bytes_skipped() == (2 * 3 * 7) * sizeof(float));
}
