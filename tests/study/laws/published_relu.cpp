#include <tamis/study/laws/fit_law.hpp>

#include "study/laws/support.hpp"

#include <doctest/doctest.h>

using namespace tamis::study;

TEST_CASE(
    "ReLU: the published rows come back from points with 1 % noise, or the errors say that they can not") {
    for (const relu_row& row : relu_rows) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            CAPTURE(std::string(row.name));
            CAPTURE(seed);
            const auto fit = fit_law<relu_law>(measured<relu_law>(row.p, 0.01, seed));
            CHECK(std::abs(fit.limit() - row.p[3]) < 3.5 * fit.limit_error());
            for (std::size_t i = 0; i < 4;
                 ++i) { // alpha and c vary by factors: their logarithms are compared
                const bool by_factor = relu_law::positive[i];
                const double off = by_factor ? std::log(fit.values[i] / row.p[i]) : fit.values[i] - row.p[i];
                const double error = by_factor ? fit.errors[i] / fit.values[i] : fit.errors[i];
                CAPTURE(std::string(relu_law::names[i]));
                CAPTURE(fit.values[i]);
                CAPTURE(fit.errors[i]);
                CHECK((!fit.is_regular() || !fit.determines(i) || std::abs(off) < 3.5 * error));
            }
            CHECK(fit.limit_error() > 0);
            CHECK(fit.r_squared > 0.95);
            CHECK(fit.rms < 0.0015); // the noise alone: 1 % of 6 to 11 points
        }
    }
}

// With alpha = 0.1 and c = 3.2 the curve is nearly a power of D, exp(b - c - c alpha log D), in which only two of the
// three numbers can be seen.
TEST_CASE("ReLU 0.1B: the points do not determine b and c, and the fit says so") {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CAPTURE(seed);
        const auto fit = fit_law<relu_law>(measured<relu_law>(relu_rows[0].p, 0.01, seed));
        CHECK(!fit.determines_all());
        CHECK(fit.condition > 100);
    }
}
