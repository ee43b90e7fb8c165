#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/score/power.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/select_block.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <limits>
#include <vector>

namespace weighted_test {

using tamis::magnitude_bits;
using tamis::scored;
using tamis::weighted;

TEST_CASE("each entry is weighted by the weight of its place") {
    const std::array v{1.0f, -1.0f, 4.0f, 4.0f};
    const std::array weights{1.0f, 8.0f, 1.0f, 0.0f};
    CHECK(show(scored{weighted{weights}, tamis::top_k{1}}(v)) == "0100");
    CHECK(show(scored{weighted{weights}, tamis::threshold{2}}(v)) == "0110");
    CHECK(show(scored{weighted{weights}, tamis::threshold{0}}(v)) == "1110"); // a zero weight is a zero score
}

TEST_CASE("places hold over many words and in every row of a block") {
    std::vector<float> weights(200, 1.0f);
    std::vector<float> values(400, 1.0f);
    weights[130] = 2.0f;
    CHECK(tamis::select(scored{weighted{weights}, tamis::top_k{1}}, std::span{values}.first(200)).count() ==
          1);
    const scored heaviest{weighted{weights}, tamis::top_k{1}};
    const auto rows = tamis::select_rows(heaviest, tamis::block{values.data(), 2, 200});
    const auto joint = tamis::select_joint(heaviest, tamis::block{values.data(), 2, 200});
    for (std::size_t row = 0; row < 2; ++row) {
        CHECK(rows.row(row)[130]);
        CHECK(rows.row(row).count() == 1);
        CHECK(joint.row(row)[130]);
        CHECK(joint.row(row).count() == 1);
    }
}

TEST_CASE("products of floats are exact, denormal ones too") {
    const std::array weights{0.1f, denormal_of<float>(3), std::numeric_limits<float>::max()};
    const weighted score{weights};
    CHECK(score(0.7f, 0) == static_cast<double>(0.7f) * static_cast<double>(0.1f));
    CHECK(score(denormal_of<float>(5), 1) == 0xfp-298);
    CHECK(score(std::numeric_limits<float>::max(), 2) == 0x1.fffffc000002p+255);
}

TEST_CASE("NaN and infinities") {
    const std::vector<float> weights{1.0f, 0.0f, std::numeric_limits<float>::max(), 2.0f};
    const weighted score{weights};
    const std::vector<float> values{nan_of<float>, inf_of<float>, 0.0f, negative_inf_of<float>};
    std::vector<double> out(4);
    tamis::score_into(score, values, std::span{out});
    CHECK(tamis::is_nan(out[0]));
    CHECK(tamis::is_nan(out[1]));       // inf * 0 is no number, and a mask never hides a NaN
    CHECK(magnitude_bits(out[2]) == 0); // a zero stays one
    CHECK(magnitude_bits(out[3]) == tamis::infinity_bits<double>);
    CHECK(show(scored{score, tamis::threshold{1}}(values)) == "1101");
}

TEST_CASE("a zero is never active, whatever its weight") {
    const std::array v{0.0f, -0.0f, 1e-38f, denormal_of<float>(1), 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    const std::vector<float> weights(9, std::numeric_limits<float>::max());
    CHECK(show(scored{weighted{weights}, tamis::threshold{0}}(v)) == "001100000");
    CHECK(show(scored{weighted{weights}, tamis::top_k{9}}(v)) == "001100000");
}

#if defined(__cpp_exceptions)
TEST_CASE("fewer weights than values are refused, by every way of scoring") {
    const std::vector<float> weights(5, 1.0f);
    const weighted score{weights};
    const char* const of_six =
        "tamis: a score with something for each of 6 values is needed (weights, norms), "
        "got one for 5";
    const std::vector<float> floats(6, 1.0f);
    const std::vector<double> doubles(6, 1.0);
    const std::vector<std::int8_t> bytes(6, 1);
    std::vector<double> out(6);
    CHECK(message_of([&] { tamis::score_into(score, floats, std::span{out}); }) == of_six);
    CHECK(message_of([&] { tamis::score_into(score, doubles, std::span{out}); }) == of_six);
    CHECK(message_of([&] { tamis::score_into(score, bytes, std::span{out}); }) == of_six);
    CHECK(message_of([&] { tamis::plain_score_into(score, floats, std::span{out}); }) == of_six);
    CHECK(message_of([&] {
              tamis::score_into(score, tamis::strided{floats.data(), 6, 1}, std::span{out});
          }) == of_six);
    CHECK(message_of([&] { scored{score, tamis::top_k{1}}(floats); }) == of_six);
    const scored rule{score, tamis::top_k{1}};
    CHECK_THROWS_AS(tamis::select_joint(rule, tamis::block{floats.data(), 1, 6}), std::invalid_argument);
    CHECK_THROWS_AS(tamis::select_rows(rule, tamis::block{floats.data(), 1, 6}), std::invalid_argument);
    CHECK_NOTHROW(rule(std::span{floats}.first(5)));
    CHECK_NOTHROW(rule(std::span{floats}.first(4)));
}

TEST_CASE("scores have room for as many as there are values") {
    const std::vector<float> floats(6, 1.0f);
    std::vector<float> magnitudes(7);
    std::vector<double> powers(5);
    CHECK(message_of([&] { tamis::score_into(tamis::magnitude{}, floats, std::span{magnitudes}); }) ==
          "tamis: there are 6 values, and room for 7 scores");
    CHECK(message_of([&] { tamis::score_into(tamis::power{2}, floats, std::span{powers}); }) ==
          "tamis: there are 6 values, and room for 5 scores");
}

TEST_CASE("a negative, infinite or NaN weight is refused with its value; zeros of both signs are weights") {
    const std::array negative{1.0f, -0.5f};
    CHECK(message_of([&] { weighted{negative}; }) ==
          "tamis::weighted: weights must be finite and >= 0, got -0.5");
    const std::array infinite{1.0f, inf_of<float>}; // times zero it would be NaN, and a zero active
    CHECK(message_of([&] { weighted{infinite}; }) ==
          "tamis::weighted: weights must be finite and >= 0, got inf");
    const std::array negative_infinite{negative_inf_of<float>};
    CHECK_THROWS_AS(weighted{negative_infinite}, std::invalid_argument);
    const std::array no_number{nan_of<float>};
    CHECK_THROWS_AS(weighted{no_number}, std::invalid_argument);
    const std::array negative_no_number{negative_nan_of<float>};
    CHECK_THROWS_AS(weighted{negative_no_number}, std::invalid_argument);
    const std::array good{0.0f, negative_zero_of<float>, std::numeric_limits<float>::max(),
                          denormal_of<float>(1)};
    CHECK_NOTHROW(weighted{good});
}
#endif

} // namespace weighted_test
