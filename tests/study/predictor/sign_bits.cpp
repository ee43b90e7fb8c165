#include <tamis/study/predictor/sign_bits.hpp>

#include "study/predictor/support.hpp"
#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <cmath>

using tamis::study::predict;
using tamis::study::sign_bits;

static_assert(tamis::study::predictor<sign_bits>);

namespace {

/// The plain way: signs of the factors one by one, and the paper's inequality.
tamis::mask by_counting(const random_gate& gate, std::span<const float> x, double alpha) {
    tamis::mask mask{gate.neurons};
    for (std::size_t i = 0; i < gate.neurons; ++i) {
        std::size_t negative = 0, positive = 0;
        for (std::size_t j = 0; j < gate.width; ++j) {
            const bool differ = std::signbit(gate.weights[i * gate.width + j]) != std::signbit(x[j]);
            ++(differ ? negative : positive);
        }
        mask.set(i, !(static_cast<double>(negative) > alpha * static_cast<double>(positive)));
    }
    return mask;
}

} // namespace

TEST_CASE("sign bits equal counting signs one by one") {
    for (const std::size_t h : {1u, 2u, 63u, 64u, 65u, 100u, 128u, 200u}) {
        const random_gate gate{h, 70, 2, 0.3f, h};
        for (const double alpha : {0.0, 0.5, 0.98, 1.0, 1.02, 1.5, 1e6}) {
            const sign_bits p{gate.view(), alpha};
            for (std::uint64_t seed = 0; seed < 5; ++seed) {
                const auto x = random_x(h, 100 + seed);
                CAPTURE(h);
                CAPTURE(alpha);
                const tamis::mask made = predict(p, x);
                CHECK(show(made) == show(by_counting(gate, x, alpha)));
                CHECK(is_clear_behind(made));
            }
        }
    }
}

TEST_CASE("sign bits: a tie is active, and a greater alpha keeps more") {
    const std::vector<float> weights{1, 1, 1, 1, /**/ 1, 1, -1, -1, /**/ 1, -1, -1, -1, /**/ -1, -1, -1, -1};
    const gate_view gate{weights.data(), 4, 4};
    const std::vector<float> x{2, 3, 4, 5};
    CHECK(show(predict(sign_bits{gate}, x)) == "1100");
    CHECK(show(predict(sign_bits{gate, 0.9}, x)) == "1000");
    CHECK(show(predict(sign_bits{gate, 3.0}, x)) == "1110");
    CHECK(show(predict(sign_bits{gate, 2.9}, x)) == "1100");
    CHECK(show(predict(sign_bits{gate, 0.0}, x)) == "1000");
    CHECK(show(predict(sign_bits{gate, 1e300}, x)) == "1110"); // N_pos = 0 is never enough
}

TEST_CASE("sign bits: zeros count by their sign, infinities by theirs, a NaN makes all active") {
    const std::vector<float> weights{1, 1, -1, -1, -1, 1};
    const gate_view gate{weights.data(), 2, 3};
    const sign_bits p{gate};
    CHECK(show(predict(p, std::vector<float>{0.0f, 0.0f, 1.0f})) == "10");
    CHECK(show(predict(p, std::vector<float>{negative_zero_of<float>, negative_zero_of<float>, 0.0f})) ==
          "01");
    CHECK(show(predict(p, std::vector<float>{negative_inf_of<float>, -1.0f, inf_of<float>})) == "01");
    CHECK(show(predict(p, std::vector<float>{1.0f, nan_of<float>, 1.0f})) == "11");
    CHECK(show(predict(p, std::vector<float>{1.0f, 1.0f, negative_nan_of<float>})) == "11");
}

TEST_CASE("sign bits: W_gate may lie either way") {
    const random_gate gate{37, 66, 3, 0.1f, 5};
    std::vector<float> turned(gate.weights.size());
    for (std::size_t i = 0; i < gate.neurons; ++i) {
        for (std::size_t j = 0; j < gate.width; ++j) {
            turned[j * gate.neurons + i] = gate.weights[i * gate.width + j];
        }
    }
    const tamis::matrix<tamis::f32, tamis::input_major> other{turned.data(), gate.width, gate.neurons};
    const auto x = random_x(37, 8);
    CHECK(predict(sign_bits{gate.view()}, x) == predict(sign_bits{other}, x));
    CHECK(sign_bits{other}.neurons() == 66);
    CHECK(sign_bits{other}.width() == 37);
}

TEST_CASE("sign bits guess the sign of a gate better than chance") {
    const random_gate gate{256, 200, 256, 0.0f, 1};
    const sign_bits p{gate.view()};
    const auto x = random_x(256, 2);
    const auto z = gate.product(x);
    const tamis::mask made = predict(p, x);
    std::size_t right = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        right += made[i] == (z[i] > 0) ? 1 : 0;
    }
    CHECK(right > 130);
}

TEST_CASE("sign bits: what they cost") {
    const random_gate gate{65, 10, 1, 1.0f, 1};
    const sign_bits p{gate.view()};
    CHECK(p.multiply_adds() == 0);
    CHECK(p.weight_bytes() == 10 * 16);
    const tamis::traffic t = tamis::study::predicted_traffic(p, 4, 3 * 65 * 4);
    CHECK(t.bytes_read == 160 + 4 * 780);
    CHECK(t.bytes_dense == 10 * 780);
}

#if defined(__cpp_exceptions)
TEST_CASE("sign bits: what is refused") {
    const random_gate gate{8, 4, 1, 1.0f, 1};
    CHECK(message_of([&] {
              sign_bits{gate.view(), -0.5};
          }) == "tamis::study::sign_bits: alpha must be >= 0 and finite (1: the majority), got -0.5");
    CHECK_THROWS_AS((sign_bits{gate.view(), nan_of<double>}), std::invalid_argument);
    CHECK_THROWS_AS((sign_bits{gate.view(), inf_of<double>}), std::invalid_argument);
    const sign_bits p{gate.view()};
    CHECK(message_of([&] { predict(p, std::vector<float>(7)); }).find("8 entries, got 7") !=
          std::string::npos);
    tamis::mask small{3};
    tamis::owned_workspace memory{p.prediction_bytes()};
    CHECK(message_of([&] {
              p.predict(std::vector<float>(8), small.span(), memory);
          }).find("4 neurons, got one over 3") != std::string::npos);
}
#endif
