#include "ffn/support_cett.hpp"

#include "support/show.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace cett_exact_test {

// The exact form against all distinct cuts tried one by one: the largest tail with CETT <= target.

namespace {

/// By trying: of the cuts at each distinct contribution (and above all) the largest whose CETT is within the
/// target.
tamis::mask by_trying(const cett_problem& p, double target) {
    std::vector<double> cuts;
    for (std::size_t i = 0; i < p.intermediate.size(); ++i) {
        cuts.push_back(p.contribution(i));
    }
    cuts.push_back(2 * *std::max_element(cuts.begin(), cuts.end()) + 1);
    std::sort(cuts.begin(), cuts.end());
    tamis::mask best{p.intermediate.size()};
    for (const double cut : cuts) {
        tamis::mask mask{p.intermediate.size()};
        for (std::size_t i = 0; i < mask.size(); ++i) {
            mask.set(i, p.contribution(i) >= cut && p.contribution(i) > 0);
        }
        // Between 1 - 1e-12 and 1 of the target rounding may decide; the seeds avoid it.
        best = cut == cuts.front() || p.cett_of(mask) <= target ? mask : best;
    }
    return best;
}

template <class L, class F>
tamis::mask exact(const cett_problem& p, double target) {
    const auto down = store_down<F, L>(p.down, 4);
    return tamis::select(tamis::cett_exact{down.view(), p.norms, target}, p.intermediate);
}

} // namespace

TEST_CASE("cett_exact equals trying all cuts") {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const cett_problem p{5 + 3 * seed, 3 + 5 * seed, seed};
        for (const double target : {0.001, 0.01, 0.1, 0.2, 0.5, 0.9, 0.999}) {
            CAPTURE(seed);
            CAPTURE(target);
            const std::string expected = show(by_trying(p, target));
            CHECK(show(exact<tamis::neuron_major, tamis::f32>(p, target)) == expected);
            CHECK(show(exact<tamis::output_major, tamis::bf16>(p, target)) == expected);
        }
    }
}

TEST_CASE("cett_exact is within the target, and drops no less than the bound") {
    for (std::uint64_t seed = 20; seed < 30; ++seed) {
        const cett_problem p{31, 77, seed};
        for (const double target : {0.05, 0.3, 0.7}) {
            const tamis::mask mask = exact<tamis::neuron_major, tamis::f32>(p, target);
            const tamis::mask bound = tamis::cett_bound(p.norms, target, p.output_norm())(p.intermediate);
            CHECK(p.cett_of(mask) <= target * (1 + 1e-12));
            CHECK(mask.count() <= bound.count());
        }
    }
}

TEST_CASE("cett_exact: the largest tail, though a smaller one is beyond the target") {
    // Contributions along one axis: 1, then -1.5, then 8. Dropping the first alone costs 1 of 7.5, both
    // together 0.5.
    const cett_problem p{{1, 3, {1, 1, 1}}, {1, -1.5f, 8}};
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(p, 0.1)) == "001");
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(p, 0.05)) == "111");
}

TEST_CASE("cett_exact: ties are kept or dropped together") {
    const cett_problem p{{2, 3, {1, 0, 0, 0, 1, 4}}, {1, 1, 1}};
    // Contributions (1, 0), (0, 1), (0, 4); one of the ties alone would be within 0.2, both are within 0.3.
    CHECK(show(exact<tamis::output_major, tamis::f32>(p, 0.2)) == "111");
    CHECK(show(exact<tamis::output_major, tamis::f32>(p, 0.3)) == "001");
}

TEST_CASE("cett_exact: target 0 keeps everything that contributes, 1 nothing") {
    const cett_problem p{{1, 4, {1, 1, 0, 1}}, {1, 2, 3, 0}};
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(p, 0.0)) == "1100");
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(p, 1.0)) == "0000");
    const cett_problem random{13, 29, 5};
    CHECK(exact<tamis::neuron_major, tamis::f32>(random, 0.0).count() == 29);
    CHECK(exact<tamis::neuron_major, tamis::f32>(random, 1.0).count() == 0);
}

TEST_CASE("cett_exact: an output that is zero or not finite keeps everything but zeros") {
    const cett_problem zero{{1, 3, {1, 1, 1}}, {1, -1, 0}};
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(zero, 0.5)) == "110");
    cett_problem infinite{{1, 3, {1, 1, 1}}, {1, 5, 0}};
    infinite.intermediate[1] = inf_of<float>;
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(infinite, 0.5)) == "110");
    infinite.intermediate[1] = nan_of<float>;
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(infinite, 0.5)) == "110");
    const cett_problem nothing{{1, 2, {1, 1}}, {0, 0}};
    CHECK(show(exact<tamis::neuron_major, tamis::f32>(nothing, 0.5)) == "00");
}

} // namespace cett_exact_test
