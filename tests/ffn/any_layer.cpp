#include <tamis/ffn/any_layer.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"

#include <tamis/format/f32.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/sixteen_bits.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace any_layer_test {

// A layer by words, pointers and sizes gives the bits of the one that it describes, and refuses what can not be right.

namespace {

using layer_of_words = tamis::any_layer<tamis::formats<tamis::f32>, tamis::gatings<tamis::silu, tamis::relu>>;
using ffn_of_words = tamis::any_ffn<tamis::formats<tamis::f32>, tamis::gatings<tamis::silu, tamis::relu>>;
using enum tamis::weight_layout;
using tamis::any_block;
using tamis::any_output;
using tamis::number_type;

constexpr std::size_t words_h = 48, words_d = 70, words_tokens = 2;

struct words_model {
    engine random{11};
    std::vector<float> gate = generate<float>(shape::normal, words_d* words_h, random);
    std::vector<float> up = generate<float>(shape::normal, words_d* words_h, random);
    std::vector<float> down = generate<float>(shape::normal, words_d* words_h, random);
    std::vector<float> bias = generate<float>(shape::normal, words_d, random);
    std::vector<float> x = generate<float>(shape::normal, words_tokens* words_h, random);
    tamis::any_matrix of_gate{"f32", neuron_major, gate.data(), words_d, words_h};
    tamis::any_matrix of_up{"f32", neuron_major, up.data(), words_d, words_h};
    tamis::any_matrix of_down{"f32", neuron_major, down.data(), words_d, words_h};

    tamis::ffn_parts parts() const {
        tamis::ffn_parts p{.up = of_up, .down = of_down, .gate_bias = bias.data()};
        p.gate = of_gate;
        p.rules = tamis::read_site_rules("top_k=9@gate");
        return p;
    }
};

template <class Layer>
std::vector<float> of_words(const Layer& l, const words_model& m, std::size_t outputs) {
    std::vector<float> y(words_tokens * outputs);
    tamis::owned_workspace memory{l.workspace_bytes(tamis::serial{}, words_tokens)};
    l(any_block{number_type::f32, m.x.data(), words_tokens, m.x.size() / words_tokens,
                m.x.size() / words_tokens},
      any_output{number_type::f32, y.data(), words_tokens, outputs, outputs}, memory);
    return y;
}
std::vector<float> of_types(const ffn_of_words& f, const words_model& m) {
    std::vector<float> y(words_tokens * words_h);
    tamis::owned_workspace memory{f.workspace_bytes(tamis::serial{}, words_tokens)};
    f(tamis::block<const float>{m.x.data(), words_tokens, words_h},
      tamis::block<float>{y.data(), words_tokens, words_h}, memory);
    return y;
}

} // namespace

TEST_CASE("an FFN by words has the bits of the one by types") {
    const words_model m;
    const auto rule = tamis::at_gate(tamis::top_k{9});
    const tamis::any_glu_weights weights{m.of_gate, m.of_up, m.of_down, tamis::glu_biases{m.bias, {}, {}}};
    const layer_of_words ffn{m.parts()};
    CHECK(of_words(ffn, m, words_h) == of_types(ffn_of_words{weights, tamis::silu{}, rule}, m));
    CHECK(ffn.width() == words_h);
    CHECK(ffn.outputs() == words_h);
    CHECK(ffn.bytes() == 3 * words_d * words_h * sizeof(float));

    tamis::ffn_parts plain = m.parts();
    plain.gate.reset();
    plain.gating = "relu";
    plain.rules = {};
    CHECK(of_words(layer_of_words{plain}, m, words_h) ==
          of_types(ffn_of_words{tamis::any_plain_weights{m.of_up, m.of_down}, tamis::relu{}}, m));
}

TEST_CASE("neurons that are known before are read when a call begins, and checked then") {
    const words_model m;
    std::vector<std::uint64_t> masks(words_tokens * 2);
    tamis::ffn_parts p = m.parts();
    p.rules = {};
    p.neurons = masks.data();
    p.neuron_masks = words_tokens;
    const layer_of_words ffn{p};
    CHECK(of_words(ffn, m, words_h) == std::vector<float>(words_tokens * words_h));
    masks = {~std::uint64_t{0}, 0x3f, ~std::uint64_t{0}, 0x3f};
    p.neurons = nullptr;
    CHECK(of_words(ffn, m, words_h) == of_words(layer_of_words{p}, m, words_h));
#if defined(__cpp_exceptions)
    masks[3] = 0x40;
    CHECK(message_of([&] { (void)of_words(ffn, m, words_h); }) ==
          "tamis: neurons: bits behind the last of 70 entries have to be 0");
    masks[3] = 0;
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, words_tokens)};
    CHECK_THROWS(ffn(any_block{number_type::f32, m.x.data(), 1, words_h, words_h},
                     any_output{number_type::f32, masks.data(), 1, words_h, words_h}, memory));
#endif
}

TEST_CASE("a linear layer, and numbers of sixteen bits") {
    const words_model m;
    const tamis::any_matrix w{"f32", input_major, m.down.data(), words_h, words_d};
    const layer_of_words linear{tamis::linear_parts{w, m.bias.data(), "top_k=9"}};
    CHECK(linear.width() == words_h);
    CHECK(linear.outputs() == words_d);
    const tamis::any_projection<tamis::formats<tamis::f32>> typed{w, m.bias,
                                                                  tamis::at_input(tamis::top_k{9})};
    std::vector<float> y(words_tokens * words_d);
    tamis::owned_workspace memory{typed.workspace_bytes(tamis::serial{}, words_tokens)};
    typed(tamis::block<const float>{m.x.data(), words_tokens, words_h},
          tamis::block<float>{y.data(), words_tokens, words_d}, memory);
    CHECK(of_words(linear, m, words_d) == y);

    std::vector<tamis::bfloat16> halves(words_h, tamis::bfloat16{0x3f80});
    std::vector<tamis::bfloat16> out(words_d);
    linear(any_block{number_type::bf16, halves.data(), 1, words_h, words_h},
           any_output{number_type::bf16, out.data(), 1, words_d, words_d}, memory);
    float sum = m.bias[3];
    for (std::size_t j = 0; j < words_h; ++j) {
        sum += m.down[j * words_d + 3];
    }
    CHECK(static_cast<float>(out[3]) == doctest::Approx(sum).epsilon(0.01));
#if defined(__cpp_exceptions)
    CHECK_THROWS(linear(any_block{number_type::f32, m.x.data(), 1, words_h, words_h},
                        any_output{number_type::bf16, out.data(), 1, words_d, words_d}, memory));
    CHECK_THROWS(linear(any_block{number_type::int8, halves.data(), 1, words_h, words_h},
                        any_output{number_type::int8, out.data(), 1, words_d, words_d}, memory));
#endif
}

#if defined(__cpp_exceptions)
TEST_CASE("what can not be right is refused by name") {
    const words_model m;
    const auto refused = [&](auto&& change, std::string_view words) {
        tamis::ffn_parts p = m.parts();
        change(p);
        const std::string message = message_of([&] { (void)layer_of_words{p}; });
        CHECK_MESSAGE(message.find(words) != message.npos, message);
    };
    using parts = tamis::ffn_parts;
    const float* const odd = reinterpret_cast<const float*>(reinterpret_cast<const char*>(m.bias.data()) + 1);
    refused([&](parts& p) { p.up_bias = odd; }, "up_bias lies at an address");
    refused([&](parts& p) { p.gating = "tanh"; }, "there is no gating 'tanh'");
    refused([&](parts& p) { p.rules = tamis::read_site_rules("top_q=1"); }, "top_q");
    refused([&](parts& p) { p.rules = tamis::read_site_rules("top_k=1@nowhere"); }, "no site 'nowhere'");
    refused(
        [&](parts& p) {
            p.gate = tamis::any_matrix{"q4_9", neuron_major, m.gate.data(), words_d, words_h};
        },
        "q4_9");
    refused(
        [&](parts& p) {
            p.up = tamis::any_matrix{"f32", neuron_major, nullptr, words_d, words_h};
        },
        "up is a null pointer");
    refused(
        [&](parts& p) {
            p.down = tamis::any_matrix{"f32", neuron_major, m.down.data(), words_d, words_h, ~std::size_t{0}};
        },
        "down: sizes and strides");
    refused(
        [&](parts& p) {
            p.up = tamis::any_matrix{"f32", neuron_major, m.up.data(), ~std::size_t{0}, words_h};
        },
        "up.rows");
    refused([&](parts& p) { p.neurons = reinterpret_cast<const std::uint64_t*>(odd); }, "neurons lies at");
    refused(
        [&](parts& p) {
            p.up = tamis::any_matrix{"f32", tamis::weight_layout{3}, m.up.data(), words_d, words_h};
        },
        "there is no layout 3");
    refused([&](parts& p) { p.neuron_masks = ~std::size_t{0}; }, "neuron_masks");
    refused(
        [&](parts& p) {
            p.down = tamis::any_matrix{"f32", output_major, m.down.data(), words_h, words_d};
            p.gate.reset();
            p.rules = tamis::read_site_rules("top_k=1");
        },
        "saves nothing");
}
#endif

} // namespace any_layer_test
