#include <tamis/study/predictor/low_rank.hpp>

#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include "study/predictor/support.hpp"
#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/plain_svd.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <cmath>

using tamis::study::low_rank;
using tamis::study::predict;

static_assert(tamis::study::predictor<low_rank<tamis::silu>>);

namespace {

struct sides {
    std::size_t h, d;
};
constexpr std::array shapes_of_gates{sides{12, 40}, sides{24, 24}, sides{30, 17}, sides{1, 5}, sides{6, 1}};

template <class Sigma>
std::vector<float> approximate(const low_rank<Sigma>& p, std::span<const float> x) {
    std::vector<float> gate(p.neurons());
    tamis::owned_workspace memory{p.prediction_bytes()};
    p.gate_of(x, gate, memory);
    return gate;
}

/// The truncated singular value decomposition, by Jacobi's method, times x.
std::vector<double> truncated(const plain_svd& w, std::size_t rank, std::size_t neurons,
                              std::span<const float> x) {
    std::vector<double> product(neurons);
    for (std::size_t r = 0; r < rank; ++r) {
        double along = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
            along += w.right[r][j] * static_cast<double>(x[j]);
        }
        for (std::size_t i = 0; i < neurons; ++i) {
            product[i] += w.scaled_left[r][i] * along;
        }
    }
    return product;
}
plain_svd decomposed(const random_gate& gate) {
    std::vector<plain_svd::column> columns(gate.width, plain_svd::column(gate.neurons));
    for (std::size_t i = 0; i < gate.neurons; ++i) {
        for (std::size_t j = 0; j < gate.width; ++j) {
            columns[j][i] = static_cast<double>(gate.weights[i * gate.width + j]);
        }
    }
    return plain_svd{std::move(columns)};
}

} // namespace

TEST_CASE("a low rank gate is the truncated singular value decomposition times x") {
    for (const sides s : shapes_of_gates) {
        const random_gate gate{s.h, s.d, 3, 0.2f, s.h};
        const auto x = random_x(s.h, 5);
        const plain_svd w = decomposed(gate);
        for (std::size_t rank = 1; rank <= std::min(s.h, s.d); ++rank) {
            const low_rank p{gate.view(), rank, tamis::linear{}, tamis::threshold{0.5}};
            const auto made = approximate(p, x);
            const std::vector<double> expected = truncated(w, rank, s.d, x);
            for (std::size_t i = 0; i < s.d; ++i) {
                CHECK(static_cast<double>(made[i]) == doctest::Approx(expected[i]).epsilon(1e-4).scale(1.0));
            }
        }
    }
}

TEST_CASE("with full rank the mask is the gate's own") {
    for (const sides s : shapes_of_gates) {
        const random_gate gate{s.h, s.d, 4, 0.3f, s.d};
        const std::vector<float> bias = random_x(s.d, 77);
        for (const tamis::any_selector& rule :
             {tamis::any_selector{tamis::threshold{0.5}}, tamis::any_selector{tamis::top_p{0.9}},
              tamis::any_selector{tamis::top_k{s.d / 3}}}) {
            const low_rank p{gate.view(), std::min(s.h, s.d), tamis::silu{}, rule, bias};
            for (std::uint64_t seed = 0; seed < 5; ++seed) {
                const auto x = random_x(s.h, seed);
                auto z = gate.product(x);
                std::vector<float> exact(s.d);
                for (std::size_t i = 0; i < s.d; ++i) {
                    const double with_bias = z[i] + static_cast<double>(bias[i]);
                    exact[i] = static_cast<float>(with_bias / (1 + std::exp(-with_bias)));
                }
                CHECK(show(predict(p, x)) == show(tamis::select(rule, exact)));
            }
        }
    }
}

TEST_CASE("the rank of the structure is enough: W of rank 3 is known from rank 3") {
    const random_gate gate{32, 96, 3, 0.0f, 9};
    const low_rank p{gate.view(), 3, tamis::relu{}, tamis::threshold{1e-3}};
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto x = random_x(32, seed);
        const auto z = gate.product(x);
        tamis::mask expected{96};
        for (std::size_t i = 0; i < 96; ++i) {
            expected.set(i, z[i] >= 1e-3);
        }
        CHECK(predict(p, x) == expected);
    }
}

TEST_CASE("low rank: a NaN in x makes every neuron active") {
    const random_gate gate{8, 70, 3, 0.1f, 9};
    const low_rank p{gate.view(), 4, tamis::silu{}, tamis::top_k{2}};
    auto x = random_x(8, 1);
    CHECK(predict(p, x).count() == 2);
    x[3] = at_run_time(nan_of<float>);
    CHECK(predict(p, x).count() == 70);
}

TEST_CASE("low rank: what it costs") {
    const random_gate gate{8, 20, 3, 0.1f, 9};
    const low_rank p{gate.view(), 4, tamis::silu{}, tamis::top_k{2}};
    CHECK(p.rank() == 4);
    CHECK(p.width() == 8);
    CHECK(p.neurons() == 20);
    CHECK(p.multiply_adds() == 4 * 28);
    CHECK(p.weight_bytes() == 4 * 28 * 4);
}

#if defined(__cpp_exceptions)
TEST_CASE("low rank: what is refused") {
    random_gate gate{8, 4, 1, 1.0f, 1};
    const tamis::any_selector rule{tamis::top_p{0.9}};
    CHECK(message_of([&] {
              low_rank{gate.view(), 5, tamis::silu{}, rule};
          }) == "tamis::study::low_rank: the rank must be in 1 .. 4 (the smaller side of W_gate), got 5");
    CHECK(message_of([&] {
              low_rank{gate.view(), 0, tamis::silu{}, rule};
          }).find("got 0") != std::string::npos);
    CHECK(message_of([&] {
              low_rank{gate.view(), 2, tamis::silu{}, rule, std::vector<float>(3)};
          }).find("4 entries, got 3") != std::string::npos);
    const low_rank p{gate.view(), 2, tamis::silu{}, rule};
    CHECK(message_of([&] { predict(p, std::vector<float>(9)); }).find("8 entries, got 9") !=
          std::string::npos);
    for (const float wrong : {nan_of<float>, negative_inf_of<float>}) {
        gate.weights[5] = wrong;
        CHECK(message_of([&] {
                  low_rank{gate.view(), 2, tamis::silu{}, rule};
              }).find("NaN or infinite") != std::string::npos);
    }
}
#endif

TEST_CASE("another rule on the same factors gives the masks of a predictor that was made with it") {
    for (const sides s : shapes_of_gates) {
        const random_gate gate{s.h, s.d, 3, 0.2f, s.h};
        const low_rank first{gate.view(), 1, tamis::silu{}, tamis::threshold{0.5}};
        const low_rank made{gate.view(), 1, tamis::silu{}, tamis::top_k{s.d / 2}};
        const auto other = first.with_rule(tamis::top_k{s.d / 2});
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const auto x = random_x(s.h, seed);
            CHECK(predict(other, x) == predict(made, x));
            CHECK(predict(first, x) ==
                  predict(low_rank{gate.view(), 1, tamis::silu{}, tamis::threshold{0.5}}, x));
        }
    }
}
