#include <tamis/rule/combine.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include "support/bits.hpp"
#include "support/generate.hpp"
#include "support/show.hpp"

#include <tamis/mask/set_operations.hpp>

#include <doctest/doctest.h>
#include <array>

using namespace tamis;

namespace {
constexpr std::array falling{4.0f, -1.0f, 0.5f, 0.3f, 0.2f};
}

TEST_CASE("a & b is active under both, a | b under either") {
    CHECK(show((top_k{4} & threshold{0.5})(falling)) == "11100");
    CHECK(show((top_k{1} & threshold{0.5})(falling)) == "10000");
    CHECK(show((top_k{4} | threshold{0.5})(falling)) == "11110");
    CHECK(show((top_k{1} | threshold{0.5})(falling)) == "11100");
    CHECK(show(((top_k{1} | threshold{0.5}) & max_p{0.2})(falling)) == "11000"); // nested
}

TEST_CASE_TEMPLATE("combined rules are the combined masks", T, float, double) {
    engine random{11};
    for (std::size_t n = 0; n < 150; n += 3) {
        for (const shape s : shapes) {
            const auto values = generate<T>(s, n, random);
            const top_p a{0.7};
            const top_k b{below(random, n + 2)};
            CAPTURE(n);
            CAPTURE(name_of(s));
            CHECK((a & b)(values) == (a(values) & b(values)));
            CHECK((a | b)(values) == (a(values) | b(values)));
        }
    }
}

TEST_CASE("at_least keeps the k largest whatever the rule says") {
    CHECK(show(at_least{3, top_k{1}}(falling)) == "11100");
    CHECK(show(at_least{1, top_k{3}}(falling)) == "11100");
    CHECK(show(at_least{0, threshold{100}}(falling)) == "00000");
    CHECK(show(at_least{9, threshold{100}}(falling)) == "11111");
    CHECK(show(at_least{2, threshold{100}}(std::array{1.0f, 2.0f, 1.0f, 0.0f})) ==
          "1110");                                                                   // ties of the k-th
    CHECK(show(at_least{2, threshold{100}}(std::array{0.0f, 2.0f, 0.0f})) == "010"); // zeros stay inactive
}

TEST_CASE("at_most keeps no more than k, and drops ties that do not all fit") {
    CHECK(show(at_most{2, nonzero{}}(falling)) == "11000");
    CHECK(show(at_most{9, top_k{2}}(falling)) == "11000");
    CHECK(show(at_most{0, nonzero{}}(falling)) == "00000");
    CHECK(show(at_most{2, nonzero{}}(std::array{1.0f, 2.0f, -1.0f})) == "010");
    CHECK(show(at_most{3, nonzero{}}(std::array{1.0f, 2.0f, -1.0f})) == "111");
    CHECK(show(at_most{1, nonzero{}}(std::array{1.0f, -1.0f})) == "00");
    CHECK(show(at_most{1, nonzero{}}(std::array{0.0f, 1.0f, 0.0f})) == "010"); // zeros take no room
}

TEST_CASE_TEMPLATE("NaN stays active under every bound and takes no room", T, float, double) {
    CHECK(show(at_most{1, nonzero{}}(std::array{nan_of<T>, T(1), T(2)})) == "101");
    CHECK(show(at_most{0, nonzero{}}(std::array{nan_of<T>, inf_of<T>})) == "10");
    CHECK(show(at_most{1, nonzero{}}(std::array{inf_of<T>, negative_inf_of<T>, T(1)})) ==
          "000"); // tied infinities
    CHECK(show(at_least{1, threshold{9}}(std::array{nan_of<T>, T(1), T(2)})) == "101");
}

TEST_CASE("bounds nest") {
    const auto between = at_least{2, at_most{3, threshold{0.0}}};
    CHECK(show(between(falling)) == "11100");
    CHECK(show(at_most{3, at_least{2, top_p{0.0}}}(falling)) == "11000");
}
