#include "support/generate.hpp"
#include "support/message.hpp"

#include <tamis/any_selector.hpp>
#include <tamis/rule/given.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/select_active.hpp>

#include <doctest/doctest.h>

// Masks from outside as a selector: they are written as they are, alone and joined with rules, one for all tokens or one each.

namespace {

tamis::mask given_random_mask(std::size_t n, engine& random) {
    tamis::mask made{n};
    for (std::size_t i = 0; i < n; ++i) {
        made.set(i, below(random, 3) == 0);
    }
    return made;
}

} // namespace

TEST_CASE("given: the mask, whatever the values") {
    engine random{1};
    for (const std::size_t n : {0u, 1u, 63u, 64u, 65u, 200u}) {
        const tamis::mask made = given_random_mask(n, random);
        const std::vector<float> values = generate<float>(shape::specials, n, random);
        CHECK(tamis::given{made}(values) == made);
        CHECK(tamis::any_selector{tamis::given{made}}(values) == made);
        std::vector<std::uint32_t> indices(n);
        CHECK(tamis::select_indices(tamis::given{made}, values, indices,
                                    tamis::owned_workspace{64 + n / 8}) == made.count());
    }
}

TEST_CASE("given: what lies there when it is called is what counts") {
    tamis::mask made{70};
    const tamis::given selector{made};
    const std::vector<double> values(70, 1.0);
    CHECK(selector(values).count() == 0);
    made.set(69, true);
    CHECK(selector(values) == made);
}

TEST_CASE("given: joined with a rule, whose mask is over all values") {
    engine random{2};
    const std::size_t n = 150;
    const tamis::mask made = given_random_mask(n, random);
    const std::vector<float> values = generate<float>(shape::relu, n, random);
    const tamis::mask of_rule = tamis::top_p{0.9}(values);
    CHECK((tamis::given{made} & tamis::top_p{0.9})(values) == (made & of_rule));
    CHECK((tamis::top_p{0.9} | tamis::given{made})(values) == (made | of_rule));
    CHECK((tamis::given{made} & tamis::given{of_rule})(values) == (made & of_rule));
}

TEST_CASE("given: a mask a token") {
    engine random{3};
    const std::size_t tokens = 5;
    const std::size_t n = 130;
    tamis::mask_block made{tokens, n};
    std::vector<float> values = generate<float>(shape::normal, tokens * n, random);
    for (std::size_t token = 0; token < tokens; ++token) {
        for (std::size_t i = 0; i < n; ++i) {
            made.span().row(token).set(i, below(random, 2) == 0);
        }
    }
    const tamis::block<float> block{values.data(), tokens, n};
    const tamis::given each{made};
    const tamis::any_selector any{tamis::always_active{made.row(2), each & tamis::top_k{40}}};
    const tamis::mask_block alone = tamis::select_rows(each, block);
    const tamis::mask_block joined = tamis::select_rows(any, block);
    for (std::size_t token = 0; token < tokens; ++token) {
        CHECK(tamis::mask{alone.row(token)} == tamis::mask{made.row(token)});
        const tamis::mask rule = tamis::top_k{40}(block.row(token));
        CHECK(tamis::mask{joined.row(token)} == (made.row(2) | (made.row(token) & rule)));
    }
    CHECK(each(block.row(0)) == tamis::mask{made.row(0)}); // without a block: the first
    CHECK(tamis::given{made.span()}(block.row(0)) == tamis::mask{made.row(0)});
}

#if defined(__cpp_exceptions)
TEST_CASE("given: masks of another size, and fewer than tokens, are refused with both") {
    const std::vector<float> values(2 * 65, 1.0f);
    const tamis::mask short_one{64};
    CHECK(message_of([&] { tamis::given{short_one}(std::span{values}.first(65)); }) ==
          "tamis::given: a mask over 65 entries is needed, got one over 64");
    const tamis::mask_block one_row{1, 65};
    CHECK(message_of([&] {
              tamis::select_rows(tamis::given{one_row}, tamis::block<const float>{values.data(), 2, 65});
          }) == "tamis::given: masks for 2 tokens at least are needed, got 1");
    const tamis::mask_block none{0, 65};
    CHECK(message_of([&] { tamis::given{none}(std::span{values}.first(65)); }) ==
          "tamis::given: masks for 1 tokens at least are needed, got 0");
}
#endif
