#include <tamis/study/laws/fit_law.hpp>

#include "study/laws/support.hpp"
#include "support/bits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace tamis::study;

namespace {

template <class L>
law_fit<L> fit_of(std::initializer_list<law_point> points) {
    return fit_law<L>(std::span<const law_point>(points.begin(), points.size()));
}

template <class Fit>
void check_undetermined(const Fit& fit) {
    CHECK(!fit.is_regular());
    CHECK(!fit.determines_limit());
    CHECK(!fit.determines_all());
    for (const double error : fit.errors) {
        CHECK(tamis::magnitude_bits(error) == tamis::infinity_bits<double>);
    }
}

} // namespace

TEST_CASE_TEMPLATE("constant data have no law: infinite errors", L, relu_law, silu_law) {
    for (const double level : {0.0, 0.0625, 0.4, 1.0}) {
        CAPTURE(level);
        std::vector<law_point> points;
        for (int i = 1; i <= 20; ++i) {
            points.push_back({10.0 * i, level});
        }
        const auto fit = fit_law<L>(points);
        check_undetermined(fit);
        CHECK(fit.rms < 1e-6);
        CHECK(fit.r_squared == 0);
        CHECK(fit(100.0) == doctest::Approx(level).epsilon(1e-4));
    }
}

TEST_CASE_TEMPLATE("points at fewer places than there are parameters: infinite errors", L, relu_law,
                   silu_law) {
    check_undetermined(fit_of<L>({{10, 0.2}, {10, 0.21}, {10, 0.19}, {100, 0.3}, {100, 0.31}, {100, 0.29}}));
}

TEST_CASE("data that run the other way do not become a law") {
    std::vector<law_point> falling, rising;
    for (int i = 1; i <= 20; ++i) {
        falling.push_back({5.0 * i, 0.5 - 0.01 * i});
        rising.push_back({5.0 * i, 0.1 + 0.01 * i});
    }
    const auto silu = fit_law<silu_law>(falling);
    CHECK(!silu.determines_all());
    CHECK(silu.values[0] > 0);
    CHECK(silu.values[1] > 0);
    CHECK(silu.r_squared < 0.01);
    const auto relu = fit_law<relu_law>(rising);
    CHECK(!relu.determines_all());
    CHECK(relu.r_squared < 0.01);
    CHECK(silu.verdict() == law_verdict::failed);
    CHECK(relu.verdict() == law_verdict::failed);
    CHECK(name_of(silu.verdict()) == std::string{"failed"});
}

TEST_CASE("a run that is cut short says little about the limit, and the longer run more") {
    const auto points = measured<relu_law>(relu_rows[4].p, 0.01, 2); // falls by e until 194 billion tokens
    const auto cut_short = fit_law<relu_law>(std::span{points}.first(28)); // until 91
    const auto whole = fit_law<relu_law>(points);
    CHECK(whole.determines_limit());
    CHECK(whole.limit_error() < 0.003);
    CHECK(!cut_short.determines_all());
    CHECK((!cut_short.is_regular() || cut_short.limit_error() > 5 * whole.limit_error()));
}

TEST_CASE(
    "a fit's verdict: determined, undetermined where its parameters could be others, failed where it is no law") {
    const auto points = measured<relu_law>(relu_rows[4].p, 0.01, 2);
    CHECK(fit_law<relu_law>(points).verdict() == law_verdict::determined);
    CHECK(fit_law<relu_law>(std::span{points}.first(28)).verdict() == law_verdict::undetermined);
    std::vector<law_point> line, noise;
    for (int i = 1; i <= 12; ++i) { // a straight line has no limit that a power could tell
        line.push_back({1.0 * i, 0.1 + 0.02 * i + 0.0004 * ((i * 7) % 5)});
        noise.push_back({1.0 * i, 0.3 + 0.01 * ((i * 5) % 7)});
    }
    const auto straight = fit_law<silu_law>(line);
    CHECK(straight.r_squared > 0.5);
    CHECK(straight.verdict() == law_verdict::undetermined);
    CHECK(fit_law<silu_law>(noise).verdict() == law_verdict::failed);
    CHECK(fit_law<relu_law>(noise).verdict() == law_verdict::failed);
    law_fit<silu_law> stopped;
    stopped.r_squared = 1;
    CHECK(stopped.verdict() == law_verdict::undetermined); // it never converged
    CHECK(name_of(law_verdict::determined) == std::string{"determined"});
    CHECK(name_of(law_verdict::undetermined) == std::string{"undetermined"});
}
