#include <tamis/study/calibrate/quantile_calibration.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

// TEAL's and CATS' thresholds from meters: the share of a site's values that the plan drops is the one asked for.

using tamis::site;
using namespace tamis::study;

namespace {

constexpr std::size_t values_a_token = 50, sample_tokens = 40;

struct stream {
    std::vector<std::vector<float>> layers;

    stream() {
        engine random{1};
        for (const shape s : {shape::normal, shape::heavy_tailed, shape::outlier}) {
            layers.push_back(generate<float>(s, values_a_token * sample_tokens, random));
        }
    }
    template <class Meter>
    void feed(Meter& m) const {
        for (std::size_t t = 0; t < sample_tokens; ++t) {
            for (std::size_t layer = 0; layer < layers.size(); ++layer) {
                const auto values = std::span{layers[layer]}.subspan(t * values_a_token, values_a_token);
                m(layer, tamis::sighting{site::input, values.first(3), {}, false, t}); // not asked for
                m(layer, tamis::sighting{site::gate, values, {}, false, t});
            }
        }
    }
};

double dropped(const plan& p, std::size_t layer, const std::vector<float>& values) {
    return tamis::select(*p.at(layer, site::gate), values).sparsity();
}

} // namespace

TEST_CASE("the share that is dropped is the layer's") {
    const stream s;
    per_layer first{3, histogram_meter{site::gate}};
    s.feed(first);
    const std::vector shares{0.5, 0.25, 0.9};
    auto second = second_pass(first, shares);
    s.feed(second);
    calibration c{"", "", "cats", 0.5, sample_tokens, 3, quantile_rules(second)};
    CHECK(problem_of(c).empty());
    const plan exact = plan_of(c);
    c.rules = quantile_rules(first, shares);
    const plan coarse = plan_of(c);
    for (std::size_t layer = 0; layer < 3; ++layer) {
        CHECK(exact.at(layer, site::input) == nullptr);
        CHECK(dropped(exact, layer, s.layers[layer]) == shares[layer]);
        CHECK(dropped(coarse, layer, s.layers[layer]) <= shares[layer]);
        CHECK(dropped(coarse, layer, s.layers[layer]) > shares[layer] - 0.01);
    }
}

TEST_CASE("symmetric values: the s-quantile of |v| is the (0.5 + s/2)-quantile of v") {
    engine random{2};
    std::vector<float> values = generate<float>(shape::normal, 500, random);
    for (std::size_t i = 0; i < 500; ++i) {
        values.push_back(-values[i]);
    }
    magnitude_histogram first;
    first.add(values);
    std::vector<float> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    for (const double s : {0.1, 0.5, 0.9}) {
        magnitude_quantiles second{first, std::array{s}};
        second.add(values);
        CHECK(second.quantile(0) == sorted[static_cast<std::size_t>((0.5 + s / 2) * 1000)]);
    }
}

#if defined(__cpp_exceptions)
TEST_CASE("a share for each layer is wanted") {
    const per_layer first{3, histogram_meter{site::gate}};
    CHECK(message_of([&] { second_pass(first, std::vector{0.5}); }) ==
          "tamis::study::second_pass: 3 layers need a share each, got 1");
    histogram_meter gate{site::gate};
    CHECK(message_of([&] { gate.merge(histogram_meter{site::up}); }) ==
          "tamis::study::site_meter: a meter of site number 1 can not take one of site 2");
}
#endif
