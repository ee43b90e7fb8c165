#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/centred.hpp>
#include <tamis/score/weighted.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>

using namespace tamis;

namespace {
constexpr std::array ending_in_zero{4.0f, -1.0f, 0.5f, 0.3f, 0.0f};
constexpr std::array weights{0.0f, 0.0f, 1.0f, 9.0f, 100.0f};
} // namespace

TEST_CASE("parts with scores of their own are joined as masks") {
    const scored heavy{weighted{weights}, top_k{2}};
    CHECK(show(heavy(ending_in_zero)) == "00110");
    CHECK(show((top_k{3} & heavy)(ending_in_zero)) == "00100");
    CHECK(show((heavy & top_k{3})(ending_in_zero)) == "00100");
    CHECK(show((top_k{1} | heavy)(ending_in_zero)) == "10110");
    CHECK(show((heavy | scored{centred{4.0}, top_k{1}})(ending_in_zero)) ==
          "01110"); // |-1 - 4| is the largest
}

TEST_CASE("joined selectors nest") {
    const scored heavy{weighted{weights}, top_k{1}};
    const auto nested = (top_k{1} | heavy) & (nonzero{} | (heavy & top_k{2}));
    CHECK(show(nested(ending_in_zero)) == "10010");
    CHECK(show((guarded{3, top_k{1}} | (heavy | heavy))(ending_in_zero)) ==
          "11010"); // 4 is an outlier, -1 the largest of the rest
}

TEST_CASE_TEMPLATE("joined selectors are the joined masks", T, float, double) {
    engine random{13};
    std::vector<float> norms(200);
    for (float& norm : norms) {
        norm = static_cast<float>(below(random, 1000)) / 8;
    }
    for (std::size_t n = 0; n <= 200; n += 4) {
        for (const shape s : shapes) {
            const auto values = generate<T>(s, n, random);
            const top_p a{0.7};
            const scored b{weighted{norms}, top_p{0.6}};
            CAPTURE(n);
            CAPTURE(name_of(s));
            CHECK((a & b)(values) == (a(values) & b(values)));
            CHECK((a | b)(values) == (a(values) | b(values)));
        }
    }
}

TEST_CASE("always_active adds a fixed set, zeros among it") {
    mask set{5};
    set.set(1, true);
    set.set(4, true);
    CHECK(show(always_active{set, top_k{1}}(ending_in_zero)) == "11001");
    CHECK(show(always_active{set, top_k{0}}(ending_in_zero)) == "01001");
    CHECK(show((always_active{set, top_k{1}} & top_k{1})(ending_in_zero)) == "10000");
    CHECK(show(always_active{set, scored{weighted{weights}, top_k{1}}}(ending_in_zero)) == "01011");
    const always_active inner{set, top_k{0}};
    mask more{5};
    more.set(2, true);
    CHECK(show(always_active{more, inner}(ending_in_zero)) == "01101");
}

#if defined(__cpp_exceptions)
TEST_CASE("a fixed set of another size is refused with both sizes") {
    const mask set{4};
    const std::string message = message_of([&] { always_active{set, top_k{1}}(ending_in_zero); });
    CHECK(message.find("4") != std::string::npos);
    CHECK(message.find("5") != std::string::npos);
}
#endif
