#include <tamis/cut.hpp>

#include "support/bits.hpp"

#include <doctest/doctest.h>
#include <initializer_list>
#include <limits>

using tamis::magnitude_bits;

TEST_CASE_TEMPLATE("a cut keeps scores at or above its threshold", T, float, double) {
    constexpr auto cut = tamis::cut<T>::at(T(0.5));
    CHECK(cut.threshold() == T(0.5));
    CHECK(cut.keeps(magnitude_bits(T(0.5))));
    CHECK(cut.keeps(magnitude_bits(T(-2))));
    CHECK(cut.keeps(magnitude_bits(inf_of<T>)));
    CHECK_FALSE(cut.keeps(magnitude_bits(T(0.5)) - 1));
}

TEST_CASE_TEMPLATE("no cut keeps a zero, every cut keeps a NaN", T, float, double) {
    for (const auto cut :
         {tamis::cut<T>::everything(), tamis::cut<T>::nothing(), tamis::cut<T>::at(T(0)),
          tamis::cut<T>::at(T(1)), tamis::cut<T>::at(inf_of<T>), tamis::cut<T>::at(nan_of<T>),
          tamis::cut<T>::at_bits(0), tamis::cut<T>::at_bits(~tamis::bits_of<T>{0})}) {
        CHECK_FALSE(cut.keeps(magnitude_bits(T(0))));
        CHECK_FALSE(cut.keeps(magnitude_bits(negative_zero_of<T>)));
        CHECK(cut.keeps(magnitude_bits(nan_of<T>)));
        CHECK(cut.keeps(magnitude_bits(negative_nan_of<T>)));
        CHECK(cut.keeps(tamis::infinity_bits<T> + 1)); // the least NaN
    }
}

TEST_CASE_TEMPLATE("thresholds at zero or below keep all but zeros, NaN ones nothing", T, float, double) {
    for (const T threshold : {T(0), negative_zero_of<T>, T(-1), negative_inf_of<T>}) {
        CHECK(tamis::cut<T>::at(threshold) == tamis::cut<T>::everything());
        CHECK(tamis::cut<T>::at(threshold).keeps(1));
    }
    CHECK(tamis::cut<T>::at(nan_of<T>) == tamis::cut<T>::nothing());
    CHECK(tamis::cut<T>::at(negative_nan_of<T>) == tamis::cut<T>::nothing());
    CHECK(tamis::cut<T>::at(inf_of<T>).keeps(tamis::infinity_bits<T>));
    CHECK_FALSE(tamis::cut<T>::nothing().keeps(tamis::infinity_bits<T>));
}

TEST_CASE("both and either of two cuts") {
    constexpr auto low = tamis::cut<float>::at(1.0f);
    constexpr auto high = tamis::cut<float>::at(2.0f);
    CHECK((low & high) == high);
    CHECK((high & low) == high);
    CHECK((low | high) == low);
    CHECK((high | low) == low);
    CHECK((low & tamis::cut<float>::nothing()) == tamis::cut<float>::nothing());
    CHECK((low | tamis::cut<float>::everything()) == tamis::cut<float>::everything());
}

TEST_CASE("a product beyond the largest number is infinity") {
    CHECK(tamis::cut<float>::at_product(1e300, 1e30f) == tamis::cut<float>::at(inf_of<float>));
    CHECK(tamis::cut<double>::at_product(1e300, 1e300) == tamis::cut<double>::at(inf_of<double>));
    CHECK(tamis::cut<float>::at_product(2.0, std::numeric_limits<float>::max()) ==
          tamis::cut<float>::at(inf_of<float>));
    CHECK(tamis::cut<float>::at_product(1.0, std::numeric_limits<float>::max()).threshold() ==
          std::numeric_limits<float>::max());
}

static_assert(tamis::cut<float>::at_product(0.5, 3.0f).threshold() == 1.5f,
              "cuts can be made at compile time");
