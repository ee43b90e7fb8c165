#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/ffn/cett_exact.hpp>
#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

namespace errors_test {

// Sizes that do not fit are refused where they are given, with the argument and both numbers.

#if defined(__cpp_exceptions)

namespace {

const std::vector<float> memory(64 * 64);

template <class L, class F = tamis::f32>
tamis::matrix<F, L> of(std::size_t rows, std::size_t columns) {
    return {static_cast<const void*>(memory.data()), rows, columns};
}
using by_neurons = tamis::neuron_major;
using by_inputs = tamis::input_major;
using by_outputs = tamis::output_major;

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing was thrown";
}

tamis::glu_weights<tamis::matrix<tamis::f32, by_neurons>, tamis::matrix<tamis::f32, by_neurons>,
                   tamis::matrix<tamis::f32, by_outputs>>
weights(tamis::glu_biases biases = {}) {
    return {of<by_neurons>(8, 5), of<by_neurons>(8, 5), of<by_outputs>(5, 8), biases};
}

} // namespace

TEST_CASE("matrix: a stride shorter than a row") {
    using matrix = tamis::matrix<tamis::bf16, by_neurons>;
    CHECK(message([] {
              matrix{static_cast<const void*>(memory.data()), 4, 10, 19};
          }) == "tamis::matrix: a row takes 20 bytes, but stride_bytes is 19");
}

TEST_CASE("glu_weights: matrices that do not fit each other") {
    CHECK(message([] {
              tamis::glu_weights{of<by_neurons>(7, 5), of<by_neurons>(8, 5), of<by_outputs>(5, 8)};
          }) == "tamis::glu_weights: W_up has 8 neurons, W_gate 7");
    CHECK(message([] {
              tamis::glu_weights{of<by_inputs>(5, 7), of<by_neurons>(8, 5), of<by_outputs>(5, 8)};
          }) == "tamis::glu_weights: W_up has 8 neurons, W_gate 7");
    CHECK(message([] {
              tamis::glu_weights{of<by_neurons>(8, 5), of<by_neurons>(8, 5), of<by_outputs>(5, 9)};
          }) == "tamis::glu_weights: W_up has 8 neurons, W_down 9");
    CHECK(message([] {
              tamis::glu_weights{of<by_neurons>(8, 5), of<by_neurons>(8, 5), of<by_neurons>(5, 8)};
          }) == "tamis::glu_weights: W_up has 8 neurons, W_down 5");
    CHECK(message([] {
              tamis::glu_weights{of<by_neurons>(8, 6), of<by_inputs>(5, 8), of<by_outputs>(5, 8)};
          }) == "tamis::glu_weights: W_up has 5 inputs, W_gate 6");
    CHECK(message([] {
              tamis::glu_weights{of<by_neurons>(8, 5), of<by_inputs>(5, 8), of<by_neurons>(8, 4)};
          }) == "tamis::glu_weights: W_up has 5 inputs, W_down 4 outputs");
}

TEST_CASE("glu_weights: biases") {
    const std::span all{memory};
    CHECK(message([&] { weights({.gate = all.first(5)}); }) ==
          "tamis::glu_weights: the gate bias needs 8 entries, got 5");
    CHECK(message([&] { weights({.up = all.first(9)}); }) ==
          "tamis::glu_weights: the up bias needs 8 entries, got 9");
    CHECK(message([&] { weights({.down = all.first(8)}); }) ==
          "tamis::glu_weights: the down bias needs 5 entries, got 8");
}

TEST_CASE("plain_weights: matrices and biases") {
    const std::span all{memory};
    CHECK(message([] {
              tamis::plain_weights{of<by_neurons>(8, 5), of<by_outputs>(5, 7)};
          }) == "tamis::plain_weights: W_up has 8 neurons, W_down 7");
    CHECK(message([] {
              tamis::plain_weights{of<by_inputs>(5, 8), of<by_neurons>(8, 6)};
          }) == "tamis::plain_weights: W_up has 5 inputs, W_down 6 outputs");
    CHECK(message([&] {
              tamis::plain_weights{of<by_neurons>(8, 5), of<by_outputs>(5, 8), all.first(3)};
          }) == "tamis::plain_weights: the up bias needs 8 entries, got 3");
    CHECK(message([&] {
              tamis::plain_weights{of<by_neurons>(8, 5), of<by_outputs>(5, 8), all.first(8), all.first(1)};
          }) == "tamis::plain_weights: the down bias needs 5 entries, got 1");
}

TEST_CASE("calls: x, y and the workspace") {
    const tamis::glu_ffn glu{weights(), tamis::silu{}, tamis::masks_only(tamis::at_input(tamis::top_p{0.5}))};
    const tamis::plain_ffn plain{tamis::plain_weights{of<by_neurons>(8, 5), of<by_outputs>(5, 8)},
                                 tamis::relu{}};
    tamis::owned_workspace enough{glu.workspace_bytes()};
    std::vector<float> x(5);
    std::vector<float> y(5);
    std::vector<float> four(4);
    CHECK(message([&] { glu(four, y, enough); }) == "tamis: an FFN's x needs 5 entries, got 4");
    CHECK(message([&] { glu(x, four, enough); }) == "tamis: an FFN's y needs 5 entries, got 4");
    CHECK(message([&] { plain(four, y, enough); }) == "tamis: an FFN's x needs 5 entries, got 4");
    CHECK(message([&] { plain(x, four, enough); }) == "tamis: an FFN's y needs 5 entries, got 4");
    CHECK(message([&] { glu(x, y, tamis::workspace{}); }).starts_with("tamis::workspace: "));
    CHECK(message([&] { glu(x, y, enough); }) == "nothing was thrown");
}

TEST_CASE("calls: blocks") {
    const tamis::glu_ffn glu{weights(), tamis::silu{}};
    tamis::owned_workspace enough{glu.workspace_bytes()};
    std::vector<float> out(64);
    const auto x = [](std::size_t rows, std::size_t columns) {
        return tamis::block<const float>{memory.data(), rows, columns};
    };
    const auto y = [&](std::size_t rows, std::size_t columns) {
        return tamis::block<float>{out.data(), rows, columns};
    };
    CHECK(message([&] { glu(x(2, 6), y(2, 5), enough); }) == "tamis: an FFN's x needs 5 columns, got 6");
    CHECK(message([&] { glu(x(2, 5), y(2, 4), enough); }) == "tamis: an FFN's y needs 5 columns, got 4");
    CHECK(message([&] { glu(x(2, 5), y(3, 5), enough); }) == "tamis: an FFN's y needs 2 rows, got 3");
    CHECK(message([&] { x(2, 5), tamis::block<const float>(memory.data(), 2, 5, 4); }) ==
          "tamis::block: stride must be at least the 5 columns, got 4");
}

TEST_CASE("CETT: norms and target") {
    const std::vector<float> norms(8, 1.0f);
    std::vector<float> seven(7);
    CHECK(message([&] { tamis::neuron_norms(of<by_outputs>(5, 8), seven); }) ==
          "tamis::neuron_norms: room for 8 norms is needed, got 7");
    CHECK(message([&] {
              tamis::cett_exact{of<by_neurons>(8, 5), seven, 0.5};
          }) == "tamis::cett_exact: 8 norms are needed, got 7");
    CHECK(message([&] {
              tamis::cett_exact{of<by_neurons>(8, 5), norms, 1.5};
          }) == "tamis::cett_exact: the target must be in [0, 1], got 1.5");
    const tamis::cett_exact exact{of<by_neurons>(8, 5), norms, 0.5};
    CHECK(message([&] { tamis::select(exact, seven); }) ==
          "tamis::cett_exact: the intermediate needs 8 entries, got 7");
}

#endif

} // namespace errors_test
