#include "ffn/support.hpp"
#include "ffn/support_spy.hpp"
#include "ffn/support_threads.hpp"
#include "support/message.hpp"

#include <tamis/ffn/packed_projection.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include <doctest/doctest.h>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace projection_test {

// Linear layers by themselves, one and several that share x and its mask, against the sums in double.

namespace {

using by_out = tamis::output_major;
using by_in = tamis::input_major;

template <class F, class L>
stored<F, L> store_linear(const dense& m, std::size_t gap = 0) {
    return {m, std::is_same_v<L, by_out>, gap};
}

/// Whether y = W (x where active) + b, by the matrix as it is stored.
template <class M>
bool is_product(const M& w, bool rows_are_outputs, std::span<const float> x, tamis::mask_view mask,
                std::span<const float> bias, std::span<const float> y) {
    for (std::size_t o = 0; o < y.size(); ++o) {
        double sum = bias.empty() ? 0.0 : double{bias[o]};
        double size = std::fabs(sum);
        for (std::size_t j = 0; j < x.size(); ++j) {
            const double term =
                mask[j] ? double{rows_are_outputs ? w.at(o, j) : w.at(j, o)} * double{x[j]} : 0.0;
            sum += term;
            size += std::fabs(term);
        }
        if (!(std::fabs(double{y[o]} - sum) <= 1e-6 * size)) {
            return false;
        }
    }
    return true;
}

struct three_layers {
    dense q, k, v;
    std::vector<float> b_q, b_v, x;
};
three_layers random_layers(std::size_t width, std::size_t tokens) {
    engine random{width};
    return {random_dense(70, width, random), random_dense(33, width, random),
            random_dense(5, width, random),  coarse_values(70, random),
            coarse_values(5, random),        coarse_values(tokens * width, random)};
}

struct seen_masks {
    std::vector<tamis::mask> masks;
    std::vector<std::size_t> tokens;
    void operator()(const tamis::sighting& s) {
        CHECK(s.where == tamis::site::input);
        masks.emplace_back(s.mask);
        tokens.push_back(s.token);
    }
};

} // namespace

TEST_CASE("projection: one matrix, by outputs and by inputs") {
    for (const std::size_t width : {1u, 17u, 96u}) {
        const three_layers l = random_layers(width, 1);
        const auto by_outputs = store_linear<tamis::f32, by_out>(l.q, 4);
        const auto by_inputs = store_linear<tamis::f32, by_in>(l.q, 8);
        tamis::mask all{width};
        all.span().fill(true);
        std::vector<float> y(70, nan_of<float>);
        const tamis::projection dense_one{tamis::linear_weights{by_outputs.view()}};
        tamis::owned_workspace memory{dense_one.workspace_bytes()};
        const tamis::traffic read = dense_one(l.x, y, memory);
        CHECK(is_product(by_outputs.view(), true, l.x, all, {}, y));
        CHECK(read.bytes_read == 70 * width * sizeof(float));

        const tamis::projection masked{tamis::linear_weights{by_inputs.view()}.biased(l.b_q),
                                       tamis::at_input(tamis::top_p{0.75})};
        static_assert(decltype(masked)::skips() && decltype(masked)::skips_all());
        tamis::owned_workspace more{masked.workspace_bytes()};
        const tamis::mask mask = tamis::top_p{0.75}(l.x);
        const tamis::traffic less = masked(l.x, y, more);
        CHECK(is_product(by_inputs.view(), false, l.x, mask, l.b_q, y));
        CHECK(less.bytes_read == mask.count() * 70 * sizeof(float));
        CHECK(less.bytes_dense == 70 * width * sizeof(float));
    }
}

TEST_CASE("projection: several matrices share x and one mask; formats and layouts may differ") {
    const std::size_t width = 96;
    for (const std::size_t tokens : {1u, 3u, 19u}) {
        CAPTURE(tokens);
        const three_layers l = random_layers(width, tokens);
        const auto q = store_linear<tamis::q8_0, by_in>(l.q);
        const auto k = store_linear<tamis::bf16, by_out>(l.k);
        const auto v = store_linear<tamis::f32, by_in>(l.v, 4);
        const tamis::projection qkv{tamis::linear_weights{q.view(), k.view(), v.view()}.biased(
                                        l.b_q, std::span<const float>{}, l.b_v),
                                    tamis::at_input(tamis::top_k::fraction(0.5))};
        static_assert(decltype(qkv)::skips() && !decltype(qkv)::skips_all());
        std::vector<float> y(tokens * 108, nan_of<float>);
        std::vector<float> again(y.size(), nan_of<float>);
        // side by side in the same rows
        const auto into = [&](std::vector<float>& to) {
            return tamis::outputs{tamis::block<float>{to.data(), tokens, 70, 108},
                                  tamis::block<float>{to.data() + 70, tokens, 33, 108},
                                  tamis::block<float>{to.data() + 103, tokens, 5, 108}};
        };
        const tamis::block<const float> x{l.x.data(), tokens, width};
        seen_masks seen;
        tamis::owned_workspace memory{qkv.workspace_bytes(tamis::serial{}, tokens)};
        qkv(x, into(y), memory, seen);
        REQUIRE(seen.masks.size() == tokens);
        for (std::size_t t = 0; t < tokens; ++t) {
            const tamis::mask mask = tamis::top_k::fraction(0.5)(x.row(t));
            CHECK(seen.masks[t] == mask);
            CHECK(seen.tokens[t] == t);
            const std::span row = std::span<const float>{y}.subspan(t * 108, 108);
            CHECK(is_product(q.view(), false, x.row(t), mask, l.b_q, row.first(70)));
            CHECK(is_product(k.view(), true, x.row(t), mask, {}, row.subspan(70, 33)));
            CHECK(is_product(v.view(), false, x.row(t), mask, l.b_v, row.subspan(103)));
        }
        const auto threads = threads_of(3);
        tamis::owned_workspace for_threads{qkv.workspace_bytes(threads, tokens)};
        qkv(x, into(again), for_threads, threads);
        CHECK(same_bits(again, y));
    }
}

TEST_CASE("projection: what it says it read is what it read") {
    const three_layers l = random_layers(24, 2);
    const auto q = store_linear<spy, by_in>(l.q);
    const auto k = store_linear<spy, by_out>(l.k);
    const tamis::projection qk{tamis::linear_weights{q.view(), k.view()}, tamis::at_input(tamis::top_k{6})};
    std::vector<float> y_q(2 * 70);
    std::vector<float> y_k(2 * 33);
    tamis::owned_workspace memory{qk.workspace_bytes(tamis::serial{}, 2)};
    spy::read.clear();
    const tamis::block<const float> x{l.x.data(), 2, 24};
    const tamis::traffic read =
        qk(x, tamis::outputs{tamis::block<float>{y_q.data(), 2, 70}, tamis::block<float>{y_k.data(), 2, 33}},
           memory);
    CHECK(read.bytes_read == spy::bytes_read());
    CHECK(read.bytes_shared == (70 + 33) * 24 * sizeof(float));
}

TEST_CASE("projection: other numbers in and out, and adding to what is there") {
    const three_layers l = random_layers(64, 3);
    const auto q = store_linear<tamis::f32, by_in>(l.q);
    const tamis::projection one{tamis::linear_weights{q.view()}.biased(l.b_q),
                                tamis::at_input(tamis::top_k{20})};
    tamis::owned_workspace memory{one.workspace_bytes(tamis::serial{}, 3)};
    std::vector<float> y(3 * 70);
    std::vector<float> sum(3 * 70, 2.0f);
    std::vector<Eigen::half> x_half(3 * 64);
    std::vector<Eigen::bfloat16> y_bf16(3 * 70);
    std::transform(l.x.begin(), l.x.end(), x_half.begin(),
                   [](float v) { return Eigen::half{v}; }); // coarse: exact
    one(tamis::block<const float>{l.x.data(), 3, 64}, tamis::block<float>{y.data(), 3, 70}, memory);
    const tamis::block<const Eigen::half> x{x_half.data(), 3, 64};
    one(x, tamis::block<Eigen::bfloat16>{y_bf16.data(), 3, 70}, memory);
    one(x, tamis::add_to{tamis::block<float>{sum.data(), 3, 70}, 0.5f}, memory);
    for (std::size_t i = 0; i < y.size(); ++i) {
        CHECK(static_cast<float>(y_bf16[i]) == static_cast<float>(Eigen::bfloat16{y[i]}));
        CHECK(sum[i] == doctest::Approx(2 + 0.5f * y[i]));
    }
}

TEST_CASE("packed_projection: input_major for a mask that skips, as it is without") {
    const three_layers l = random_layers(64, 1);
    const auto q = store_linear<tamis::f32, by_out>(l.q);
    const auto k = store_linear<tamis::f32, by_out>(l.k);
    const tamis::linear_weights weights{q.view(), k.view()};
    const auto skipping =
        tamis::packed_projection<tamis::bf16>(weights.biased(l.b_q, std::span<const float>{}),
                                              tamis::at_input(tamis::top_k{9}));
    static_assert(std::remove_const_t<decltype(skipping)>::skips_all());
    CHECK(skipping.owned_bytes() == (70 + 33) * 64 * 2);
    const auto plain = tamis::packed_projection(weights, tamis::masks_only(tamis::at_input(tamis::top_k{9})));
    CHECK(plain.owned_bytes() == 0);
    const auto as_it_lies = tamis::packed_projection<tamis::transposed_as<tamis::bf16>>(
        weights, tamis::masks_only(tamis::at_input(tamis::top_k{9})));
    CHECK(as_it_lies.owned_bytes() == 0);
    CHECK(
        tamis::packed_projection<tamis::transposed_as<tamis::bf16>>(weights, tamis::at_input(tamis::top_k{9}))
            .owned_bytes() == (70 + 33) * 64 * 2);
    std::vector<float> y_q(70);
    std::vector<float> y_k(33);
    tamis::owned_workspace memory{skipping.workspace_bytes()};
    skipping(l.x, tamis::outputs{y_q, y_k}, memory);
    const tamis::mask mask = tamis::top_k{9}(l.x);
    CHECK(is_product(q.view(), true, l.x, mask, l.b_q, y_q)); // coarse weights are exact in bf16
    CHECK(is_product(k.view(), true, l.x, mask, {}, y_k));
}

#if defined(__cpp_exceptions)
TEST_CASE("projection: what does not fit is refused with both sizes") {
    const three_layers l = random_layers(24, 1);
    const auto q = store_linear<tamis::f32, by_out>(l.q);
    const auto other = store_linear<tamis::f32, by_out>(random_layers(17, 1).k);
    CHECK(message_of([&] {
              tamis::linear_weights{q.view(), other.view()};
          }) == "tamis::linear_weights: the first matrix has 24 inputs, another 17");
    CHECK(message_of([&] { tamis::linear_weights{q.view()}.biased(l.b_v); }) ==
          "tamis::linear_weights: a bias needs 70 entries, got 5");
    const tamis::projection one{tamis::linear_weights{q.view()}};
    tamis::owned_workspace memory{one.workspace_bytes() + 256};
    std::vector<float> y(70);
    std::vector<float> few(69);
    CHECK(message_of([&] { one(l.x, few, memory); }) ==
          "tamis: a projection's y needs 70 entries a token, got 69");
    CHECK(message_of([&] { one(few, y, memory); }) ==
          "tamis: a projection's x needs 24 entries a token, got 69");
    CHECK(message_of([&] { one(std::span{y}.first(24), y, memory); }) ==
          "tamis: a projection's x, outputs and workspace overlap: give each memory of its own");
    const tamis::projection masked{tamis::linear_weights{q.view()},
                                   tamis::masks_only(tamis::at_input(tamis::top_k{1}))};
    CHECK(message_of([&] {
              masked(l.x, y, tamis::workspace{});
          }).starts_with("tamis::workspace: this call needs "));
}
#endif

} // namespace projection_test
