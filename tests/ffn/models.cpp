#include "ffn/support.hpp"

#include <Eigen/Core>
#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace models_test {

// docs/models.md says what to write for each model: every line of it stands here too, is compiled and run.

namespace {

using namespace tamis;

// clang-format off
struct drelu : tamis::relu {
    float of_up(float u) const { return tamis::relu{}(u); }
};
// clang-format on

constexpr std::size_t h = 12, d = 16, experts = 3;

struct models {
    std::vector<float> gate_values, up_values, down_values;
    std::vector<float> x = std::vector<float>(h), y = std::vector<float>(h), residual = y;
    owned_workspace memory{1 << 16};

    models() {
        engine random{1};
        gate_values = coarse_values(h * d, random);
        up_values = coarse_values(h * d, random);
        down_values = coarse_values(h * d, random);
        x = coarse_values(h, random);
    }
    auto gated() const {
        return glu_weights{matrix<f32, neuron_major>{gate_values.data(), d, h},
                           matrix<f32, neuron_major>{up_values.data(), d, h},
                           matrix<f32, output_major>{down_values.data(), h, d}};
    }
    /// y[0] of an FFN.
    template <class Ffn>
    float of(const Ffn& ffn) {
        ffn(x, y, memory);
        return y[0];
    }
    /// The same by plain loops: the intermediate of g and u.
    template <class I>
    double plainly(I&& intermediate) const {
        double sum = 0;
        for (std::size_t i = 0; i < d; ++i) {
            double g = 0;
            double u = 0;
            for (std::size_t j = 0; j < h; ++j) {
                g += double{gate_values[i * h + j]} * double{x[j]};
                u += double{up_values[i * h + j]} * double{x[j]};
            }
            sum += double{down_values[i]} * intermediate(g, u);
        }
        return sum;
    }
    template <class I>
    void check(float got, I&& intermediate) const {
        CHECK(double{got} == doctest::Approx(plainly(intermediate)).epsilon(1e-4));
    }
};

double in_double(float (*sigma)(float), double z) {
    return static_cast<double>(sigma(static_cast<float>(z)));
}
double silu_of(double z) { return z / (1 + std::exp(-z)); }
double relu_of(double z) { return z < 0 ? 0 : z; }

std::string without_spaces(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            result += c;
        }
    }
    return result;
}
std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("docs/models.md: gated FFNs") {
    models m;
    const auto weights = m.gated();
    m.check(m.of(glu_ffn{weights, silu{}}), [](double g, double u) { return u * silu_of(g); });
    const auto by_tanh = [](double z) { return in_double([](float v) { return gelu_tanh{}(v); }, z); };
    m.check(m.of(glu_ffn{weights, gelu_tanh{}}), [&](double g, double u) { return u * by_tanh(g); });
    m.check(m.of(glu_ffn{weights, gelu{}}),
            [](double g, double u) { return u * in_double([](float v) { return gelu{}(v); }, g); });
    m.check(m.of(packed_ffn(weights, relu{}, at_gate(nonzero{}))),
            [](double g, double u) { return u * relu_of(g); });
    m.check(m.of(packed_ffn(weights, relu2{}, at_gate(nonzero{}))),
            [](double g, double u) { return u * relu_of(g) * relu_of(g); });
    m.check(m.of(packed_ffn(weights, drelu{}, at_gate(nonzero{}))),
            [](double g, double u) { return relu_of(u) * relu_of(g); });
    m.check(m.of(glu_ffn{weights, linear{}}), [](double g, double u) { return u * g; });
    m.check(m.of(glu_ffn{weights, clipped_swiglu{}}), [](double g, double u) {
        const double z = std::fmin(g, 7.0);
        return (std::fmax(-7.0, std::fmin(u, 7.0)) + 1) * z / (1 + std::exp(-1.702 * z));
    });
    m.check(m.of(glu_ffn{weights, limited_silu{10}}), [](double g, double u) {
        return std::fmax(-10.0, std::fmin(u, 10.0)) * silu_of(std::fmin(g, 10.0));
    });
    for (const bool of_sample : {false, true}) {
        double sum = 0;
        double squares = 0;
        m.plainly([&](double g, double) { // every gate
            sum += g;
            squares += g * g;
            return 0.0;
        });
        const double mean = sum / d;
        const double variance = squares / d - mean * mean;
        const double deviation_of_all = std::sqrt(variance * d / (of_sample ? d - 1.0 : d));
        const float got =
            of_sample ? m.of(packed_ffn(weights, sparse_gelu{0.95, deviation::of_sample}, at_gate(nonzero{})))
                      : m.of(packed_ffn(weights, sparse_gelu{0.95}, at_gate(nonzero{})));
        m.check(got, [&](double g, double u) {
            return u * by_tanh(relu_of(g - mean - 1.6448536 * deviation_of_all));
        });
    }
}

TEST_CASE("docs/models.md: ungated FFNs") {
    models m;
    const plain_weights ungated{matrix<f32, neuron_major>{m.up_values.data(), d, h},
                                matrix<f32, output_major>{m.down_values.data(), h, d}};
    m.check(m.of(packed_ffn(ungated, relu2{}, at_intermediate(nonzero{}))),
            [](double, double u) { return relu_of(u) * relu_of(u); });
    m.check(m.of(packed_ffn(ungated, relu{}, at_intermediate(nonzero{}))),
            [](double, double u) { return relu_of(u); });
    const float alpha_p = 0.25f;
    const float alpha_n = -1;
    const xielu same{alpha_p, alpha_n};
    m.check(m.of(plain_ffn{ungated, xielu{alpha_p, alpha_n}}),
            [&](double, double u) { return static_cast<double>(same(static_cast<float>(u))); });
    m.check(m.of(plain_ffn{ungated, gelu{}}),
            [](double, double u) { return in_double([](float v) { return gelu{}(v); }, u); });
    m.check(m.of(plain_ffn{ungated, gelu_tanh{}}),
            [](double, double u) { return in_double([](float v) { return gelu_tanh{}(v); }, u); });
}

TEST_CASE("docs/models.md: gate and up in one tensor") {
    models m;
    const matrix<f32, output_major> down{m.down_values.data(), h, d};
    const auto swiglu = [](double g, double u) { return u * silu_of(g); };
    std::vector<float> both(m.gate_values);
    both.insert(both.end(), m.up_values.begin(), m.up_values.end());
    {
        const matrix<f32, neuron_major> fused{both.data(), 2 * d, h};
        const auto [gate, up] = halves_of(fused);
        m.check(m.of(glu_ffn{glu_weights{gate, up, down}, silu{}}), swiglu);
    }
    std::vector<float> in_turn(2 * h * d);
    std::vector<float> by_inputs(2 * h * d);
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < h; ++j) {
            in_turn[2 * i * h + j] = by_inputs[j * 2 * d + i] = m.gate_values[i * h + j];
            in_turn[(2 * i + 1) * h + j] = by_inputs[j * 2 * d + d + i] = m.up_values[i * h + j];
        }
    }
    {
        const matrix<f32, neuron_major> fused{in_turn.data(), 2 * d, h};
        const auto [gate, up] = alternate_rows_of(fused);
        m.check(m.of(glu_ffn{glu_weights{gate, up, down}, silu{}}), swiglu);
    }
    {
        const matrix<f32, input_major> fused_by_inputs{by_inputs.data(), h, 2 * d};
        const auto [gate, up] = halves_of(fused_by_inputs);
        m.check(m.of(glu_ffn{glu_weights{gate, up, down}, silu{}}), swiglu);
    }
}

TEST_CASE("docs/models.md: experts and activations") {
    models m;
    const std::vector<Eigen::bfloat16> gate_memory(experts * d * h, Eigen::bfloat16{0.25f});
    const auto* const gate_tensor = gate_memory.data();
    const matrix_stack<bf16, neuron_major> gates{gate_tensor, experts, d, h};
    const auto ups = gates;
    const matrix_stack<bf16, output_major> downs{gate_tensor, experts, h, d};
    const std::size_t e = 1;
    const glu_ffn expert{glu_weights{gates[e], ups[e], downs[e]}, silu{}};
    const auto& shared = expert;
    std::vector<float>& x = m.x;
    std::vector<float>& y = m.y;
    std::vector<float>& residual = m.residual;
    owned_workspace& memory = m.memory;
    const float one = m.of(expert);
    CHECK(one != 0);
    y.assign(h, 1.0f);
    const float weight = 0.5f;
    expert(x, add_to{y, weight}, memory);
    CHECK(y[0] == doctest::Approx(1 + 0.5 * one));
    shared(x, add_to{y}, memory);
    CHECK(y[0] == doctest::Approx(1 + 1.5 * one));
    const std::vector<float> shared_gate(h, 0.0f);
    const auto dot = [](const std::vector<float>& a, const std::vector<float>& b) { return a[0] * b[0]; };
    const auto sigmoid = [](float v) { return 1 / (1 + std::exp(-v)); };
    shared(x, add_to{y, sigmoid(dot(shared_gate, x))}, memory);
    CHECK(y[0] == doctest::Approx(1 + 2.0 * one));
    std::vector<float> half_x = x;
    for (float& value : half_x) {
        value *= weight;
    }
    std::vector<float> of_half(h);
    expert(half_x, of_half, memory);
    y.assign(h, 1.0f);
    expert(scaled{x, weight}, add_to{y}, memory);
    CHECK(y[0] == 1 + of_half[0]);
    expert(x, add_to{residual}, memory);
    CHECK(residual[0] == one);
    const std::vector<Eigen::bfloat16> x16(h, Eigen::bfloat16{1.0f});
    std::vector<Eigen::half> y16(h);
    expert(x16, y16, memory);
    CHECK(static_cast<float>(y16[0]) != 0);
    const block<const float> xs{x.data(), 1, h};
    const block<float> ys{y.data(), 1, h};
    const std::uint32_t places[] = {0};
    const float weights_of_tokens[] = {2};
    y.assign(h, 0.0f);
    expert(tokens_of{xs, places}, add_to{tokens_of{ys, places}, weights_of_tokens}, memory);
    CHECK(y[0] == doctest::Approx(2 * one));
}

TEST_CASE("docs/models.md: linear layers") {
    models m;
    const matrix<f32, output_major> w_q{m.gate_values.data(), d, h};
    const auto w_k = w_q;
    const auto w_v = w_q;
    const std::vector<float> b_q(d, 1.0f);
    const auto b_k = b_q;
    const auto b_v = b_q;
    std::vector<float>& x = m.x;
    std::vector<float> q(d);
    std::vector<float> k(d);
    std::vector<float> v(d);
    owned_workspace& memory = m.memory;
    const auto qkv = packed_projection(linear_weights{w_q, w_k, w_v}, at_input(top_p{0.9}));
    qkv(x, outputs{q, k, v}, memory);
    CHECK(q == v);
    const float without = q[0];
    const auto biased =
        packed_projection(linear_weights{w_q, w_k, w_v}.biased(b_q, b_k, b_v), at_input(top_p{0.9}));
    biased(x, outputs{q, k, v}, memory);
    CHECK(q[0] == doctest::Approx(without + 1));
    std::vector<float> residual(d, 2.0f);
    const projection o{linear_weights{w_q}};
    o(x, q, memory);
    o(x, add_to{residual}, memory);
    CHECK(residual[3] == doctest::Approx(2 + q[3]));
}

TEST_CASE("docs/models.md: masks from elsewhere, of groups, by calibration") {
    models m;
    const auto weights = m.gated();
    const float dense_y = m.of(glu_ffn{weights, silu{}});
    mask mask{d};
    CHECK(m.of(packed_ffn(weights, silu{}, at_neurons(given{mask}))) == 0);
    mask.span().fill(true);
    CHECK(m.of(packed_ffn(weights, silu{}, at_neurons(given{mask}))) == doctest::Approx(dense_y));
    const float most =
        m.of(packed_ffn(weights, silu{}, at_neurons(given{mask}), at_intermediate(top_p{0.9})));
    CHECK(most == doctest::Approx(m.of(packed_ffn(weights, silu{}, at_intermediate(top_p{0.9})))));
    CHECK(m.of(packed_ffn(weights, silu{}, at_gate(grouped{8, group_sum{}, top_p{0.9}}))) != 0);
    const std::vector<float> thresholds(d, 0.125f);
    const float above = m.of(packed_ffn(weights, silu{}, at_gate(channel_thresholds{thresholds})));
    CHECK(above == m.of(packed_ffn(weights, silu{}, at_gate(threshold::above(0.125)))));
}

TEST_CASE("docs/models.md: models that are known at run time") {
    models m;
    using ffn_of_model = any_ffn<formats<f32, bf16, q8_0>, gatings<silu, gelu_tanh>>;
    const std::vector<Eigen::bfloat16> gate_memory(d * h, Eigen::bfloat16{0.25f});
    const auto* const gate_data = gate_memory.data();
    const any_matrix gate{"bf16", weight_layout::neuron_major, gate_data, d, h};
    const any_matrix up = gate;
    const any_matrix down{"bf16", weight_layout::output_major, gate_data, h, d};
    const ffn_of_model ffn{any_glu_weights{gate, up, down}, silu{}, at_gate(top_p{0.9})};
    CHECK(ffn.skips(site::gate) == skipped_matrices{false, true, false});
    const ffn_of_model::gating_type chosen_gating = silu{};
    const std::vector<any_policy> policies{{site::gate, top_p{0.9}}};
    const ffn_of_model configured{any_glu_weights{gate, up, down}, chosen_gating, policies};
    CHECK(m.of(configured) == m.of(ffn));
}

TEST_CASE("docs/models.md: all that it says to write stands in this file") {
    const std::filesystem::path here{__FILE__};
    const std::string page = read_file(here.parent_path() / ".." / ".." / "docs" / "models.md");
    const std::string tests = without_spaces(read_file(here));
    if (page.empty() || tests.empty()) {
        MESSAGE("the sources are not where they were compiled");
        return;
    }
    std::size_t lines = 0;
    std::istringstream in{page};
    for (std::string line; std::getline(in, line);) {
        const std::size_t end = line.rfind("` |"); // the last cell
        if (line.starts_with("| ") && end != std::string::npos && end + 3 == line.size()) {
            const std::size_t begin = line.rfind('`', end - 1) + 1;
            const std::string code = line.substr(begin, end - begin);
            CAPTURE(code);
            CHECK(tests.find(without_spaces(code)) != std::string::npos);
            ++lines;
        }
    }
    CHECK(lines == 41);
    const std::size_t block_begin = page.find("```cpp") + 6;
    const std::string block_of_code = page.substr(block_begin, page.find("```", block_begin) - block_begin);
    CHECK(tests.find(without_spaces(block_of_code)) != std::string::npos);
}

} // namespace models_test
