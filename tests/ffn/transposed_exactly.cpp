#include "ffn/support_model.hpp"
#include "ffn/support_threads.hpp"

#include <doctest/doctest.h>
#include <tamis/ffn/prefill.hpp>
#include <tamis/tamis.hpp>

#include <cmath>

namespace transposed_exactly_test {

// FFNs whose matrices were transposed exactly, against the same masks over the checkpoint's own layouts.

namespace {

using namespace tamis;

/// Nothing is rounded: masks and y are those of the checkpoint's matrices, for one token and for some.
template <class F>
void check_exact_ffn(std::size_t width, std::size_t neurons) {
    CAPTURE(F::name);
    CAPTURE(width);
    const stored_model<F> model{width, neurons};
    engine random{4};
    const std::vector<float> x = coarse_values(model.h, random);
    const auto sites = [](auto&& call) { return call(at_input(top_k{9}), at_intermediate(top_k{70})); };
    const auto lying = sites([&](auto input, auto middle) {
        return glu_ffn{model.weights(), silu{}, masks_only(input), masks_only(middle)};
    });
    const auto turned = sites([&](auto input, auto middle) {
        return packed_ffn<transposed_exactly>(model.weights(), silu{}, input, middle);
    });
    using down_format = typename std::remove_cvref_t<decltype(turned.weights().down)>::format_type;
    static_assert(std::is_same_v<down_format, column_blocks<F>>);
    const auto want = call_once(lying, x);
    const auto got = call_once(turned, x);
    CHECK(relative_distance(got.y, want.y) < 2e-6);
    CHECK(same_bits(got.y, call_once(turned, x, threads_of(2)).y));
    CHECK(got.read.bytes_dense == turned.weights().bytes());
    const std::size_t of_input = 2 * 9 * column_blocks<F>::row_bytes(neurons);
    CHECK(got.read.bytes_read >= of_input + 70 * column_blocks<F>::row_bytes(width));
    CHECK(got.read.bytes_read < got.read.bytes_dense);

    const in_int8 quick{turned};
    const auto of_bytes = call_once(quick, x);
    CHECK(relative_distance(of_bytes.y, want.y) < .1); // a mask may differ at its edge
    CHECK(same_bits(of_bytes.y, call_once(quick, x, threads_of(2)).y));
    CHECK(same_bits(of_bytes.y, got.y) == !detail::sums_columns_int8);

    constexpr std::size_t tokens = 5;
    std::vector<float> xs(tokens * width), ys(tokens * width), dense(tokens * width);
    for (std::size_t k = 0; k < xs.size(); ++k) {
        xs[k] = x[k % width] * static_cast<float>(k / width + 1);
    }
    const block<const float> in{xs.data(), tokens, width};
    owned_workspace memory{turned.workspace_bytes(serial{}, tokens)};
    turned(in, block<float>{ys.data(), tokens, width}, memory);
    owned_workspace more{prefill_workspace_bytes(turned, tokens)};
    prefill(turned, in, block<float>{dense.data(), tokens, width}, more);
    for (std::size_t token = 0; token < tokens; ++token) {
        const std::span of_token{xs.data() + token * width, width};
        const auto one = call_once(lying, {of_token.begin(), of_token.end()});
        CHECK(relative_distance(std::span{ys}.subspan(token * width, width), one.y) < 2e-6);
        CHECK(relative_distance(std::span{dense}.subspan(token * width, width), one.y) < 2e-6);
    }
}

} // namespace

TEST_CASE("transposed_exactly: an FFN of formats with blocks of 32 is what the checkpoint's matrices make") {
    check_exact_ffn<q8_0>(96, 160);
    check_exact_ffn<q4_1>(67, 133);
}

TEST_CASE("transposed_exactly: an ungated FFN and a projection") {
    const stored_model<q4_0> model{64, 96};
    engine random{5};
    const std::vector<float> x = coarse_values(model.h, random);
    const plain_weights weights{model.up.view(), model.down.view()};
    const auto turned = packed_ffn<transposed_exactly>(weights, relu{}, at_intermediate(nonzero{}));
    CHECK(turned.owned_bytes() == turned_bytes(model.down.view()));
    CHECK(relative_distance(call_once(turned, x).y, call_once(plain_ffn{weights, relu{}}, x).y) < 2e-6);

    const linear_weights linear{model.down.view()};
    engine again{6};
    const std::vector<float> values = coarse_values(model.d, again);
    const auto lying = packed_projection(linear, masks_only(at_input(top_k{30})));
    const auto skipping = packed_projection<transposed_exactly>(linear, at_input(top_k{30}));
    const auto outputs_of = [&](const auto& projection) {
        owned_workspace memory{projection.workspace_bytes()};
        std::vector<float> y(model.h);
        projection(values, y, memory);
        return y;
    };
    CHECK(relative_distance(outputs_of(skipping), outputs_of(lying)) < 2e-6);
    CHECK(relative_distance(outputs_of(in_int8{skipping}), outputs_of(lying)) < .05);
}

TEST_CASE("any_ffn: column_blocks, which give the bits of the FFN whose types are known") {
    const stored_model<q5_1> model{64, 96};
    engine random{7};
    const std::vector<float> x = coarse_values(model.h, random);
    const plain_weights weights{model.up.view(), model.down.view()};
    const auto known = packed_ffn<transposed_exactly>(weights, relu{}, at_intermediate(nonzero{}));
    using chosen = any_ffn<formats<q5_1, column_blocks<q5_1>>, gatings<relu>>;
    const any_plain_weights listed{model.up.view(), known.weights().down};
    const chosen ffn{listed, relu{}, at_intermediate(nonzero{})};
    CHECK(ffn.bytes() == known.weights().bytes());
    CHECK(call_once(ffn, x).y == call_once(known, x).y);
    CHECK(call_once(in_int8{ffn}, x).y == call_once(in_int8{known}, x).y);
    CHECK_THROWS_WITH_AS(
        (chosen{any_plain_weights{known.weights().down, known.weights().down}, relu{}}),
        "tamis::any_ffn: W_up is 'q5_1 by columns' and neuron_major: blocks down the columns are "
        "for rows that are inputs (input_major)",
        std::invalid_argument);
}

TEST_CASE("column_blocks: what does not fit is said") {
    std::vector<std::byte> memory(4096);
    const stored<q8_0, output_major> w{dense{3, 40, std::vector<float>(120, 1.0f)}, true};
    CHECK(turned_bytes(w.view()) == 2 * 64 * 2 + 40 * 64);
    CHECK_THROWS_WITH_AS(turn<neuron_major>(w.view(), std::span{memory}.first(2815)),
                         "tamis::turn: the result takes 2816 bytes, but the memory has 2815",
                         std::invalid_argument);
    using turned = matrix<column_blocks<q4_0>, neuron_major>;
    CHECK_THROWS_WITH_AS((turned{memory.data(), 40, 3, 1151}),
                         "tamis::matrix: a block of 32 rows takes 1152 bytes, but stride_bytes is 1151",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS((turned{static_cast<const std::byte*>(nullptr), 40, 3}),
                         "tamis::matrix: 40 rows of 3 weights at a null pointer", std::invalid_argument);
    CHECK(std::string_view{turned::format_type::name} == "q4_0 by columns");
}

} // namespace transposed_exactly_test
