#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>
#include <tamis/study/hooked_ffn.hpp>

#include "study/support_ffn.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace hooked_ffn_test {

// hooked_ffn with a masker against glu_ffn, which skips: the same masks, and the same y up to rounding.

namespace {

/// What was recorded of one site, token by token.
std::vector<const recorder::record*> at(const recorder& seen, tamis::site where) {
    std::vector<const recorder::record*> all;
    for (const recorder::record& r : seen.seen) {
        if (r.where == where) {
            all.push_back(&r);
        }
    }
    return all;
}

template <std::size_t Subset, class Sigma>
void compare(const problem_of_tokens& problem, Sigma sigma, std::size_t gap) {
    CAPTURE(Subset);
    recorder by_glu;
    const auto expected = run_glu<Subset>(problem, sigma, by_glu);
    recorder by_hooks;
    const auto y = run_hooked(problem, plan_of<Subset>(), sigma, by_hooks, gap);
    bool same = true;
    for (const tamis::site where : tamis::study::all_sites) {
        CAPTURE(name_of(where));
        const auto one = at(by_glu, where);
        const auto other = at(by_hooks, where);
        REQUIRE(one.size() == problem.tokens);
        REQUIRE(other.size() == problem.tokens);
        for (std::size_t t = 0; t < problem.tokens; ++t) {
            CHECK(other[t]->token == t);
            CHECK(other[t]->has_policy == has_site(Subset, where));
            same = same && one[t]->mask == other[t]->mask;
        }
    }
    CHECK(same);
    CHECK(all_finite(y));
    CHECK(difference(y, expected) < 1e-5);
}

} // namespace

TEST_CASE("hooked_ffn: masks and results of glu_ffn, for every subset of sites but gate with up") {
    for (const std::size_t neurons : std::initializer_list<std::size_t>{1, 13, 96}) {
        for (const bool biased : {false, true}) {
            CAPTURE(neurons);
            CAPTURE(biased);
            const problem_of_tokens problem{1 + neurons / 3, neurons, 1 + neurons / 10, biased, neurons};
            for_constants<subset_count>([&]<class Subset>(Subset) {
                if constexpr (!has_gate_and_up(Subset::value)) {
                    compare<Subset::value>(problem, tamis::silu{}, 4 * (neurons % 3));
                }
            });
        }
    }
    compare<9>(problem_of_tokens{20, 50, 4, true, 3}, tamis::gelu_tanh{}, 0);
    compare<2>(problem_of_tokens{20, 50, 4, true, 3}, tamis::relu2{}, 0);
    compare<4>(problem_of_tokens{20, 50, 4, true, 3}, tamis::clipped_swiglu{1.5f, 0.5f}, 0);
    compare<8>(problem_of_tokens{20, 50, 4, true, 3}, tamis::sparse_gelu{0.5}, 0);
}

TEST_CASE("hooked_ffn: with gate and up masked, up is shown in full and y has what both left") {
    const problem_of_tokens problem{17, 40, 4, true, 2};
    recorder dense_values;
    run_hooked(problem, tamis::study::plan{1}, tamis::silu{}, dense_values);
    recorder seen;
    const auto y = run_hooked(problem, plan_of<6>(), tamis::silu{}, seen);
    const auto up = at(seen, tamis::site::up);
    const auto gate = at(seen, tamis::site::gate);
    for (std::size_t t = 0; t < problem.tokens; ++t) {
        CHECK(up[t]->values == at(dense_values, tamis::site::up)[t]->values);
        std::vector<float> expected(17);
        for (std::size_t j = 0; j < 17; ++j) {
            double sum = double{problem.p.down_bias[j]};
            for (std::size_t i = 0; i < 40; ++i) {
                if (gate[t]->mask[i] && up[t]->mask[i]) {
                    sum += double{problem.p.down.at(j, i)} * double{gate[t]->values[i]} *
                           double{up[t]->values[i]};
                }
            }
            expected[j] = static_cast<float>(sum);
        }
        CHECK(difference(std::span{y}.subspan(t * 17, 17), expected) < 1e-5);
    }
}

TEST_CASE("hooked_ffn: hooks come once a site, in order, with the layer; what they write goes on; x stays") {
    const problem_of_tokens problem{5, 9, 3, false, 4};
    const auto weights = store_glu<0, 0>(problem.p);
    tamis::study::hooked_ffn ffn{weights.view(), tamis::linear{}};
    CHECK(ffn.width() == 5);
    CHECK(ffn.neurons() == 9);
    std::vector<tamis::site> order;
    const std::vector<float> before = problem.x;
    std::vector<float> y(15, 7.0f);
    ffn(11, problem.all(), tamis::block<float>{y.data(), 3, 5},
        [&](std::size_t layer, tamis::site where, tamis::block<float> values) {
            CHECK(layer == 11);
            CHECK(values.rows() == 3);
            CHECK(values.columns() == (where == tamis::site::input ? 5 : 9));
            order.push_back(where);
            if (where == tamis::site::input) { // only the second token goes on
                std::fill(values.row(0).begin(), values.row(0).end(), 0.0f);
                std::fill(values.row(2).begin(), values.row(2).end(), 0.0f);
            }
        });
    CHECK(order == std::vector<tamis::site>(tamis::study::all_sites.begin(), tamis::study::all_sites.end()));
    CHECK(problem.x == before);
    CHECK(difference(std::span{y}.first(5), std::vector<float>(5)) == 0);
    std::vector<float> dense(15);
    ffn(0, problem.all(), tamis::block<float>{dense.data(), 3, 5}, tamis::study::no_hook{});
    CHECK(difference(std::span{y}.subspan(5, 5), std::span{dense}.subspan(5, 5)) < 1e-6);
    CHECK(difference(std::span{y}.subspan(10), std::vector<float>(5)) == 0);
}

TEST_CASE("hooked_ffn: strided blocks, of changing length; nothing is written between the rows") {
    const problem_of_tokens problem{6, 11, 5, true, 8};
    const auto weights = store_glu<0, 0>(problem.p, 12);
    tamis::study::hooked_ffn ffn{weights.view(), tamis::silu{}};
    std::vector<float> expected(30);
    ffn(0, problem.all(), tamis::block<float>{expected.data(), 5, 6}, tamis::study::no_hook{});
    std::vector<float> x(5 * 9, 1e30f);
    for (std::size_t t = 0; t < 5; ++t) {
        std::copy_n(problem.token(t).begin(), 6, x.begin() + static_cast<std::ptrdiff_t>(9 * t));
    }
    for (const std::size_t tokens : std::initializer_list<std::size_t>{5, 2, 1, 4}) {
        std::vector<float> y(5 * 8, -3.0f);
        ffn(0, tamis::block<const float>{x.data(), tokens, 6, 9}, tamis::block<float>{y.data(), tokens, 6, 8},
            tamis::study::no_hook{});
        for (std::size_t t = 0; t < 5; ++t) {
            const std::span<const float> row{&y[8 * t], 8};
            const std::vector<float> untouched(8, -3.0f);
            if (t < tokens) {
                CHECK(difference(row.first(6), std::span{expected}.subspan(6 * t, 6)) < 1e-5);
                CHECK(same_bits(row.subspan(6), std::span{untouched}.first(2)));
            } else {
                CHECK(same_bits(row, untouched));
            }
        }
    }
}

TEST_CASE("hooked_ffn: a block of no tokens") {
    const problem_of_tokens problem{6, 11, 1, true, 9};
    const auto weights = store_glu<0, 0>(problem.p);
    tamis::study::hooked_ffn ffn{weights.view(), tamis::silu{}};
    std::vector<float> y(6, 2.0f);
    ffn(0, tamis::block<const float>{problem.x.data(), 0, 6}, tamis::block<float>{y.data(), 0, 6},
        tamis::study::no_hook{});
    CHECK(y == std::vector<float>(6, 2.0f));
}

#if defined(__cpp_exceptions)
TEST_CASE("hooked_ffn: rows between two floats, and blocks of other sizes, are refused") {
    const problem_of_tokens problem{6, 11, 2, false, 10};
    const auto weights = store_glu<0, 0>(problem.p, 1);
    CHECK(message_of([&] {
              tamis::study::hooked_ffn{weights.view(), tamis::silu{}};
          }).find("stride_bytes must be a multiple of 4, got 25") != std::string::npos);
    const auto whole = store_glu<0, 0>(problem.p);
    tamis::study::hooked_ffn ffn{whole.view(), tamis::silu{}};
    std::vector<float> memory(100);
    const auto call = [&](std::size_t columns, std::size_t rows, std::size_t out) {
        return message_of([&] {
            ffn(0, tamis::block<const float>{memory.data(), 2, columns},
                tamis::block<float>{memory.data(), rows, out}, tamis::study::no_hook{});
        });
    };
    CHECK(call(5, 2, 6).find("x needs 6 columns, got 5") != std::string::npos);
    CHECK(call(6, 2, 7).find("y needs 6 columns, got 7") != std::string::npos);
    CHECK(call(6, 1, 6).find("y needs 2 rows, got 1") != std::string::npos);
}
#endif

} // namespace hooked_ffn_test
