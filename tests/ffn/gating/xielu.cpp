#include "ffn/support_check.hpp"
#include "support/bits.hpp"

#include <tamis/ffn/activate.hpp>
#include <tamis/ffn/gating/xielu.hpp>
#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace {

double exact_xielu(double z, double p, double n, double beta, double eps) {
    return z > 0 ? p * z * z + beta * z : n * (std::expm1(std::min(z, eps)) - z) + beta * z;
}
const double eps = double{-1e-6f};

struct apertus : tamis::xielu {
    apertus() : tamis::xielu{tamis::xielu::by_slopes(0.8f, 0.75f)} {}
};
double exact_apertus(double z) { return exact_xielu(z, double{0.8f}, 0.75, 0.5, eps); }

} // namespace

TEST_CASE("xielu: the parameters of a checkpoint are softplus'd") {
    const tamis::xielu some{0.2f, -1.0f};
    CHECK(some.alpha_p() == doctest::Approx(0.79813886938).epsilon(1e-7));
    CHECK(some.alpha_n() == doctest::Approx(0.5 + 0.31326168752).epsilon(1e-7));
    const tamis::xielu far{100.0f, -100.0f, 0.25f};
    CHECK(far.alpha_p() == 100.0f);
    CHECK(far.alpha_n() == 0.25f);
    // what training begins with: log(expm1(0.8)) and log(expm1(0.8 - 0.5))
    const tamis::xielu begin{0.20338251f, -1.05022557f};
    CHECK(begin.alpha_p() == doctest::Approx(0.8).epsilon(1e-6));
    CHECK(begin.alpha_n() == doctest::Approx(0.8).epsilon(1e-6));
}

TEST_CASE("xielu: its formula, one by one and by vectors") {
    const tamis::xielu some{0.7f, -0.4f, 0.375f, -1e-5f};
    std::vector<float> z{0.0f, negative_zero_of<float>, -1e-5f, -9e-6f, 1e-5f, 1e-30f, 30.0f, -80.0f, -1e4f,
                         1e15f};
    for (int i = -4000; i <= 4000; i += 3) {
        z.push_back(static_cast<float>(i) / 256.0f);
    }
    std::vector<float> got = z;
    tamis::detail::activate(some, got);
    double by_lanes = 0;
    double by_call = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
        const double right =
            exact_xielu(double{z[i]}, double{some.alpha_p()}, double{some.alpha_n()}, 0.375, double{-1e-5f});
        const double size = std::max({std::fabs(right), std::fabs(double{z[i]}), 1e-5});
        by_lanes = std::max(by_lanes, std::fabs(double{got[i]} - right) / size);
        by_call = std::max(by_call, std::fabs(double{some(z[i])} - right) / size);
    }
#if defined(__FAST_MATH__) // whose exp is a little less exact
    CHECK(by_lanes < 2e-6);
#else
    CHECK(by_lanes < 6e-7);
#endif
    CHECK(by_call < 6e-7);
}

TEST_CASE("plain_ffn: xielu, relu squared and gelu at both sites") {
    const auto check = [](auto sigma, exact_sigma exact) {
        const problem p = random_problem(19, 37, true, 5);
        const auto up = store_up<tamis::f32, tamis::input_major>(p.up);
        const auto down = store_down<tamis::f32, tamis::neuron_major>(p.down);
        const tamis::plain_ffn ffn{tamis::plain_weights{up.view(), down.view(), p.up_bias, p.down_bias},
                                   sigma, tamis::at_input(tamis::top_k{11}),
                                   tamis::at_intermediate(tamis::top_k{20})};
        recorder seen;
        std::vector<float> y(19, nan_of<float>);
        tamis::owned_workspace memory{ffn.workspace_bytes()};
        ffn(p.x, y, memory, seen);
        CHECK(differences(reference_plain(p, exact, seen.masks()), seen, y) == "");
    };
    check(apertus{}, exact_apertus);
    check(tamis::relu2{}, exact_relu2);
    check(tamis::gelu{}, exact_gelu);
}
