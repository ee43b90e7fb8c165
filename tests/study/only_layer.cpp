#include <tamis/rule/top_k.hpp>
#include <tamis/study/plan.hpp>

#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <array>

namespace only_layer_test {

using namespace tamis;
using namespace tamis::study;

TEST_CASE("only_layer: one layer's selectors, all others dense") {
    plan p{3};
    p.set_all(site::input, top_k{1});
    p.set(1, site::gate, top_k{2});
    const plan alone = only_layer(p, 1);
    CHECK(alone.layers() == 3);
    const std::array v{3.0f, 1.0f, 2.0f};
    for (const site where : all_sites) {
        CHECK(alone.at(0, where) == nullptr);
        CHECK(alone.at(2, where) == nullptr);
    }
    REQUIRE(alone.at(1, site::input) != nullptr);
    REQUIRE(alone.at(1, site::gate) != nullptr);
    CHECK(show((*alone.at(1, site::input))(v)) == "100");
    CHECK(show((*alone.at(1, site::gate))(v)) == "101");
    CHECK(alone.at(1, site::up) == nullptr);
    CHECK(p.at(0, site::input) != nullptr); // as it was
    CHECK(only_layer(p, 0).at(0, site::gate) == nullptr);
}

#if defined(__cpp_exceptions)
TEST_CASE("only_layer: a layer that is not there is refused") {
    CHECK(message_of([] { only_layer(plan{2}, 2); }) ==
          "tamis::study::only_layer: the plan has 2 layers, there is no layer 2");
    CHECK_THROWS_AS(only_layer(plan{}, 0), std::invalid_argument);
}
#endif

} // namespace only_layer_test
