#include <tamis/study/laws/fit_law.hpp>

#include "study/laws/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace tamis::study;

namespace {

template <class L, class Rows>
void check_exact(const Rows& rows) {
    for (const auto& row : rows) {
        CAPTURE(std::string(row.name));
        const auto fit = fit_law<L>(measured<L>(row.p, 0, 0));
        for (std::size_t i = 0; i < row.p.size(); ++i) {
            CAPTURE(std::string(L::names[i]));
            CHECK(fit.values[i] == doctest::Approx(row.p[i]).epsilon(1e-6));
            CHECK(fit.errors[i] < 1e-6 * (1 + std::abs(row.p[i])));
        }
        CHECK(fit.rms < 1e-10);
        CHECK(fit.r_squared == doctest::Approx(1.0));
        CHECK(fit.determines_limit());
        CHECK(fit(77.0) == doctest::Approx(L{}.value(77.0, row.p)));
        CHECK(fit.iterations > 0);
    }
}

} // namespace

TEST_CASE("exact points give the ReLU law's parameters back") { check_exact<relu_law>(relu_rows); }
TEST_CASE("exact points give the SiLU law's parameters back") { check_exact<silu_law>(silu_rows); }

TEST_CASE("the order of the points does not matter") {
    auto points = measured<silu_law>(silu_rows[1].p, 0.01, 7);
    const auto fit = fit_law<silu_law>(points);
    std::reverse(points.begin(), points.end());
    const auto reversed = fit_law<silu_law>(points);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(reversed.values[i] == doctest::Approx(fit.values[i]).epsilon(1e-6));
        CHECK(reversed.errors[i] == doctest::Approx(fit.errors[i]).epsilon(1e-5));
    }
}

TEST_CASE("the same points give the same fit") {
    const auto points = measured<relu_law>(relu_rows[2].p, 0.01, 7);
    const auto a = fit_law<relu_law>(points), b = fit_law<relu_law>(points);
    CHECK(a.values == b.values);
    CHECK(a.errors == b.errors);
    CHECK(a.iterations == b.iterations);
}
