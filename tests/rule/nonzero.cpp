#include <tamis/rule/nonzero.hpp>

#include "support/bits.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>
#include <vector>

TEST_CASE_TEMPLATE("nonzero keeps everything but exact zeros", T, float, double) {
    const std::array v{T(1),     T(0), negative_zero_of<T>, denormal_of<T>(1), nan_of<T>, negative_inf_of<T>,
                       T(-1e-30)};
    CHECK(show(tamis::nonzero{}(v)) == "1001111");
    CHECK(tamis::nonzero{}(std::vector<T>{}).size() == 0);
    CHECK(tamis::nonzero{}(std::vector<T>(130)).count() == 0);
}
