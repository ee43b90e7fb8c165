#include <tamis/ffn/union_growth.hpp>
#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

namespace union_growth_test {

// What a block has to read, token by token.

TEST_CASE("union_growth counts what any of the tokens wants") {
    tamis::union_growth growth{tamis::site::input};
    const std::vector<float> values(8);
    const auto show = [&](std::initializer_list<std::size_t> active, tamis::site where,
                          bool has_policy = true) {
        tamis::mask mask{8};
        for (const std::size_t i : active) {
            mask.set(i, true);
        }
        growth(tamis::sighting{where, values, mask, has_policy, growth.tokens()});
    };
    show({0, 1}, tamis::site::input);
    show({5, 6, 7}, tamis::site::gate); // another site
    show({1, 2}, tamis::site::input);
    show({1}, tamis::site::input);
    CHECK(growth.tokens() == 3);
    CHECK(growth.active_after(1) == 2.0 / 8);
    CHECK(growth.active_after(2) == 3.0 / 8);
    CHECK(growth.active_after(3) == 3.0 / 8);
    growth.reset();
    CHECK(growth.tokens() == 0);
    static_assert(tamis::observer<tamis::union_growth>);
}

} // namespace union_growth_test
