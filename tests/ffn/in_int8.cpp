#include "ffn/support_model.hpp"
#include "ffn/support_threads.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>
#include <tamis/tamis.hpp>

#include <cmath>

namespace in_int8_test {

// FFNs whose products are made of eight-bit integers, against the same FFN in floats.

namespace {

using tamis::neuron_major;
using tamis::output_major;

template <class F>
void check_int8_ffn() {
    const stored_model<F> model{192, 288};
    engine random{4};
    const std::vector<float> x = coarse_values(model.h, random);
    const tamis::glu_ffn dense{model.weights(), tamis::silu{}};
    const auto floats = call_once(dense, x);
    const auto bytes = call_once(tamis::in_int8{dense}, x);
    CHECK(relative_distance(bytes.y, floats.y) < .03);
    CHECK((tamis::int8_products<F>.rows_are_outputs || relative_distance(bytes.y, floats.y) < 1e-5));
    CHECK(bytes.read.bytes_read == floats.read.bytes_read);

    const auto sparse = tamis::packed_ffn(model.weights(), tamis::silu{}, tamis::at_input(tamis::top_p{0.9}),
                                          tamis::at_intermediate(tamis::top_p{0.9}));
    const auto of_sparse = call_once(sparse, x);
    const tamis::in_int8 quick{sparse};
    const auto one = call_once(quick, x);
    CHECK(relative_distance(one.y, of_sparse.y) < .1); // a mask may differ at its edge
    CHECK(same_bits(one.y, call_once(quick, x, threads_of(2)).y));
    CHECK(same_bits(one.y, call_once(quick, x, reversed_of(3)).y));
}

} // namespace

TEST_CASE("in_int8: close to floats, and the same bits with every number of threads") {
    check_int8_ffn<tamis::q8_0>();
    check_int8_ffn<tamis::q4_0>();
    check_int8_ffn<tamis::int8_by_row>();
}

TEST_CASE("in_int8, in_bf16: sums that are divided into runs are added up, by every number of threads") {
    const auto check = []<class F>(F, auto&& in) {
        const stored_model<F> model{2048, 2048}; // W_down alone is more than two runs
        engine random{4};
        const std::vector<float> x = coarse_values(model.h, random);
        const auto ffn =
            tamis::packed_ffn(model.weights(), tamis::silu{}, tamis::at_intermediate(tamis::nonzero{}));
        const auto quick = in(ffn);
        const auto floats = call_once(ffn, x);
        const auto one = call_once(quick, x);
        CHECK(relative_distance(one.y, floats.y) < .03);
        CHECK(same_bits(one.y, call_once(quick, x, threads_of(2)).y));
        CHECK(same_bits(one.y, call_once(quick, x, reversed_of(3)).y));
        CHECK(same_bits(one.y, call_once(quick, x, tamis::tuned{threads_of(2), tamis::tuning{4, 512}}).y));
    };
    const auto int8 = [](const auto& ffn) { return tamis::in_int8{ffn}; };
    check(tamis::q4_0{}, int8);
    if (takes_turn()) {
        check(tamis::q8_0{}, int8);
    }
    if (takes_turn()) {
        check(tamis::bf16{}, [](const auto& ffn) { return tamis::in_bf16{ffn}; });
    }
}

TEST_CASE("in_int8: a format that it does not fit is as it was, in the same FFN") {
    const stored_model<tamis::bf16> model{64, 96};
    engine random{4};
    const std::vector<float> x = coarse_values(model.h, random);
    const tamis::glu_ffn ffn{model.weights(), tamis::silu{}};
    static_assert(tamis::int8_products<tamis::bf16> == tamis::product_forms{false, false});
    CHECK(same_bits(call_once(tamis::in_int8{ffn}, x).y, call_once(ffn, x).y));
}

TEST_CASE("in_int8: entries that round to zero are not read, whoever is active") {
    const stored_model<tamis::q8_0> model{192, 288};
    engine random{4};
    std::vector<float> x = coarse_values(model.h, random);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = i % 32 == 0 ? 1.0f : i % 2 == 0 ? .003f : x[i]; // 15 of 32 are below 1/254 of the largest
    }
    const auto ffn = tamis::packed_ffn(model.weights(), tamis::silu{}, tamis::at_input(tamis::nonzero{}));
    const auto floats = call_once(ffn, x);
    const auto bytes = call_once(tamis::in_int8{ffn}, x);
    std::size_t active = 0;
    std::size_t of_floats = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        of_floats += x[i] != 0 ? 1 : 0;
        active += std::fabs(x[i]) > 1.0f / 254 ? 1 : 0;
    }
    const std::size_t row = tamis::q8_0::row_bytes(model.d);
    CHECK(floats.read.bytes_read - bytes.read.bytes_read == 2 * row * (of_floats - active));
    CHECK(relative_distance(bytes.y, floats.y) < .05);
}

TEST_CASE("in_int8: of a block, of what owns itself, of what is known at run time, of a projection") {
    const stored_model<tamis::q8_0> model{192, 288};
    engine random{4};
    const std::vector<float> xs = coarse_values(5 * model.h, random);
    const tamis::glu_ffn ffn{model.weights(), tamis::silu{}};
    const tamis::in_int8 quick{ffn};
    static_assert(std::is_same_v<decltype(tamis::in_int8{tamis::glu_ffn{model.weights(), tamis::silu{}}}),
                                 tamis::in_int8<std::remove_const_t<decltype(ffn)>>>);
    std::vector<float> ys(xs.size());
    tamis::owned_workspace memory{quick.workspace_bytes(tamis::serial{}, 5)};
    quick(tamis::block<const float>{xs.data(), 5, model.h, model.h},
          tamis::block<float>{ys.data(), 5, model.h, model.h}, memory);
    const tamis::any_ffn<tamis::formats<tamis::f32, tamis::q8_0>, tamis::gatings<tamis::silu>> any{
        tamis::any_glu_weights{model.weights()}, tamis::silu{}};
    for (std::size_t token = 0; token < 5; ++token) {
        const auto x = std::vector<float>(xs.begin() + static_cast<std::ptrdiff_t>(token * model.h),
                                          xs.begin() + static_cast<std::ptrdiff_t>((token + 1) * model.h));
        const auto one = call_once(quick, x).y;
        CHECK(relative_distance(std::span{ys}.subspan(token * model.h, model.h), one) < 1e-5);
        CHECK(same_bits(call_once(tamis::in_int8{any}, x).y, one));
    }
    const tamis::projection layer{tamis::linear_weights{model.down.view()}};
    const tamis::in_int8 quick_layer{layer};
    const std::vector<float> values = coarse_values(model.d, random);
    std::vector<float> y(model.h), expected(model.h);
    tamis::owned_workspace of_layer{layer.workspace_bytes()}, of_quick{quick_layer.workspace_bytes()};
    layer(values, expected, of_layer);
    quick_layer(values, y, of_quick);
    CHECK(relative_distance(y, expected) < .02);
}

TEST_CASE("in_int8: what is no number is not swallowed") {
    const stored_model<tamis::q4_0> model{64, 96};
    std::vector<float> x(model.h, 1.0f);
    x[40] = std::bit_cast<float>(0x7fc00000u);
    for (const float value : call_once(tamis::in_int8{tamis::glu_ffn{model.weights(), tamis::silu{}}}, x).y) {
        CHECK(tamis::magnitude_bits(value) > tamis::infinity_bits<float>);
    }
}

TEST_CASE("in_bf16: close to floats; without the instruction it is the same") {
    const stored_model<tamis::bf16> model{200, 288};
    engine random{4};
    std::vector<float> x = coarse_values(model.h, random);
    x[0] = 1.003f;
    const auto sparse =
        tamis::packed_ffn(model.weights(), tamis::silu{}, tamis::at_intermediate(tamis::top_p{0.99}));
    const auto floats = call_once(sparse, x);
    const tamis::in_bf16 quick{sparse};
    const auto pairs = call_once(quick, x);
    CHECK(relative_distance(pairs.y, floats.y) < .03);
    CHECK(same_bits(pairs.y, call_once(quick, x, threads_of(2)).y));
    CHECK((tamis::bf16_products<tamis::bf16>.rows_are_outputs || same_bits(pairs.y, floats.y)));
    std::vector<float> xs(3 * model.h, 1.0f), ys(3 * model.h);
    tamis::owned_workspace memory{quick.workspace_bytes(tamis::serial{}, 3)};
    quick(tamis::block<const float>{xs.data(), 3, model.h, model.h},
          tamis::block<float>{ys.data(), 3, model.h, model.h}, memory);
    CHECK(relative_distance(std::span{ys}.first(model.h),
                            call_once(quick, std::vector<float>(model.h, 1.0f)).y) < .01);
}

TEST_CASE("in_int8: blocks with masks of their own, with every number of threads") {
    const auto check = []<class F>(F, std::size_t tokens) {
        const stored_model<F> model{192, 288};
        engine random{tokens};
        const std::vector<float> xs = coarse_values(tokens * model.h, random);
        const auto ffn = tamis::packed_ffn(model.weights(), tamis::silu{}, tamis::at_input(tamis::top_p{0.8}),
                                           tamis::at_intermediate(tamis::top_p{0.9}));
        const tamis::in_int8 quick{ffn};
        const auto run = [&](const auto& of, const auto& threads) {
            std::vector<float> ys(xs.size());
            tamis::owned_workspace memory{of.workspace_bytes(threads, tokens)};
            of(tamis::block<const float>{xs.data(), tokens, model.h},
               tamis::block<float>{ys.data(), tokens, model.h}, memory, threads);
            return ys;
        };
        const auto bytes = run(quick, tamis::serial{});
        const auto floats = run(ffn, tamis::serial{});
        for (std::size_t token = 0; token < tokens; ++token) {
            const auto of_token = [&](const auto& all) {
                return std::span<const float>{all}.subspan(token * model.h, model.h);
            };
            CHECK(relative_distance(of_token(bytes), of_token(floats)) < .1); // a mask may differ at its edge
        }
        CHECK(same_bits(bytes, run(quick, threads_of(2))));
        CHECK(same_bits(bytes, run(quick, reversed_of(3))));
    };
    check(tamis::q4_0{}, 3);
    check(tamis::q4_0{}, 16);
    check(tamis::q8_0{}, 7);
}

TEST_CASE("in_int8: of a block's tokens, none is multiplied by what rounds to zero in its own values") {
    const std::size_t h = 64;
    engine random{5};
    dense weights = random_dense(h, h, random);
    for (std::size_t i = 0; i < h; ++i) {
        weights.values[i * h + 1] *= 1e4f;
    }
    const stored<tamis::q4_0, tamis::input_major> w{weights, false};
    std::vector<float> xs = coarse_values(4 * h, random);
    for (std::size_t token = 0; token < 4; ++token) {
        xs[token * h] = 1;
        xs[token * h + 1] = token == 0 ? .003f : 1.0f;
    }
    const tamis::projection all{tamis::linear_weights{w.view()}, tamis::at_input(tamis::nonzero{})};
    const tamis::in_int8 quick{all};
    std::vector<float> ys(4 * h), one(h);
    tamis::owned_workspace memory{quick.workspace_bytes(tamis::serial{}, 4)};
    quick(tamis::block<const float>{xs.data(), 4, h}, tamis::block<float>{ys.data(), 4, h}, memory);
    quick(std::span<const float>{xs}.first(h), one, memory);
    CHECK(relative_distance(std::span<const float>{ys}.first(h), one) < .05);
}

} // namespace in_int8_test
