#include "ffn/support_cett.hpp"

#include <doctest/doctest.h>

#include <array>

namespace cett_test {

// The two cheap forms of CETT: the calibrated threshold on |i| * norm, and the bound that is guaranteed.

TEST_CASE("cett: drops neuron i when |i| * norm is below eps") {
    const std::array<float, 5> norms{1, 2, 4, 0, 8};
    const std::array<float, 5> values{1, -1, 0.5f, 100, 0};
    //                               1,  2,  2,    0,   0
    const tamis::mask at_two = tamis::select(tamis::cett(norms, 2.0), values);
    CHECK(!at_two[0]);
    CHECK(at_two[1]); // at eps is not below it
    CHECK(at_two[2]);
    CHECK(at_two.count() == 2);
    CHECK(tamis::select(tamis::cett(norms, 2.0000001), values).count() == 0);
    CHECK(tamis::select(tamis::cett(norms, 0.0), values).count() == 3); // zeros stay inactive
}

TEST_CASE("cett at the intermediate is |i| < eps / norm") {
    const cett_problem p{23, 67, 1};
    for (const double eps : {0.01, 0.1, 0.5, 1.0, 3.0}) {
        const tamis::mask mask = tamis::cett(p.norms, eps)(p.intermediate);
        for (std::size_t i = 0; i < 67; ++i) {
            CHECK(mask[i] == (p.contribution(i) >= eps));
        }
    }
}

TEST_CASE("cett_bound: the true CETT stays within the target") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const cett_problem p{17 + seed, 40 + 3 * seed, seed};
        for (const double target : {0.0, 0.01, 0.05, 0.2, 0.5, 1.0}) {
            CAPTURE(seed);
            CAPTURE(target);
            const tamis::mask mask = tamis::cett_bound(p.norms, target, p.output_norm())(p.intermediate);
            CHECK(p.cett_of(mask) <= target * (1 + 1e-6));
        }
    }
}

TEST_CASE("cett_bound: takes the largest tail that the sum of norms allows") {
    // Contributions 1, 2, 4, 8 and an output norm of 10: budgets of 3 and of just below.
    const std::array<float, 4> norms{1, 1, 1, 1};
    const std::array<float, 4> values{8, 1, 4, 2};
    CHECK(tamis::cett_bound(norms, 0.3125, 9.6)(values).count() == 2);
    CHECK(tamis::cett_bound(norms, 0.3125, 9.5)(values).count() == 3);
    CHECK(tamis::cett_bound(norms, 1.0, 15.0)(values).count() == 0);
    CHECK(tamis::cett_bound(norms, 0.0, 15.0)(values).count() == 4);
}

TEST_CASE("cett is weighted with a threshold") {
    const cett_problem p{23, 67, 2};
    std::vector<float> ones(67, 1.0f);
    CHECK(tamis::select(tamis::cett(p.norms, 0.25), p.intermediate) ==
          tamis::select(tamis::scored{tamis::weighted{p.norms}, tamis::threshold{0.25}}, p.intermediate));
    CHECK(tamis::select(tamis::cett(ones, 0.25), p.intermediate) ==
          tamis::select(tamis::threshold{0.25}, p.intermediate));
}

} // namespace cett_test
