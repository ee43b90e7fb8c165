#include <tamis/study/predictor/score.hpp>

#include <tamis/study/state.hpp>

#include "study/support.hpp"
#include "support/bits.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

using tamis::study::prediction_score;

TEST_CASE("recall, precision and shares by hand") {
    prediction_score s;
    s.add(mask_of("11100"), mask_of("10110"), std::vector<float>{4, -1, 2, -3, 0});
    CHECK(s.tokens() == 1);
    CHECK(s.recall() == 2.0 / 3);
    CHECK(s.precision() == 2.0 / 3);
    CHECK(s.predicted_share() == 0.6);
    CHECK(s.active_share() == 0.6);
    CHECK(s.weighted_recall() == 0.7);
    s.add(mask_of("00000"), mask_of("10000"), std::vector<float>{10, 0, 0, 0, 0});
    CHECK(s.recall() == 0.5);        // pooled over tokens
    CHECK(s.precision() == 2.0 / 3); // nothing was predicted
    CHECK(s.weighted_recall() == 0.35);
}

TEST_CASE("of nothing") {
    prediction_score s;
    CHECK(s.recall() == 1);
    CHECK(s.precision() == 1);
    CHECK(s.weighted_recall() == 1);
    CHECK(s.predicted_share() == 0);
    s.add(mask_of(""), mask_of(""));
    s.add(mask_of("000"), mask_of("000"), std::vector<float>{0, 0, 0});
    CHECK(s.recall() == 1);
    CHECK(s.precision() == 1);
    CHECK(s.weighted_recall() == 1);
    CHECK(s.active_share() == 0);
    CHECK(s.tokens() == 2);
}

TEST_CASE("with NaN or infinity, which are counted, there is no recall by mass") {
    prediction_score s;
    s.add(mask_of("10"), mask_of("11"), std::vector<float>{1, 3});
    CHECK(s.weighted_recall() == 0.25);
    s.add(mask_of("1010"), mask_of("1111"), std::vector<float>{1, 3, nan_of<float>, negative_inf_of<float>});
    CHECK(tamis::is_nan(s.weighted_recall()));
    CHECK(s.left_out() == 2);
    CHECK(s.recall() == 0.5);
}

TEST_CASE("against plain counts, merged in any order") {
    engine random{4};
    std::vector<prediction_score> parts(5);
    prediction_score all;
    double hits = 0, predicted = 0, active = 0, kept = 0, mass = 0;
    for (std::size_t token = 0; token < 40; ++token) {
        const tamis::mask p = random_mask(130, 30, random), t = random_mask(130, 50, random);
        const auto values = generate<float>(shape::bf16, 130, random);
        all.add(p, t, values);
        parts[token % 5].add(p, t, values);
        for (std::size_t i = 0; i < 130; ++i) {
            hits += p[i] && t[i] ? 1 : 0;
            predicted += p[i] ? 1 : 0;
            active += t[i] ? 1 : 0;
            const double size = std::abs(static_cast<double>(values[i]));
            mass += size;
            kept += p[i] ? size : 0;
        }
    }
    CHECK(all.recall() == hits / active);
    CHECK(all.precision() == hits / predicted);
    CHECK(all.predicted_share() == predicted / (40 * 130));
    CHECK(all.weighted_recall() == doctest::Approx(kept / mass).epsilon(1e-12));
    prediction_score forwards, backwards;
    for (std::size_t i = 0; i < 5; ++i) {
        forwards.merge(parts[i]);
        backwards.merge(parts[4 - i]);
    }
    CHECK(forwards == all);
    CHECK(backwards == all);
    prediction_score read;
    tamis::study::from_words(read, tamis::study::to_words(all));
    CHECK(read == all);
}

#if defined(__cpp_exceptions)
TEST_CASE("sizes that differ are refused") {
    prediction_score s;
    CHECK(message_of([&] { s.add(mask_of("11"), mask_of("111")); }).find("2 entries, the true one 3") !=
          std::string::npos);
    CHECK(message_of([&] {
              s.add(mask_of("11"), mask_of("11"), std::vector<float>{1});
          }).find("2 values are needed, got 1") != std::string::npos);
}
#endif
