#include <tamis/ffn/any_projection.hpp>

#include "ffn/support_threads.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"

#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/top_p.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace any_projection_test {

// What is chosen at run time gives the bits of the projection whose types are known.

namespace {

using any_linear = tamis::any_projection<tamis::formats<tamis::f32, tamis::q8_0>>;

constexpr std::size_t linear_inputs = 96, linear_outputs = 150, linear_tokens = 3;

template <class Projection>
std::vector<float> projected(const Projection& p, const std::vector<float>& x, tamis::traffic& read) {
    std::vector<float> y(linear_tokens * linear_outputs);
    const auto threads = threads_of(3);
    tamis::owned_workspace memory{p.workspace_bytes(threads, linear_tokens)};
    read = p(tamis::block<const float>{x.data(), linear_tokens, linear_inputs},
             tamis::block<float>{y.data(), linear_tokens, linear_outputs}, memory, threads);
    return y;
}

} // namespace

TEST_CASE("a projection chosen at run time gives the bits of the one of its types") {
    engine random{4};
    const std::vector<float> x = generate<float>(shape::heavy_tailed, linear_tokens * linear_inputs, random);
    const std::vector<float> weights = generate<float>(shape::normal, linear_outputs * linear_inputs, random);
    const std::vector<float> bias = generate<float>(shape::normal, linear_outputs, random);
    tamis::traffic a;
    tamis::traffic b;

    const tamis::matrix<tamis::f32, tamis::output_major> w{weights.data(), linear_outputs, linear_inputs};
    CHECK(projected(any_linear{w, bias}, x, a) ==
          projected(tamis::projection{tamis::linear_weights{w}.biased(bias)}, x, b));
    CHECK(a.bytes_read == b.bytes_read);

    const tamis::any_matrix same{"f32", tamis::weight_layout::neuron_major, weights.data(), linear_outputs,
                                 linear_inputs};
    CHECK(projected(any_linear{same, bias}, x, a) == projected(any_linear{w, bias}, x, b));

    const tamis::matrix<tamis::f32, tamis::input_major> by_inputs{weights.data(), linear_inputs,
                                                                  linear_outputs};
    const auto rule = tamis::at_input(tamis::top_p{0.7});
    const any_linear any{by_inputs, bias, rule};
    CHECK(any.skips());
    CHECK(any.width() == linear_inputs);
    CHECK(any.outputs() == linear_outputs);
    CHECK(any.bytes() == weights.size() * sizeof(float));
    CHECK(projected(any, x, a) ==
          projected(tamis::projection{tamis::linear_weights{by_inputs}.biased(bias), rule}, x, b));
    CHECK(a.bytes_read == b.bytes_read);
    CHECK(a.bytes_read < a.bytes_dense - a.bytes_shared);

    const any_linear masked{w, {}, tamis::masks_only(rule)};
    CHECK_FALSE(masked.skips());
    CHECK(projected(masked, x, a) ==
          projected(tamis::projection{tamis::linear_weights{w}, tamis::masks_only(rule)}, x, b));
}

#if defined(__cpp_exceptions)
TEST_CASE("a projection chosen at run time refuses what its types would refuse") {
    const std::vector<float> weights(64);
    const tamis::matrix<tamis::f32, tamis::output_major> w{weights.data(), 8, 8};
    const auto rule = tamis::top_p{0.7};
    const auto says = [](auto&& make, const char* what) {
        return message_of(make).find(what) != std::string::npos;
    };
    CHECK(says([&] { any_linear{w, {}, tamis::at_input(rule)}; }, "saves nothing: W is not input_major"));
    CHECK(says([&] { any_linear{w, {}, tamis::at_gate(rule)}; }, "has one site: at_input"));
    CHECK(says([&] { any_linear{w, std::span{weights}.first(7)}; }, "a bias needs 8 entries, got 7"));
    CHECK(says(
        [&] {
            any_linear{tamis::any_matrix{"bf16", tamis::weight_layout::output_major, weights.data(), 8, 8}};
        },
        "W is 'bf16', but this is compiled for f32, q8_0"));
}
#endif

} // namespace any_projection_test
