#include <tamis/study/calibrate/cett_refinement.hpp>

#include "study/calibrate/support.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

// The exact threshold in two passes: with it the masks cost no more than the target, with the next float they do.

using tamis::study::cett_curve;
using tamis::study::cett_refinement;

namespace {

constexpr std::array targets{0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 0.9};

} // namespace

TEST_CASE("eps is within the target, the next float beyond it") {
    for (const shape s : {shape::normal, shape::heavy_tailed, shape::relu, shape::bf16, shape::outlier}) {
        for (std::uint64_t seed = 0; seed < 6; ++seed) {
            const cett_layer layer{24, 40, 8, s, seed};
            const auto curve = curve_of(layer);
            cett_refinement pass{curve, targets};
            for (const auto& token : layer.tokens) {
                pass.add(token);
            }
            for (std::size_t i = 0; i < targets.size(); ++i) {
                CAPTURE(name_of(s));
                CAPTURE(seed);
                CAPTURE(targets[i]);
                const auto [eps, mean] = pass.at(i);
                CHECK(layer.mean_cett(double{eps}) <= targets[i]);
                CHECK(layer.mean_cett(double{next_float(eps)}) > targets[i]);
                CHECK(mean == doctest::Approx(layer.mean_cett(double{eps})).epsilon(1e-12));
                const auto bracket = curve.threshold_for(targets[i]);
                CHECK(bracket.within <= eps);
                CHECK(eps < bracket.beyond);
            }
        }
    }
}

TEST_CASE("tokens in any order and any parts give the same eps") {
    const cett_layer layer{24, 40, 21, shape::heavy_tailed, 11};
    const auto curve = curve_of(layer);
    cett_refinement whole{curve, targets};
    std::vector parts(3, whole);
    for (std::size_t t = 0; t < layer.tokens.size(); ++t) {
        whole.add(layer.tokens[t]);
        parts[t % 3].add(layer.tokens[(t * 8 + 5) % 21]);
    }
    parts[1].merge(parts[2]);
    parts[1].merge(parts[0]);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        CHECK(parts[1].threshold(i) == whole.threshold(i));
        CHECK(parts[1].at(i).mean == whole.at(i).mean);
    }
}

TEST_CASE("a crossing inside a bin that comes back is the first one there") {
    // All in one bin: 1, 1 + 2^-20 the other way, and a large one. Dropping the first costs much, both next to nothing.
    const cett_layer layer{{1, 3, {1, 1, 1}}, {{1, -1 - 0x1p-20f, 3}, {2, 0, 8}}};
    const auto curve = curve_of(layer);
    cett_refinement pass{curve, std::array{0.1}};
    for (const auto& token : layer.tokens) {
        pass.add(token);
    }
    // At the end of the bin of 1 the mean is small again, so its bin is passed; 2 of 10 is within, 3 of 3 is not.
    CHECK(pass.threshold(0) == 2.0f);
    CHECK(layer.mean_cett(2.0) <= 0.1);
    CHECK(layer.mean_cett(2.0000002) > 0.1);
}

TEST_CASE("a target that nothing reaches gives the largest float") {
    const cett_layer layer{{1, 2, {1, 1}}, {{1, 2}}};
    const auto curve = curve_of(layer);
    cett_refinement pass{curve, std::array{1.0}};
    pass.add(layer.tokens[0]);
    CHECK(pass.threshold(0) == std::numeric_limits<float>::max());
    CHECK(pass.at(0).mean == 1.0);
}

TEST_CASE("the contribution itself is the largest eps that keeps it") {
    const cett_layer layer{{1, 2, {1, 1}}, {{3, 5}}};
    const auto curve = curve_of(layer);
    cett_refinement pass{curve, std::array{0.0, 0.375}};
    pass.add(layer.tokens[0]);
    CHECK(pass.threshold(0) == 3.0f);
    CHECK(pass.threshold(1) == 5.0f); // 3 of 8 is the target itself
}

#if defined(__cpp_exceptions)
TEST_CASE("a pass over other tokens is refused") {
    const cett_layer layer{24, 40, 3, shape::normal, 12};
    const auto curve = curve_of(layer);
    cett_refinement pass{curve, std::array{0.1}};
    pass.add(layer.tokens[0]);
    CHECK(message_of([&] { pass.threshold(0); }) ==
          "tamis::study::cett_refinement: the second pass has to see the curve's tokens: 3, got 1");
    for (int i = 0; i < 2; ++i) {
        pass.add(std::vector<float>(40, 0x1p-30f));
    }
    CHECK(message_of([&] { pass.threshold(0); }).find("these differ") != std::string::npos);
    const cett_refinement none{curve, {}};
    CHECK(message_of([&] { pass.merge(none); }).find("over 1 bins can not take one over 0") !=
          std::string::npos);
    CHECK(message_of([&] {
              cett_refinement{curve, std::array{-0.5}};
          }) == "tamis::study::cett_curve: the target must be in [0, 1], got -0.5");
}
#endif
