#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selects.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/score/centred.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>

namespace centred_test {

using tamis::centred;
using tamis::magnitude_bits;
using tamis::scored;

TEST_CASE("the score is the distance to the mode; entries at the mode are inactive") {
    const std::array v{-0.25f, -0.25f, 0.0f, 1.0f, -0.75f};
    CHECK(show(scored{centred{-0.25}, tamis::nonzero{}}(v)) == "00111");
    CHECK(show(scored{centred{-0.25}, tamis::top_k{1}}(v)) == "00010");
    CHECK(show(scored{centred{-0.25}, tamis::top_k{2}}(v)) == "00011");
}

TEST_CASE("the mode is a double: 0.1 is not 0.1f") {
    CHECK(magnitude_bits(centred{static_cast<double>(0.1f)}(0.1f, 0)) == 0);
    CHECK(magnitude_bits(centred{0.1}(0.1f, 0)) != 0);
    CHECK(magnitude_bits(centred{0.1}(0.1, 0)) == 0);
}

TEST_CASE("mode 0 is the magnitude") {
    CHECK(centred{0}(-3.5f, 7) == -3.5);
    CHECK(centred{0}(denormal_of<float>(1), 7) == 0x1p-149);
    CHECK(magnitude_bits(centred{0}(negative_zero_of<float>, 7)) == 0);
}

TEST_CASE_TEMPLATE("NaN and infinities stay what they are", T, float, double) {
    CHECK(tamis::is_nan(centred{2}(at_run_time(nan_of<T>), 0)));
    CHECK(magnitude_bits(centred{2}(at_run_time(negative_inf_of<T>), 0)) == tamis::infinity_bits<double>);
}

#if defined(__cpp_exceptions)
TEST_CASE("a mode that is not finite is refused") {
    CHECK(message_of([] { centred{inf_of<double>}; }) == "tamis::centred: mode must be finite, got inf");
    CHECK_THROWS_AS(centred{nan_of<double>}, std::invalid_argument);
    CHECK_THROWS_AS(centred{negative_inf_of<double>}, std::invalid_argument);
}
#endif

} // namespace centred_test
