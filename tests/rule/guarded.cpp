#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <limits>

using namespace tamis;

TEST_CASE("without a guard one massive activation hides the rest from top-p") {
    const std::array v{4.0f, 1.0f, 1e5f, 0.5f, 0.3f, 0.2f};
    CHECK(show(top_p{0.9}(v)) == "001000");
    CHECK(show(guarded{1000, top_p{0.9}}(v)) == "111100");
}

TEST_CASE_TEMPLATE("the others are selected as if the outlier were not there, and it is active", T, float,
                   double) {
    engine random{12};
    for (std::size_t n = 6; n < 200; n += 5) { // large enough that most of the others are no zeros
        for (const shape s : {shape::normal, shape::levels, shape::bf16, shape::constant}) {
            auto values = generate<T>(s, n, random);
            const std::size_t place = below(random, n);
            values[place] = 0;
            const auto check = [&](const auto& rule) {
                auto expected = rule(values);
                expected.set(place, true);
                auto with_outlier = values;
                with_outlier[place] = T(-1e5);
                CAPTURE(n);
                CAPTURE(name_of(s));
                CHECK(guarded{1000, rule}(with_outlier) == expected);
            };
            check(top_p{0.9});
            check(max_p{0.25});
            check(top_k{n / 3});
        }
    }
}

TEST_CASE("outliers begin at factor times the lower median of the scores above zero") {
    const std::array even{1.0f, 2.0f, 0.0f, 20.0f, 30.0f, 0.0f}; // the lower of 2 and 20
    CHECK(show(guarded{10, top_k{0}}(even)) == "000110");
    CHECK(show(guarded{10.5, top_k{0}}(even)) == "000010");
    CHECK(show(guarded{16, top_k{0}}(even)) == "000000");
    const std::array odd{1.0f, -2.0f, 20.0f};
    CHECK(show(guarded{10, top_k{0}}(odd)) == "001");
}

TEST_CASE_TEMPLATE("infinities are outliers and leave the rule the rest", T, float, double) {
    const std::array v{T(4), inf_of<T>, T(1), T(0.5), nan_of<T>, T(0.3), T(0.2)};
    CHECK(show(guarded{1000, top_p{0.9}}(v)) == "1111100");
    CHECK(show(guarded{1000, top_p{0.9}}(std::array{inf_of<T>, T(0)})) == "10");
    CHECK(show(guarded{1000, top_p{0.9}}(std::array{nan_of<T>, T(0)})) == "10");
}

TEST_CASE_TEMPLATE("spans without an outlier are the rule's alone", T, float, double) {
    const std::array same{T(2), T(-2), T(2)};
    CHECK(show(guarded{1.5, top_p{0.1}}(same)) == "111");
    CHECK(show(guarded{1.5, top_k{0}}(same)) == "000");
    CHECK(show(guarded{1000, top_p{0.9}}(std::array{T(0), T(0)})) == "00");
    CHECK(guarded{1000, top_p{0.9}}(std::span<const T>{}).size() == 0);
    // factor * median overflows: nothing finite is an outlier
    CHECK(show(guarded{1e300, top_k{0}}(std::array{T(1e20), std::numeric_limits<T>::max()})) == "00");
}

TEST_CASE_TEMPLATE("the least denormal can be the median", T, float, double) {
    const std::array v{denormal_of<T>(1), denormal_of<T>(1), denormal_of<T>(1), denormal_of<T>(20)};
    CHECK(show(guarded{10, top_k{0}}(v)) == "0001");
}

TEST_CASE("guards nest with other rules") {
    const std::array v{4.0, 1.0, 1e5, 0.5, 0.3, 0.2};
    CHECK(show(guarded{1000, top_p{0.9} & top_k{2}}(v)) == "111000");
    CHECK(show(at_most{2, guarded{1000, top_p{0.9}}}(v)) == "101000");
    CHECK(show((guarded{1000, top_p{0.0}} | max_p{0.9e-5})(v)) == "111000");
}

#if defined(__cpp_exceptions)
TEST_CASE("a factor that is not finite and above 1 is refused with its value") {
    CHECK(message_of([] {
              guarded{0.5, top_k{1}};
          }) == "tamis::guarded: the factor must be finite and > 1, got 0.5");
    CHECK_THROWS_AS((guarded{1.0, top_k{1}}), std::invalid_argument);
    CHECK_THROWS_AS((guarded{inf_of<double>, top_k{1}}), std::invalid_argument);
    CHECK_THROWS_AS((guarded{nan_of<double>, top_k{1}}), std::invalid_argument);
    CHECK_THROWS_AS((guarded{-1000.0, top_k{1}}), std::invalid_argument);
}
#endif
