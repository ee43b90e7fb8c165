#include <tamis/rule/channel_thresholds.hpp>

#include "support/bits.hpp"
#include "support/formats.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <tamis/any_selector.hpp>
#include <tamis/rule/combine.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>

#include <doctest/doctest.h>

#include <array>

using tamis::channel_thresholds;

namespace {

/// The definition, in integers.
template <class T>
bool is_above(T value, float threshold) {
    const auto v = tamis::magnitude_bits(tamis::widen(tamis::to_real(value)));
    return v != 0 && v >= tamis::magnitude_bits(tamis::widen(threshold));
}

} // namespace

TEST_CASE("channel_thresholds: each entry has its own; zeros never, NaN always") {
    const std::array t{1.0f, 1.0f, 0.0f, 0.0f, 0.5f, inf_of<float>, inf_of<float>, inf_of<float>, -0.0f};
    const std::array v{1.0f,          -0.99f,        0.0f, denormal_of<float>(1), -0.5f, 1e38f,
                       inf_of<float>, nan_of<float>, -0.0f};
    CHECK(show(channel_thresholds{t}(v)) == "100110110");
    CHECK(channel_thresholds{std::span<const float>{}}(std::vector<float>{}).size() == 0);
}

TEST_CASE_TEMPLATE("channel_thresholds: the definition, for every size and type", T, float, double,
                   Eigen::half, Eigen::bfloat16) {
    engine random{1};
    for (const std::size_t n : {1u, 63u, 64u, 65u, 200u, 321u}) {
        for (const shape s : {shape::specials, shape::levels, shape::denormal}) {
            const std::vector<T> values = generate<T>(s, n, random);
            std::vector<float> t = generate<float>(shape::levels, n, random);
            for (std::size_t i = 0; i < n; ++i) { // half of them the value itself
                const float as_float = static_cast<float>(values[i]);
                t[i] = i % 2 == 0 || tamis::is_nan(as_float) ? std::fabs(t[i]) : std::fabs(as_float);
            }
            const tamis::mask made = channel_thresholds{t}(values);
            for (std::size_t i = 0; i < n; ++i) {
                CAPTURE(i);
                CHECK(made[i] == is_above(values[i], t[i]));
            }
        }
    }
}

TEST_CASE("channel_thresholds: equal ones are threshold; it joins with rules") {
    engine random{2};
    const std::vector<float> values = generate<float>(shape::normal, 130, random);
    const std::vector<float> t(130, 0.75f);
    CHECK(channel_thresholds{t}(values) == tamis::threshold{0.75}(values));
    CHECK((tamis::any_selector{channel_thresholds{t}} & tamis::top_k{9})(values) ==
          (tamis::threshold{0.75} & tamis::top_k{9})(values));
}

TEST_CASE("chess_thresholds") {
    const std::array<double, 4> mean_squares{4.0, 0.25, 0.0, 1e-300};
    std::array<float, 4> t{};
    tamis::chess_thresholds(mean_squares, 1.0, t);
    constexpr float most = std::numeric_limits<float>::max();
    CHECK(t == std::array<float, 4>{0.5f, 2.0f, most, most});
    tamis::chess_thresholds(mean_squares, 0.0, t);
    CHECK(t == std::array<float, 4>{0.0f, 0.0f, most, 0.0f});
    CHECK_THROWS_WITH_AS(tamis::chess_thresholds(mean_squares, -1.0, t), doctest::Contains("got -1"),
                         std::invalid_argument);
}

TEST_CASE_TEMPLATE("threshold::above drops the threshold itself", T, float, double) {
    using tamis::threshold;
    CHECK(show(threshold::above(0.5)(std::array{T(4), T(-0.5), T(0.25), T(0), T(-0.75)})) == "10001");
    CHECK(show(threshold::above(0.0)(std::array{denormal_of<T>(1), T(0), negative_zero_of<T>, T(-1)})) ==
          "1001");
    CHECK(show(threshold::above(inf_of<double>)(std::array{inf_of<T>, nan_of<T>, T(1)})) == "010");
    CHECK(show(threshold::above(double{std::numeric_limits<T>::max()})(
              std::array{std::numeric_limits<T>::max(), inf_of<T>})) == "01");
    CHECK(show(threshold::above(tamis::widen(denormal_of<T>(2)))(
              std::array{denormal_of<T>(2), denormal_of<T>(3)})) == "01");
}

TEST_CASE("threshold::above compares with the double as it is, not with its rounding") {
    using tamis::threshold;
    CHECK(show(threshold::above(0.1)(std::array{0.1f})) == "1"); // 0.1f is a little more than 0.1
    CHECK(show(threshold::above(double{0.1f})(std::array{0.1f, std::nextafter(0.1f, 1.0f)})) == "01");
    CHECK(show(threshold::above(1e39)(std::array{std::numeric_limits<float>::max(), inf_of<float>})) == "01");
    CHECK(threshold::above(0.5).eps() == 0.5);
    CHECK(!threshold::above(0.5).keeps_eps());
}

#if defined(__cpp_exceptions)
TEST_CASE("channel_thresholds: what is no threshold, and another number, are refused") {
    const std::array bad{1.0f, -0.5f};
    CHECK(message_of([&] { channel_thresholds{bad}; }) ==
          "tamis::channel_thresholds: thresholds must be >= 0, got -0.5");
    const std::array nan{nan_of<float>};
    CHECK_THROWS_AS(channel_thresholds{nan}, std::invalid_argument);
    const std::array two{1.0f, 0.5f};
    CHECK(message_of([&] {
              channel_thresholds{two}(std::array{1.0f, 1.0f, 1.0f});
          }) == "tamis::channel_thresholds: thresholds for 3 channels are needed, got 2");
    CHECK(message_of([] { tamis::threshold::above(-1); }) ==
          "tamis::threshold::above: t must be >= 0, got -1");
}
#endif
