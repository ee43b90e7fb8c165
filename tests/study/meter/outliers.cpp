#include <tamis/study/meter/outliers.hpp>

#include "study/support.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

using tamis::site;
using tamis::study::outliers_meter;

static_assert(tamis::study::meter<outliers_meter> && tamis::study::has_state<outliers_meter>);

namespace {

owned_sighting shown(std::vector<float> values) { return {site::input, std::move(values), {}, false, 0}; }

} // namespace

TEST_CASE("outliers: shares of the L1 mass and the ratio to the median") {
    outliers_meter m;
    m(shown({1, -2, 4, 0.5f, 0.5f})); // the median is 1
    const auto& at = m.at(site::input);
    CHECK(at.tokens == 1);
    CHECK(at.share_of_largest.mean() == 0.5);
    CHECK(at.share_of_percent.mean() == 0.5); // 1 % of five entries is one
    CHECK(at.ratio_to_median.mean() == 4);
    CHECK(at.massive == 0);
    m(shown({3, 3, 3, -3}));
    CHECK(at.share_of_largest.mean() == 0.375);
    CHECK(at.share_of_largest.greatest() == 0.5);
    CHECK(at.ratio_to_median.mean() == 2.5);
    CHECK(at.ratio_to_median.greatest() == 4);
    CHECK(m.at(site::gate).tokens == 0);
    CHECK(m.at(site::gate).ratio_to_median.mean() == 0);
}

TEST_CASE("outliers: the median is of what is not zero, the lower one of two") {
    outliers_meter m;
    m(shown({0, 0, 0, -0.0f, 0, 8, 2, 16, 4}));
    CHECK(m.at(site::input).ratio_to_median.mean() == 4); // 16 / 4
}

TEST_CASE("outliers: from a thousand times the median on a token is massive") {
    outliers_meter m;
    m(shown({1, 1, -1000}));
    m(shown({1, 1, 999.9f}));
    m(shown({1, 1, 1e30f}));
    CHECK(m.at(site::input).massive == 2);
    CHECK(m.at(site::input).tokens == 3);
    CHECK(m.at(site::input).ratio_to_median.greatest() == 0x1.fffffffffffffp61);
}

TEST_CASE("outliers: zeros and nothing count with 0; one entry is all of the mass") {
    outliers_meter m;
    m(shown({0, -0.0f}));
    m(shown({}));
    const auto& at = m.at(site::input);
    CHECK(at.tokens == 2);
    CHECK(at.share_of_largest.mean() == 0);
    CHECK(at.ratio_to_median.greatest() == 0);
    m(shown({-1e-42f}));
    CHECK(at.share_of_largest.greatest() == 1);
    CHECK(at.share_of_percent.greatest() == 1);
    CHECK(at.ratio_to_median.greatest() == 1);
}

TEST_CASE("outliers: with tokens of NaN or infinity, counted apart, there are no figures") {
    outliers_meter m;
    m(shown({1, 2, 3}));
    CHECK(m.at(site::input).share_of_largest.mean() == 0.5);
    for (const float value : {nan_of<float>, negative_nan_of<float>, inf_of<float>, negative_inf_of<float>}) {
        m(shown({1, at_run_time(value), 2}));
    }
    CHECK(m.at(site::input).not_finite == 4);
    const auto& at = m.at(site::input);
    CHECK(at.tokens == 1);
    for (const auto* spread : {&at.share_of_largest, &at.share_of_percent, &at.ratio_to_median}) {
        CHECK(tamis::is_nan(spread->mean()));
        CHECK(tamis::is_nan(spread->greatest()));
    }
    CHECK(m.at(site::gate).share_of_largest.mean() == 0); // another site's are its own
}

TEST_CASE("outliers: ratios whose sum may leave an exact_total have a greatest, and no mean") {
    outliers_meter m;
    m(shown({1e-30f, 1e-30f, 1e30f}));
    CHECK(m.at(site::input).ratio_to_median.mean() == 0x1.fffffffffffffp61);
    m(shown({1e-30f, 1e-30f, 1e30f}));
    CHECK(m.at(site::input).ratio_to_median.mean() == 0x1.fffffffffffffp61); // two are below 2^63, just so
    m(shown({1e-30f, 1e-30f, 1e30f}));
    CHECK(tamis::is_nan(m.at(site::input).ratio_to_median.mean()));
    CHECK(m.at(site::input).ratio_to_median.greatest() == 0x1.fffffffffffffp61);
    CHECK(m.at(site::input).share_of_largest.mean() == 1);
}

TEST_CASE("outliers: against a plain sort") {
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 2, 99, 100, 101, 250, 1000}) {
        CAPTURE(n);
        for (const shape s :
             {shape::normal, shape::heavy_tailed, shape::relu, shape::outlier, shape::levels}) {
            CAPTURE(name_of(s));
            engine random{n};
            const auto values = generate<float>(s, n, random);
            std::vector<double> sorted;
            double all = 0;
            std::vector<double> nonzero;
            for (const float value : values) {
                sorted.push_back(std::fabs(double{value}));
                all += std::fabs(double{value});
                if (value != 0) {
                    nonzero.push_back(std::fabs(double{value}));
                }
            }
            if (nonzero.empty()) {
                continue;
            }
            std::sort(sorted.begin(), sorted.end(), std::greater<>{});
            std::sort(nonzero.begin(), nonzero.end());
            double of_percent = 0;
            for (std::size_t i = 0; 100 * i < n; ++i) {
                of_percent += sorted[i];
            }
            outliers_meter m;
            m(shown(values));
            const auto& at = m.at(site::input);
            CHECK(at.share_of_largest.mean() == doctest::Approx(sorted[0] / all).epsilon(1e-12));
            CHECK(at.share_of_percent.mean() == doctest::Approx(of_percent / all).epsilon(1e-12));
            CHECK(at.ratio_to_median.mean() ==
                  doctest::Approx(sorted[0] / nonzero[(nonzero.size() - 1) / 2]).epsilon(1e-12));
        }
    }
}

TEST_CASE("outliers: merged in any order it is one meter") {
    auto all = random_sightings(site::gate, 120, 19, 9);
    all[3].values[5] = inf_of<float>;
    all[7].where = site::up;
    CHECK(merges_exactly(outliers_meter{}, all));
}
