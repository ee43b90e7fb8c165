#include <tamis/study/calibrate/glu_block_error.hpp>

#include "ffn/support.hpp"
#include "support/message.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/study/calibrate/greedy_budgets.hpp>
#include <tamis/study/calibrate/magnitude_histogram.hpp>

#include <doctest/doctest.h>

// The error of a sparse block against plain loops, and TEAL's budgets with it.

namespace {

constexpr std::size_t width = 24, neurons = 40, tokens = 9;

struct sample {
    dense gate, up, down;
    std::vector<float> x, bias;

    explicit sample(std::uint64_t seed) {
        engine random{seed};
        gate = random_dense(neurons, width, random);
        up = random_dense(neurons, width, random);
        down = random_dense(width, neurons, random);
        x = generate<float>(shape::normal, tokens * width, random);
        bias = coarse_values(neurons, random);
    }
    tamis::block<const float> block() const { return {x.data(), tokens, width}; }
};

template <class L, class DownL, class F, class Use>
auto with_error(const sample& s, Use&& use) {
    const auto g = store_up<F, L>(s.gate, 4), u = store_up<F, L>(s.up, 4);
    const auto d = store_down<F, DownL>(s.down, 4);
    tamis::study::glu_block_error error{tamis::glu_weights{g.view(), u.view(), d.view(),
                                                           tamis::glu_biases{s.bias, {}, {}}},
                                        tamis::silu{}, s.block()};
    return use(error);
}

double kept(float v, float threshold) { return std::fabs(v) >= threshold ? double{v} : 0.0; }

/// || y(t) - y(0) || by loops, the thresholds given. The last is an entry of the dense intermediate, which comes out a
/// rounding away here: so a little lower.
double by_loops(const sample& s, std::array<float, 3> t) {
    t[2] *= 1 - 1e-6f;
    double squares = 0;
    for (std::size_t token = 0; token < tokens; ++token) {
        std::vector<double> y(width);
        for (const bool sparse : {true, false}) {
            for (std::size_t i = 0; i < neurons; ++i) {
                double g = double{s.bias[i]}, u = 0;
                for (std::size_t j = 0; j < width; ++j) {
                    const float v = s.x[token * width + j];
                    g += double{s.gate.at(i, j)} * kept(v, sparse ? t[0] : 0.0f);
                    u += double{s.up.at(i, j)} * kept(v, sparse ? t[1] : 0.0f);
                }
                const auto n = static_cast<float>(u * (g / (1 + std::exp(-g))));
                for (std::size_t j = 0; j < width; ++j) {
                    y[j] += (sparse ? 1 : -1) * double{s.down.at(j, i)} * kept(n, sparse ? t[2] : 0.0f);
                }
            }
        }
        for (const double v : y) {
            squares += v * v;
        }
    }
    return std::sqrt(squares);
}

} // namespace

TEST_CASE("the error is that of the loops, in any layout and format") {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const sample s{seed};
        for (const std::array<double, 3> at :
             {std::array{0.0, 0.0, 0.0}, std::array{0.5, 0.0, 0.0}, std::array{0.0, 0.4, 0.0},
              std::array{0.0, 0.0, 0.6}, std::array{0.3, 0.5, 0.7}, std::array{1.0, 0.0, 1.0}}) {
            const auto compare = [&](auto& error) {
                CHECK(error(at) == doctest::Approx(by_loops(s, error.thresholds(at))).epsilon(1e-4));
                CHECK(error(std::array{0.2, 0.2, 0.2}) > 0);
                CHECK(error(at) == error(at)); // kept products serve later calls
                CHECK(error(std::array{0.0, 0.0, 0.0}) == 0);
            };
            with_error<tamis::neuron_major, tamis::output_major, tamis::f32>(s, compare);
            with_error<tamis::input_major, tamis::neuron_major, tamis::bf16>(s, compare);
        }
    }
}

TEST_CASE("thresholds are the quantiles of the dense sample") {
    const sample s{5};
    with_error<tamis::neuron_major, tamis::neuron_major, tamis::f32>(s, [&](auto& error) {
        const std::array qs{0.0, 0.3, 0.5, 0.99, 1.0};
        tamis::study::magnitude_histogram first;
        first.add(s.x);
        tamis::study::magnitude_quantiles second{first, qs};
        second.add(s.x);
        for (std::size_t i = 0; i < qs.size(); ++i) {
            CHECK(error.thresholds(std::array{qs[i], 0.5, 0.0})[0] == second.quantile(i));
            CHECK(error.thresholds(std::array{0.5, qs[i], 0.0})[1] == second.quantile(i));
        }
    });
}

TEST_CASE("dropping everything costs the output") {
    const sample s{6};
    with_error<tamis::neuron_major, tamis::neuron_major, tamis::f32>(s, [&](auto& error) {
        CHECK(error(std::array{0.0, 0.0, 1.0}) == doctest::Approx(error.output_norm()));
        CHECK(error(std::array{0.0, 1.0, 0.0}) == doctest::Approx(error.output_norm()));
    });
}

TEST_CASE("greedy budgets beat the even split at the same share") {
    for (std::uint64_t seed = 10; seed < 14; ++seed) {
        const sample s{seed};
        with_error<tamis::neuron_major, tamis::neuron_major, tamis::f32>(s, [&](auto& error) {
            const auto budgets = tamis::study::greedy_budgets(error.sizes(), 0.4, 0.02, error);
            CHECK((budgets[0] + budgets[1] + budgets[2]) / 3 == doctest::Approx(0.4));
            CHECK(error(budgets) <= error(std::array{0.4, 0.4, 0.4}));
        });
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("what does not fit is refused") {
    const sample s{7};
    with_error<tamis::neuron_major, tamis::neuron_major, tamis::f32>(s, [&](auto& error) {
        CHECK(message_of([&] {
                  error(std::array{0.5, 0.5});
              }) == "tamis::study::glu_block_error: 3 sparsities are needed (gate, up, down), got 2");
        CHECK(message_of([&] {
                  error(std::array{0.5, 0.5, 1.5});
              }) == "tamis::study::glu_block_error: sparsities must be in [0, 1], got 1.5");
    });
}
#endif
