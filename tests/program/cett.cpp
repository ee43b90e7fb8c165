#include "measure/cett.hpp"

#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace study_test;

namespace {

/// Curves over all stories of a made-up model.
struct calibrated {
    little_study little;
    std::vector<std::vector<float>> norms = app::neuron_norms_of(little.s.model);
    app::cett_curves curves = app::cett_curves_of(little.s, norms, little.s.stories, 2, ignore_progress);

    /// The CETT of each layer when it is the only one that is masked.
    std::vector<double> alone(const std::vector<double>& thresholds) const {
        std::vector<double> means;
        for (std::size_t l = 0; l < 2; ++l) {
            app::condition c = app::cett_condition(norms, thresholds, 0);
            c.plan = app::study::only_layer(c.plan, l);
            const auto meters = app::incurred_cett(little.s, c, tamis::site::intermediate, little.s.stories,
                                                   2, ignore_progress);
            CHECK(meters[l].tokens() == little.s.predictions());
            means.push_back(meters[l].mean());
        }
        return means;
    }
};

} // namespace

TEST_CASE("neuron norms are those of W_down's columns") {
    const little_study little;
    const auto norms = app::neuron_norms_of(little.s.model);
    REQUIRE(norms.size() == 2);
    for (std::size_t l = 0; l < 2; ++l) {
        REQUIRE(norms[l].size() == 40);
        for (std::size_t i = 0; i < 40; ++i) {
            double square = 0;
            for (std::size_t j = 0; j < 16; ++j) {
                const auto w = static_cast<double>(little.s.model.layers[l].w_down[j * 40 + i]);
                square += w * w;
            }
            CHECK(static_cast<double>(norms[l][i]) == doctest::Approx(std::sqrt(square)).epsilon(1e-6));
        }
    }
}

TEST_CASE("curves of CETT do not depend on the threads, to the last bit") {
    const calibrated two;
    for (const std::size_t threads : {1u, 5u}) {
        const auto curves =
            app::cett_curves_of(two.little.s, two.norms, two.little.s.stories, threads, ignore_progress);
        for (std::size_t l = 0; l < 2; ++l) {
            CHECK(curves[l].tokens() == two.little.s.predictions());
            for (const double eps : {0.0, 0.01, 0.1, 0.3, 1.0, 3.0, 100.0}) {
                CHECK(curves[l].mean_at(eps) == two.curves[l].mean_at(eps));
            }
        }
        const std::vector targets{0.05, 0.2};
        CHECK(app::exact_cett_thresholds(two.little.s, curves, targets, two.little.s.stories, threads,
                                         ignore_progress) ==
              app::exact_cett_thresholds(two.little.s, two.curves, targets, two.little.s.stories, 2,
                                         ignore_progress));
    }
}

TEST_CASE("exact thresholds hit the target: each layer's mean CETT, the others dense") {
    const calibrated c;
    const std::vector targets{0.3, 0.02, 0.1};
    const auto of_targets =
        app::exact_cett_thresholds(c.little.s, c.curves, targets, c.little.s.stories, 2, ignore_progress);
    REQUIRE(of_targets.size() == targets.size());
    for (std::size_t t = 0; t < targets.size(); ++t) {
        const double target = targets[t];
        const auto& thresholds = of_targets[t];
        REQUIRE(thresholds.size() == 2);
        for (const double mean : c.alone(thresholds)) {
            CAPTURE(mean);
            CHECK(mean <= target + 1e-9);
            CHECK(mean > target - 0.001);
        }
        // Nothing that is larger than the curve's bracket, which one pass gives.
        for (std::size_t l = 0; l < 2; ++l) {
            const auto bracket = c.curves[l].threshold_for(target);
            CHECK(thresholds[l] >= static_cast<double>(bracket.within));
            CHECK(thresholds[l] <= static_cast<double>(bracket.beyond));
        }
    }
}

TEST_CASE("a curve's threshold, from one pass, keeps the target as well") {
    const calibrated c;
    for (const double mean : c.alone(app::study::cett_thresholds(c.curves, 0.1))) {
        CHECK(mean <= 0.1 + 1e-9);
        CHECK(mean > 0.09);
    }
}

TEST_CASE("CETT 0 drops nothing that counts") {
    const calibrated c;
    const auto row = c.little.run(app::cett_condition(c.norms, {0, 0}, 0));
    CHECK(row.masks.mask_sparsity() == 0);
    CHECK(row.text.loss == c.little.run(c.little.dense()).text.loss);
}

TEST_CASE("CETT-PPL reaches its ratio, or says that it did not converge") {
    const calibrated c;
    const double dense = c.little.run(c.little.dense()).text.nll();
    std::size_t converged = 0;
    for (const double percent : {0.5, 1.0, 3.0, 10.0}) {
        for (const double tolerance : {0.01, 0.002, 1e-7}) {
            CAPTURE(percent);
            CAPTURE(tolerance);
            const double limit = 1 + percent / 100;
            const auto found = app::cett_ppl_of(c.little.s, c.norms, c.curves, dense,
                                                {percent, tolerance, 20}, 2, ignore_progress);
            const auto row = c.little.run(app::cett_condition(c.norms, found.thresholds, 0), 3);
            const double ratio = std::exp(row.text.nll() - dense);
            CHECK(ratio == doctest::Approx(found.ratio).epsilon(1e-12)); // what it says is what one measures
            CHECK(found.within);
            CHECK(ratio <= limit);
            CHECK(found.converged == (ratio >= limit - tolerance));
            CHECK(found.steps.size() <= 21);
            converged += found.converged ? 1 : 0;

            auto steps = found.steps;
            std::sort(steps.begin(), steps.end(), [](auto& a, auto& b) { return a.target < b.target; });
            bool rises = true;
            for (std::size_t i = 0; i < steps.size(); ++i) {
                rises = rises && (i == 0 || steps[i - 1].ratio <= steps[i].ratio);
                CHECK(steps[i].within == (steps[i].ratio <= limit));
                CHECK(steps[i].ratio == doctest::Approx(std::exp(steps[i].loss - dense)));
                if (steps[i].within && rises) {
                    CHECK(steps[i].target <= found.target); // the largest one that keeps the limit
                }
            }
            CHECK(found.monotone == rises);
        }
    }
    CHECK(converged > 0);
}

TEST_CASE("CETT-PPL does not depend on the threads") {
    const calibrated c;
    const double dense = c.little.run(c.little.dense()).text.nll();
    const auto find = [&](std::size_t threads) {
        return app::cett_ppl_of(c.little.s, c.norms, c.curves, dense, {3, 1e-5, 20}, threads,
                                ignore_progress);
    };
    CHECK(find(1).thresholds == find(4).thresholds);
}

TEST_CASE("CETT-PPL on a loss that no mask reaches says that nothing is within") {
    const calibrated c;
    const auto found =
        app::cett_ppl_of(c.little.s, c.norms, c.curves, 0.5, {1, 0.0002, 6}, 2, ignore_progress);
    CHECK(!found.within);
    CHECK(!found.converged);
    CHECK(found.target == 0);
}

TEST_CASE("thresholds found in order are incurred by the whole masked model in every layer") {
    const calibrated c;
    for (const double target : {0.1, 0.3}) {
        const auto thresholds = app::cett_thresholds_in_order(c.little.s, c.norms, target, c.little.s.stories,
                                                              2, ignore_progress);
        CHECK(thresholds == app::cett_thresholds_in_order(c.little.s, c.norms, target, c.little.s.stories, 1,
                                                          ignore_progress));
        const auto meters =
            app::incurred_cett(c.little.s, app::cett_condition(c.norms, thresholds, target),
                               tamis::site::intermediate, c.little.s.stories, 2, ignore_progress);
        // The first layer sees what the dense model's does.
        CHECK(thresholds[0] == app::exact_cett_thresholds(c.little.s, c.curves, {target}, c.little.s.stories,
                                                          1, ignore_progress)
                                   .front()[0]);
        for (std::size_t l = 0; l < 2; ++l) {
            CHECK(meters[l].mean() <= target + 1e-12);
            CHECK(meters[l].mean() > target - 0.001);
        }
    }
}
