#include "support/bits.hpp"
#include "support/message.hpp"

#include <tamis/ffn/activate.hpp>
#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/limited_silu.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Gatings with a limit: vectors give what the values one by one give, at and beside the limit too; a NaN stays one.

namespace {

std::vector<float> around(float limit) {
    std::vector<float> all{0.0f, negative_zero_of<float>, denormal_of<float>(1), 1e30f, -1e30f, 0.5f, -0.5f};
    for (const float v : {limit, -limit}) {
        all.insert(all.end(), {v, std::nextafter(v, 0.0f), std::nextafter(v, 2 * v), v / 2, v * 3});
    }
    all.push_back(at_run_time(inf_of<float>));
    all.push_back(at_run_time(negative_inf_of<float>));
    return all;
}

template <class Gating>
void check_up(const Gating& gating, float limit, float more) {
    const std::vector<float> u = around(limit);
    std::vector<float> got = u;
    tamis::detail::activate_up(gating, got);
    for (std::size_t i = 0; i < u.size(); ++i) {
        CAPTURE(u[i]);
        const float expected = (u[i] < -limit ? -limit : u[i] > limit ? limit : u[i]) + more;
        CHECK(gating.of_up(u[i]) == expected);
        CHECK(got[i] == expected);
    }
}

#if defined(__FAST_MATH__) // whose exp is less exact, most so without multiply_add of one rounding
constexpr double gate_bound = 1e-5;
#else
constexpr double gate_bound = 1e-6;
#endif

template <class Gating>
void check_gate(const Gating& gating, float limit, double alpha) {
    std::vector<float> z = around(limit);
    z.pop_back(); // -infinity gives NaN
    std::vector<float> got = z;
    tamis::detail::activate(gating, got);
    for (std::size_t i = 0; i < z.size(); ++i) {
        CAPTURE(z[i]);
        const double v = std::fmin(double{z[i]}, double{limit});
        const double expected = v < -1e4 ? 0 : v / (1 + std::exp(-alpha * v));
        CHECK(std::fabs(double{got[i]} - expected) <= gate_bound * std::fabs(expected) + 1e-36);
        CHECK(std::fabs(double{gating(z[i])} - expected) <= gate_bound * std::fabs(expected) + 1e-36);
    }
}

template <class Gating>
void check_nan(const Gating& gating) {
    for (const float special : {nan_of<float>, negative_nan_of<float>}) {
        std::vector<float> gate(21, 1.0f);
        std::vector<float> up(21, 1.0f);
        gate[3] = gate[20] = up[2] = up[19] = at_run_time(special);
        tamis::detail::activate(gating, gate);
        tamis::detail::activate_up(gating, up);
        for (std::size_t i = 0; i < 21; ++i) {
            CHECK(tamis::is_nan(up[i]) == (i == 2 || i == 19));
            CHECK(tamis::is_nan(gate[i]) == (i == 3 || i == 20));
        }
        CHECK(tamis::is_nan(gating.of_up(at_run_time(special))));
    }
}

} // namespace

TEST_CASE("limits: of up") {
    check_up(tamis::clipped_swiglu{}, 7, 1);
    check_up(tamis::clipped_swiglu{1.0f, 2.5f}, 2.5f, 1);
    check_up(tamis::limited_silu{10}, 10, 0);
    check_up(tamis::limited_silu{1e-20f}, 1e-20f, 0);
}
TEST_CASE("limits: of the gate") {
    check_gate(tamis::clipped_swiglu{}, 7, double{1.702f});
    check_gate(tamis::clipped_swiglu{0.5f, 30.0f}, 30, 0.5);
    check_gate(tamis::limited_silu{10}, 10, 1);
}
TEST_CASE("limits: without an end it is silu") {
    const tamis::limited_silu none{at_run_time(inf_of<float>)};
    std::vector<float> a{-3, 0.5f, 1e30f, 7};
    std::vector<float> b = a;
    tamis::detail::activate(none, a);
    tamis::detail::activate(tamis::silu{}, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-6));
    }
    CHECK(none.of_up(1e30f) == 1e30f);
}
#if !defined(__FAST_MATH__)
TEST_CASE("limits: NaN stays NaN") {
    check_nan(tamis::clipped_swiglu{});
    check_nan(tamis::limited_silu{10});
}
#endif
#if defined(__cpp_exceptions)
TEST_CASE("limits: those that are none") {
    for (const float limit : {0.0f, -1.0f, at_run_time(nan_of<float>)}) {
        CHECK(message_of([&] {
                  tamis::limited_silu{limit};
              }).starts_with("tamis: a gating's limit must be above 0, got "));
        CHECK(message_of([&] {
                  tamis::clipped_swiglu{1.702f, limit};
              }).starts_with("tamis: a gating's limit"));
    }
}
#endif
