#include "ffn/support_block.hpp"

#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

// Tokens of a block share readings of the weights as far as the workspace goes; what comes out is each token's own,
// within rounding. The weights are such that no rounding decides a mask: each is a small integer over a power of two,
// and so are the sums.

namespace {

/// A block against Eigen in double, with the masks that each token got, and these against the token alone.
template <class Ffn, class Reference>
void check(const Ffn& ffn, const problem& p, std::size_t tokens, Reference&& reference) {
    CAPTURE(tokens);
    token_block b{tokens, ffn.width(), tokens};
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, tokens)};
    recorder seen;
    ffn(b.in(), b.out(), memory, seen);
    for (std::size_t token = 0; token < tokens; ++token) {
        CAPTURE(token);
        problem of_token_alone = p;
        of_token_alone.x = b.x_of(token);
        const recorder one = of_token(seen, token);
        recorder alone;
        std::vector<float> y(ffn.width());
        ffn(of_token_alone.x, y, memory, alone);
        CHECK(one.masks() == alone.masks());
        const reference_values expected = reference(of_token_alone, one.masks());
        CHECK(differences(expected, one, b.y_of(token)) == "");
        CHECK(differences(expected, alone, y) == "");
    }
}

template <std::size_t Subset, std::size_t Layouts, std::size_t Formats>
void check_glu_block(std::initializer_list<std::size_t> counts) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    const problem p = random_problem(67, 133, true, Subset);
    const auto weights = store_glu<Layouts, Formats>(p, 4);
    for (const std::size_t tokens : counts) {
        check(make_glu<Subset>(weights.view(), tamis::relu{}), p, tokens,
              [](const problem& one, const site_masks& masks) {
                  return reference_glu(one, exact_relu, masks);
              });
    }
}

} // namespace

TEST_CASE("tokens that share readings: any number of them") {
    check_glu_block<9, 7, 1>({2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 33});
}

TEST_CASE("tokens that share readings: every subset of the sites") {
    for_constants<subset_count>([]<class Subset>(Subset) {
        check_glu_block<Subset::value, 7, 0>({2, 5});
        check_glu_block<Subset::value, 4, 1>({3});
    });
}

TEST_CASE("tokens that share readings: all layouts") {
    for_constants<layout_count>([]<class Layouts>(Layouts) {
        check_glu_block<15, Layouts::value, Layouts::value % format_count>({2, 16, 17});
        check_glu_block<0, Layouts::value, Layouts::value % format_count>({4});
    });
}

TEST_CASE("tokens that share readings: an ungated FFN") {
    const problem p = random_problem(67, 133, true, 3);
    const auto up = store_up<tamis::f32, tamis::input_major>(p.up);
    const auto down = store_down<tamis::bf16, tamis::neuron_major>(p.down);
    const tamis::plain_ffn ffn{tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                               tamis::relu{}, tamis::at_intermediate(tamis::max_p{0.125}),
                               tamis::at_input(tamis::top_p{0.875})};
    for (const std::size_t tokens : {2u, 7u, 16u, 17u}) {
        check(ffn, p, tokens, [](const problem& one, const site_masks& masks) {
            return reference_plain(one, exact_relu, masks);
        });
    }
}
