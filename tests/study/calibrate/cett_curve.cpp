#include <tamis/study/calibrate/cett_curve.hpp>
#include <tamis/study/calibrate/cett_refinement.hpp>

#include "study/calibrate/support.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

// The mean of CETT over eps in one pass, against masks of tamis::cett and plain sums.

using tamis::study::cett_curve;

TEST_CASE("the mean at the ends of bins is that of the masks") {
    for (const shape s : {shape::normal, shape::heavy_tailed, shape::levels, shape::relu, shape::outlier}) {
        CAPTURE(name_of(s));
        const cett_layer layer{24, 40, 9, s, 1};
        const auto curve = curve_of(layer);
        for (double power = 1e-3; power < 100; power *= 1.3) {
            const float eps = tamis::study::last_of_bin(
                tamis::study::bin_of(tamis::magnitude_bits(static_cast<float>(power))));
            CAPTURE(eps);
            CHECK(curve.mean_at(double{eps}) == doctest::Approx(layer.mean_cett(double{eps})).epsilon(1e-12));
        }
    }
}

TEST_CASE("steps in neighbouring bins are told apart") {
    const cett_layer layer{6, 300, 2, shape::normal, 4};
    const auto curve = curve_of(layer);
    const std::size_t first = tamis::study::bin_of(tamis::magnitude_bits(0x1p-6f));
    for (std::size_t bin = first; bin < first + 6 * 256; ++bin) {
        const double eps = double{tamis::study::last_of_bin(bin)};
        CHECK(curve.mean_at(eps) == doctest::Approx(layer.mean_cett(eps)).epsilon(1e-12));
    }
    CHECK(curve.mean_at(0x1p-6) < 0.1); // what lies between was worth it
    CHECK(curve.mean_at(1.0) > 0.9);
}

TEST_CASE("the bracket: within the target below, beyond it above") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const cett_layer layer{24, 40, 7, shape::heavy_tailed, seed};
        const auto curve = curve_of(layer);
        for (const double target : {0.01, 0.05, 0.1, 0.2, 0.5, 0.9}) {
            CAPTURE(seed);
            CAPTURE(target);
            const auto b = curve.threshold_for(target);
            CHECK(layer.mean_cett(double{b.within}) <= target);
            CHECK(layer.mean_cett(double{b.beyond}) > target);
            CHECK(double{b.beyond} <= double{b.within} * (1 + 0x1p-7));
            CHECK(b.mean_within == doctest::Approx(layer.mean_cett(double{b.within})).epsilon(1e-12));
            CHECK(b.mean_beyond == doctest::Approx(layer.mean_cett(double{b.beyond})).epsilon(1e-12));
        }
    }
}

TEST_CASE("target 0 drops nothing that contributes, target 1 everything") {
    const cett_layer layer{8, 21, 5, shape::relu, 3};
    const auto curve = curve_of(layer);
    CHECK(layer.mean_cett(double{curve.threshold_for(0).within}) == 0);
    CHECK(curve.threshold_for(0).mean_within == 0);
    // Contributions that cancel may cost more than everything; these do not.
    const cett_layer one_axis{{1, 3, {1, 1, 1}}, {{1, 2, 4}, {3, 1, 1}}};
    const auto all = curve_of(one_axis).threshold_for(1);
    CHECK(all.within == std::numeric_limits<float>::max());
    CHECK(std::bit_cast<std::uint32_t>(all.beyond) == tamis::infinity_bits<float>);
    CHECK(all.mean_within == 1);
}

TEST_CASE("the first crossing counts: CETT is not monotone") {
    // Along one axis 1, -1.5, 8 of 7.5: dropping the first costs 1 / 7.5, the first two 0.5 / 7.5.
    const cett_layer layer{{1, 3, {1, 1, 1}}, {{1, -1.5f, 8}}};
    const auto curve = curve_of(layer);
    CHECK(curve.mean_at(1.1) == doctest::Approx(1 / 7.5));
    CHECK(curve.mean_at(2.0) == doctest::Approx(0.5 / 7.5));
    CHECK(curve.threshold_for(0.1).within < 1);
    CHECK(curve.threshold_for(0.14).within > 7);
}

TEST_CASE("blocks merged in any order are one stream, to the bit") {
    const cett_layer layer{24, 40, 30, shape::heavy_tailed, 5};
    const auto whole = curve_of(layer);
    std::vector<cett_curve<tamis::matrix<tamis::f32, tamis::neuron_major>>> parts(
        4, cett_curve{layer.memory.view(), layer.norms});
    for (std::size_t t = 0; t < 30; ++t) {
        parts[t * 7 % 11 % 4].add(layer.tokens[29 - t]);
    }
    for (const std::size_t p : {1u, 0u, 2u}) {
        parts[3].merge(parts[p]);
    }
    CHECK(parts[3].tokens() == 30);
    for (double target = 0; target <= 1; target += 0.05) {
        const auto a = whole.threshold_for(target), b = parts[3].threshold_for(target);
        CHECK(a.within == b.within);
        CHECK(a.mean_within == b.mean_within);
        CHECK(a.mean_beyond == b.mean_beyond);
    }
}

TEST_CASE("layouts and formats give the same curve") {
    const cett_layer layer{13, 29, 6, shape::heavy_tailed, 6};
    const auto by_outputs = store_down<tamis::f32, tamis::output_major>(layer.down, 4);
    cett_curve other{by_outputs.view(), layer.norms};
    for (const auto& token : layer.tokens) {
        other.add(token);
    }
    const auto curve = curve_of(layer);
    for (const double target : {0.03, 0.3}) {
        CHECK(other.threshold_for(target).within == curve.threshold_for(target).within);
    }
}

TEST_CASE("a token without an output is left out") {
    cett_layer layer{24, 40, 5, shape::normal, 7};
    const auto before = curve_of(layer);
    layer.tokens.emplace_back(40, 0.0f);
    const auto after = curve_of(layer);
    CHECK(after.tokens() == 5);
    CHECK(after.left_out() == 1);
    CHECK(after.not_finite() == 0);
    CHECK(after.threshold_for(0.1).mean_within == before.threshold_for(0.1).mean_within);
}

TEST_CASE("with a token that is not finite the curve says nothing, and neither does the second pass") {
    for (const float value : {inf_of<float>, negative_inf_of<float>, nan_of<float>}) {
        cett_layer layer{24, 40, 5, shape::normal, 7};
        const auto before = curve_of(layer);
        layer.tokens.emplace_back(40, 1.0f);
        layer.tokens.back()[3] = at_run_time(value);
        auto after = curve_of(layer);
        CHECK(after.tokens() == 5);
        CHECK(after.left_out() == 0);
        CHECK(after.not_finite() == 1);
        CHECK(tamis::is_nan(after.mean_at(0.1)));
        const auto b = after.threshold_for(0.1);
        CHECK(tamis::is_nan(b.within));
        CHECK(tamis::is_nan(b.beyond));
        CHECK(tamis::is_nan(b.mean_within));
        CHECK(tamis::is_nan(b.mean_beyond));
        tamis::study::cett_refinement pass{after, std::array{0.1}};
        for (const auto& token : layer.tokens) {
            pass.add(token);
        }
        CHECK(tamis::is_nan(pass.threshold(0)));
        CHECK(tamis::is_nan(pass.at(0).mean));
        auto merged = before;
        merged.merge(after);
        CHECK(merged.not_finite() == 1);
        CHECK(tamis::is_nan(merged.threshold_for(0.1).within));
    }
    cett_layer none{24, 40, 0, shape::normal, 7};
    none.tokens.emplace_back(40, at_run_time(nan_of<float>)); // alone: not refused as a curve of nothing
    CHECK(tamis::is_nan(curve_of(none).threshold_for(0.1).within));
}

TEST_CASE("as a meter it looks at the intermediate alone") {
    const cett_layer layer{24, 40, 3, shape::normal, 8};
    tamis::study::per_layer meters{1, cett_curve{layer.memory.view(), layer.norms}};
    const std::vector<float> other(7, 1.0f);
    meters(0, tamis::sighting{tamis::site::gate, other, {}, false, 0});
    for (const auto& token : layer.tokens) {
        meters(0, tamis::sighting{tamis::site::intermediate, token, {}, false, 0});
    }
    CHECK(meters[0].tokens() == 3);
    CHECK(tamis::study::cett_thresholds(meters, 0.1) ==
          std::vector{double{curve_of(layer).threshold_for(0.1).within}});
}

TEST_CASE("a step is the least float above the contribution") {
    using steps = tamis::study::cett_steps<tamis::matrix<tamis::f32, tamis::neuron_major>>;
    CHECK(steps::step_of(1.0) == tamis::magnitude_bits(1.0f) + 1);
    CHECK(steps::step_of(1.0 + 0x1p-30) == tamis::magnitude_bits(1.0f) + 1);
    CHECK(steps::step_of(1.0 - 0x1p-30) == tamis::magnitude_bits(1.0f));
    CHECK(steps::step_of(0x1p-149) == 2);
    CHECK(steps::step_of(0x1p-160) == 1);
    CHECK(steps::step_of(0x1p200) == tamis::infinity_bits<float>);
    CHECK(steps::step_of(double{std::numeric_limits<float>::max()}) == tamis::infinity_bits<float>);
}

#if defined(__cpp_exceptions)
TEST_CASE("what does not fit is refused") {
    const cett_layer layer{24, 40, 1, shape::normal, 9};
    cett_curve curve{layer.memory.view(), layer.norms};
    CHECK(message_of([&] { curve.threshold_for(0.1); }) ==
          "tamis::study::cett_curve: no token with an output has been added; add some first");
    CHECK(message_of([&] { curve.add(std::vector<float>(39)); }) ==
          "tamis::study::cett_steps: the intermediate needs 40 entries, got 39");
    CHECK(message_of([&] {
              cett_curve{layer.memory.view(), std::span<const float>{layer.norms}.first(3)};
          }) == "tamis::study::cett_steps: 40 norms are needed, got 3");
    curve.add(layer.tokens[0]);
    CHECK(message_of([&] { curve.threshold_for(1.5); }) ==
          "tamis::study::cett_curve: the target must be in [0, 1], got 1.5");
    CHECK(message_of([&] { curve.mean_at(-1); }) == "tamis::study::cett_curve: eps must be >= 0, got -1");
    const cett_layer small{24, 39, 1, shape::normal, 9};
    CHECK(message_of([&] {
              curve.merge(cett_curve{small.memory.view(), small.norms});
          }) == "tamis::study::cett_curve: a curve over 40 neurons can not take one over 39");
}
#endif
