#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/study/without_crossing.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace without_crossing_test {

using namespace tamis;
using namespace tamis::study;

TEST_CASE("without_crossing: the entry where the sum reaches p is left out, with its ties") {
    const std::array v{4.0f, 1.0f, 0.5f, 0.3f, 0.2f};
    CHECK(show(top_p{0.9}(v)) == "11100");
    CHECK(show(without_crossing{top_p{0.9}}(v)) == "11000");
    CHECK(show(without_crossing{top_p{0.5}}(v)) == "00000");
    CHECK(show(without_crossing{top_p{0.5}}(std::array{2.0, -1.0, 1.0, 1.0})) == "1000");
}

TEST_CASE("without_crossing: p = 0 keeps nothing, p = 1 all but the least above zero") {
    const std::array v{3.0f, 0.0f, -2.0f, 1.0f, -1.0f};
    CHECK(show(without_crossing{top_p{0.0}}(v)) == "00000");
    CHECK(show(without_crossing{top_p{1.0}}(v)) == "10100");
    CHECK(show(without_crossing{nonzero{}}(v)) == "10100");
    CHECK(show(without_crossing{top_p{1.0}}(std::array{denormal_of<float>(1), denormal_of<float>(2)})) ==
          "01");
    CHECK(show(without_crossing{top_p{0.9}}(std::array{0.0f, -0.0f})) == "00");
    CHECK(show(without_crossing{top_p{0.9}}(std::array{5.0f})) == "0");
    CHECK(without_crossing{top_p{0.9}}(std::vector<float>{}).size() == 0);
}

TEST_CASE_TEMPLATE("without_crossing: NaN stays active, infinities where the rule keeps them", T, float,
                   double) {
    const std::array v{nan_of<T>, T(3), T(2), negative_nan_of<T>, T(0)};
    CHECK(show(without_crossing{top_p{1.0}}(v)) == "11010");
    CHECK(show(without_crossing{top_k{0}}(v)) == "10010");
    const std::array w{T(1), inf_of<T>, nan_of<T>, std::numeric_limits<T>::max()};
    CHECK(show(without_crossing{top_p{0.5}}(w)) == "0110");
    CHECK(show(without_crossing{top_k{2}}(w)) == "0110");
    CHECK(show(without_crossing{top_k{0}}(w)) == "0010");
}

TEST_CASE("without_crossing: as the plain sort says") {
    engine random{15};
    for (const shape s : {shape::normal, shape::levels, shape::bf16, shape::relu, shape::constant}) {
        for (std::size_t n = 1; n < 60; n += 4) {
            std::vector<double> v(n);
            const auto floats = generate<float>(s, n, random);
            std::transform(floats.begin(), floats.end(), v.begin(),
                           [](float x) { return std::round(static_cast<double>(x) * 64); }); // sums are exact
            std::vector<double> sorted(n);
            std::transform(v.begin(), v.end(), sorted.begin(), [](double x) { return std::abs(x); });
            std::sort(sorted.begin(), sorted.end(), std::greater<>{});
            double total = 0, sum = 0, crossing = 0;
            for (const double x : sorted) {
                total += x;
            }
            for (const double x : sorted) {
                sum += x;
                if (sum >= 0.75 * total) {
                    crossing = x;
                    break;
                }
            }
            std::string expected;
            for (const double x : v) {
                expected += std::abs(x) > crossing ? '1' : '0';
            }
            CAPTURE(name_of(s));
            CHECK(show(without_crossing{top_p{0.75}}(v)) == expected);
        }
    }
}

TEST_CASE("without_crossing: nests with other rules") {
    static_assert(rule<without_crossing<guarded<top_p>>>);
    const std::array v{4.0f, 1.0f, 1e5f, 0.5f, 0.3f, 0.2f};
    CHECK(show(guarded{1000, without_crossing{top_p{0.9}}}(v)) == "111000");
    CHECK(show(without_crossing{guarded{1000, top_p{0.9}}}(v)) == "111000");
    CHECK(show((without_crossing{top_p{0.9}} | top_k{2})(v)) == "101000");
}

} // namespace without_crossing_test
