#include "ffn/support_check.hpp"
#include "ffn/support_threads.hpp"

#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/plain_ffn.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/matrix_views.hpp>
#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace experts_test {

// A mixture of experts: y is the sum of w_e FFN_e(x), added up by the calls, in one workspace; against the same in double.

namespace {

constexpr std::size_t expert_count = 4, moe_width = 32, moe_neurons = 24;

/// Experts in three tensors of one format, as checkpoints hold them: W_gate and W_up in one, row by row in turn.
template <class F>
struct expert_tensors {
    std::vector<problem> of_expert;
    std::vector<std::byte> fused, down;
    std::vector<float> gate_bias, up_bias, down_bias;

    expert_tensors() {
        for (std::size_t e = 0; e < expert_count; ++e) {
            problem p = random_problem(moe_width, moe_neurons, true, 100 + e);
            round(p.gate);
            round(p.up);
            round(p.down);
            for (std::size_t i = 0; i < moe_neurons; ++i) {
                add_row(p.gate, i, fused);
                add_row(p.up, i, fused);
            }
            for (std::size_t i = 0; i < moe_width; ++i) {
                add_row(p.down, i, down);
            }
            gate_bias.insert(gate_bias.end(), p.gate_bias.begin(), p.gate_bias.end());
            up_bias.insert(up_bias.end(), p.up_bias.begin(), p.up_bias.end());
            down_bias.insert(down_bias.end(), p.down_bias.begin(), p.down_bias.end());
            of_expert.push_back(std::move(p));
        }
    }
    auto weights(std::size_t e) const {
        const tamis::matrix_stack<F, tamis::neuron_major> up_and_gate{fused.data(), expert_count,
                                                                      2 * moe_neurons, moe_width};
        const tamis::matrix_stack<F, tamis::output_major> downs{down.data(), expert_count, moe_width,
                                                                moe_neurons};
        const auto [gate, up] = tamis::alternate_rows_of(up_and_gate[e]);
        const auto bias = [e](const std::vector<float>& all, std::size_t n) {
            return std::span{all}.subspan(e * n, n);
        };
        return tamis::glu_weights{gate,
                                  up,
                                  downs[e],
                                  {bias(gate_bias, moe_neurons), bias(up_bias, moe_neurons),
                                   bias(down_bias, moe_width)}};
    }

  private:
    static void add_row(const dense& m, std::size_t i, std::vector<std::byte>& to) {
        const std::size_t at = to.size();
        to.resize(at + F::row_bytes(m.inputs));
        F::pack(std::span{m.values}.subspan(i * m.inputs, m.inputs), to.data() + at);
    }
    /// To what the format holds, so that nothing else differs.
    static void round(dense& m) {
        std::vector<std::byte> row(F::row_bytes(m.inputs));
        for (std::size_t i = 0; i < m.outputs; ++i) {
            F::pack(std::span{m.values}.subspan(i * m.inputs, m.inputs), row.data());
            for (std::size_t j = 0; j < m.inputs; ++j) {
                m.values[i * m.inputs + j] = F::at(row.data(), j);
            }
        }
    }
};

const exact_gating exact_clipped{[](std::span<double> gates) {
                                     for (double& z : gates) {
                                         z = std::fmin(z, 7.0);
                                         z = z / (1 + std::exp(-1.702 * z));
                                     }
                                 },
                                 [](double u) { return std::fmax(-7.0, std::fmin(u, 7.0)) + 1; }};

template <class F>
void check_experts() {
    const expert_tensors<F> tensors;
    engine random{8};
    const std::vector<float> x = coarse_values(moe_width, random);
    const std::size_t chosen[] = {2, 0, 3};
    const float weights[] = {0.5f, 0.375f, 0.125f};
    std::vector<double> expected(moe_width, 1.0);
    for (std::size_t k = 0; k < 3; ++k) {
        problem p = tensors.of_expert[chosen[k]];
        p.x = x;
        const reference_values one = reference_glu(p, exact_clipped, {});
        for (std::size_t j = 0; j < moe_width; ++j) {
            expected[j] += double{weights[k]} * one.y[j];
        }
    }
    using namespace tamis;
    const auto expert = [&](std::size_t e) {
        return glu_ffn{tensors.weights(e), clipped_swiglu{}, masks_only(at_intermediate(nonzero{}))};
    };
    owned_workspace memory{expert(0).workspace_bytes(threads_of(2))};
    const auto mix = [&](const auto& threads) {
        std::vector<float> y(moe_width, 1.0f);
        for (std::size_t k = 0; k < 3; ++k) {
            expert(chosen[k])(x, add_to{y, weights[k]}, memory, threads);
        }
        return y;
    };
    const std::vector<float> y = mix(serial{});
    for (std::size_t j = 0; j < moe_width; ++j) {
        CHECK(std::fabs(double{y[j]} - expected[j]) <= 1e-5);
    }
    CHECK(same_bits(mix(threads_of(2)), y));
}

} // namespace

TEST_CASE("experts: slices of tensors, added up with the router's weights: f32") {
    check_experts<tamis::f32>();
}
TEST_CASE("experts: bf16") { check_experts<tamis::bf16>(); }
TEST_CASE("experts: q4_0") { check_experts<tamis::q4_0>(); }

TEST_CASE("experts: tokens of a block that go to them, weighted before the FFN or behind it") {
    const expert_tensors<tamis::f32> tensors;
    constexpr std::size_t tokens = 6;
    engine random{4};
    const std::vector<float> x = coarse_values(tokens * moe_width, random);
    const std::vector<std::uint32_t> of_expert[expert_count] = {{0, 5}, {}, {1, 2, 5}, {4}};
    const std::vector<float> weight_of[expert_count] = {{0.5f, 0.25f}, {}, {1, 2, 0.75f}, {0.125f}};
    for (const bool before : {false, true}) {
        using namespace tamis;
        std::vector<float> y(tokens * moe_width, 0.0f);
        const block<const float> in{x.data(), tokens, moe_width};
        const block<float> out{y.data(), tokens, moe_width};
        std::vector<double> expected(y.size());
        for (std::size_t e = 0; e < expert_count; ++e) {
            const glu_ffn ffn{tensors.weights(e), clipped_swiglu{}};
            owned_workspace memory{ffn.workspace_bytes(serial{}, tokens)};
            const tokens_of from{in, of_expert[e]};
            const tokens_of to{out, of_expert[e]};
            if (before) {
                ffn(scaled{from, weight_of[e]}, add_to{to}, memory);
            } else {
                ffn(from, add_to{to, weight_of[e]}, memory);
            }
            for (std::size_t k = 0; k < of_expert[e].size(); ++k) {
                const std::size_t t = of_expert[e][k];
                problem p = tensors.of_expert[e];
                p.x.assign(in.row(t).begin(), in.row(t).end());
                for (float& value : p.x) {
                    value *= before ? weight_of[e][k] : 1;
                }
                const reference_values one = reference_glu(p, exact_clipped, {});
                for (std::size_t j = 0; j < moe_width; ++j) {
                    expected[t * moe_width + j] += (before ? 1 : double{weight_of[e][k]}) * one.y[j];
                }
            }
        }
        for (std::size_t i = 0; i < y.size(); ++i) {
            CHECK(std::fabs(double{y[i]} - expected[i]) <= 1e-5);
        }
    }
}

} // namespace experts_test
