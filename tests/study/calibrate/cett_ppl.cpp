#include <tamis/study/calibrate/cett_ppl.hpp>

#include "study/calibrate/support.hpp"
#include "support/bits.hpp"
#include "support/message.hpp"

#include <tamis/study/calibrate/cett_curve.hpp>

#include <doctest/doctest.h>

// CETT-PPL-p%: the bisection over targets, with losses in closed form and with curves of layers.

using tamis::study::cett_ppl;

namespace {

std::vector<double> twice(double target) { return {target, 2 * target}; }

} // namespace

TEST_CASE("the largest target whose perplexity stays") {
    for (const double percent : {0.1, 1.0, 5.0, 10.0}) {
        const auto r =
            cett_ppl(3.0, twice, [](const std::vector<double>& t) { return 3.0 + t[0] * t[1]; }, {percent});
        CHECK(r.within);
        CHECK(r.converged);
        CHECK(r.monotone);
        CHECK(r.ratio <= 1 + percent / 100);
        CHECK(r.ratio >= 1 + percent / 100 - 0.0002);
        CHECK(r.ratio == doctest::Approx(std::exp(2 * r.target * r.target)));
        CHECK(r.thresholds == twice(r.target));
        REQUIRE(!r.steps.empty());
        CHECK(r.steps[0].target == 0.5);
        CHECK(r.steps[0].loss == 3.5);
        CHECK(r.steps[0].ratio == doctest::Approx(std::exp(0.5)));
        CHECK(!r.steps[0].within);
        CHECK(r.steps.back().within);
    }
}

TEST_CASE("a last look that is beyond does not leave its thresholds") {
    const auto jump = [](const std::vector<double>& t) { return t[0] < 0.3 ? 3.0 : 4.0; };
    for (const std::size_t steps : {4u, 5u, 6u, 7u}) {
        const auto r = cett_ppl(3.0, twice, jump, {1, 0, steps});
        CHECK(r.within);
        CHECK(!r.converged);
        CHECK(r.ratio == 1);
        CHECK(r.target < 0.3);
        CHECK(r.thresholds == twice(r.target));
    }
}

TEST_CASE("a loss that is NaN leaves no target and no thresholds") {
    const auto loss = [](const std::vector<double>& t) {
        return t[0] > 0.3 ? at_run_time(nan_of<double>) : 3.0;
    };
    const auto r = cett_ppl(3.0, twice, loss);
    CHECK(r.undefined);
    CHECK(!r.within);
    CHECK(!r.converged);
    CHECK(tamis::is_nan(r.target));
    CHECK(tamis::is_nan(r.ratio));
    CHECK(r.thresholds.empty());
    REQUIRE(r.steps.size() == 1);
    CHECK(tamis::is_nan(r.steps[0].loss));
    CHECK(!r.steps[0].within);
    CHECK(!cett_ppl(3.0, twice, [](const std::vector<double>&) { return inf_of<double>; }, {1, 0, 4})
               .undefined);
}

TEST_CASE("a loss that masking lowers stays within to the end") {
    const auto r = cett_ppl(3.0, twice, [](const std::vector<double>& t) { return 3.0 - t[0]; }, {1, 0, 6});
    CHECK(r.within);
    CHECK(!r.monotone);
    CHECK(r.target == 1 - 1.0 / 64);
    CHECK(r.steps.size() == 6);
}

TEST_CASE("a dense loss that is none is seen in the result") {
    const auto r = cett_ppl(1.0, twice, [](const std::vector<double>& t) { return 3.0 + t[0]; });
    CHECK(!r.within);
    CHECK(r.target == 0);
    CHECK(r.ratio == doctest::Approx(std::exp(2.0)));
    CHECK(r.steps.size() == 21);
}

TEST_CASE("with curves of layers: thresholds without another pass") {
    std::vector<cett_layer> layers;
    for (std::uint64_t l = 0; l < 3; ++l) {
        layers.emplace_back(24, 40, 6, shape::heavy_tailed, 30 + l);
    }
    std::vector<tamis::study::cett_curve<tamis::matrix<tamis::f32, tamis::neuron_major>>> of_layers;
    for (const auto& layer : layers) {
        of_layers.emplace_back(layer.memory.view(), layer.norms);
        for (const auto& token : layer.tokens) {
            of_layers.back().add(token);
        }
    }
    const tamis::study::per_layer curves{of_layers};
    // A loss that grows with what is dropped.
    const auto loss = [&](const std::vector<double>& eps) {
        double cett = 0;
        for (std::size_t l = 0; l < 3; ++l) {
            cett += layers[l].mean_cett(eps[l]);
        }
        return 2 + cett * cett / 9;
    };
    const auto r = cett_ppl(2.0, [&](double target) { return cett_thresholds(curves, target); }, loss,
                            {1.0, 0.0002, 14});
    CHECK(r.within);
    CHECK(r.ratio <= 1.01);
    CHECK(r.ratio == doctest::Approx(std::exp(loss(r.thresholds) - 2)));
    CHECK(r.target == doctest::Approx(0.1).epsilon(0.1)); // exp(cett^2) = 1.01
    CHECK(r.thresholds == cett_thresholds(curves, r.target));
}

#if defined(__cpp_exceptions)
TEST_CASE("what makes no ratio is refused") {
    const auto flat = [](const std::vector<double>&) { return 1.0; };
    CHECK(message_of([&] {
              cett_ppl(nan_of<double>, twice, flat);
          }).find("tamis::study::cett_ppl: the dense loss must be finite") == 0);
    CHECK(message_of([&] { cett_ppl(1.0, twice, flat, {-1.0}); }) ==
          "tamis::study::cett_ppl: percent must be in [0, 1e6], got -1");
}
#endif
