#include <tamis/score/magnitude.hpp>

#include "support/bits.hpp"
#include "support/flushed_denormals.hpp"

#include <doctest/doctest.h>
#include <vector>

namespace magnitude_test {

using namespace tamis;

TEST_CASE_TEMPLATE("the magnitude of a value is exact, whatever it is", T, float, double) {
    const std::vector<T> values{T(1.5),    T(-1.5),           negative_zero_of<T>, denormal_of<T>(1),
                                nan_of<T>, negative_inf_of<T>};
    std::vector<T> out(values.size());
    for (const bool flushed : {false, true}) {
        CAPTURE(flushed);
        if (flushed) {
            const flushed_denormals guard;
            score_into(magnitude{}, values, std::span{out});
        } else {
            score_into(magnitude{}, values, std::span{out});
        }
        const scores<T> s{std::span<const T>{out}};
        CHECK(s[0] == T(1.5));
        CHECK(s[1] == T(1.5));
        CHECK(s.bits(2) == 0);
        CHECK(s.bits(3) == 1);
        CHECK(s.bits(4) > infinity_bits<T>);
        CHECK(s.bits(5) == infinity_bits<T>);
    }
}

static_assert(score_for<magnitude, float> && score_for<magnitude, double>);
static_assert(std::is_same_v<score_real<magnitude, float>, float> &&
              std::is_same_v<score_real<magnitude, double>, double>);

} // namespace magnitude_test
