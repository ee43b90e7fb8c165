#include <tamis/study/calibrate/bisect.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using tamis::study::bisect;

TEST_CASE("the largest x within the limit, within the tolerance") {
    const auto b = bisect(
        0, 2, [](double x) { return x * x; }, 2.0, 1e-9, 100);
    CHECK(b.within);
    CHECK(b.converged);
    CHECK(b.monotone);
    CHECK(b.value <= 2);
    CHECK(b.value >= 2 - 1e-9);
    CHECK(b.at == doctest::Approx(std::sqrt(2.0)).epsilon(1e-9));
    CHECK(b.steps.front().at == 1);
}

TEST_CASE("a jump over the limit: the best below, not converged") {
    const auto b = bisect(
        0, 1, [](double x) { return x < 0.3 ? 0.5 : 2.0; }, 1.0, 1e-3, 12);
    CHECK(b.within);
    CHECK(!b.converged);
    CHECK(b.value == 0.5);
    CHECK(b.at < 0.3);
    CHECK(b.at > 0.3 - 1.0 / 2048);
    CHECK(b.steps.size() == 12);
}

TEST_CASE("nothing within but the low end, or not even that") {
    const auto low = bisect(
        0, 1, [](double x) { return x; }, 0.0, 0, 5);
    CHECK(low.at == 0);
    CHECK(low.within);
    CHECK(low.converged);
    CHECK(low.steps.size() == 6);
    const auto none = bisect(
        0, 1, [](double x) { return x + 1; }, 0.5, 1, 5);
    CHECK(none.at == 0);
    CHECK(none.value == 1);
    CHECK(!none.within);
    CHECK(!none.converged);
}

TEST_CASE("everything within comes near the high end") {
    const auto b = bisect(
        0, 1, [](double) { return 0.0; }, 1.0, 0, 10);
    CHECK(b.at == 1 - 1.0 / 1024);
    CHECK(b.monotone);
}

TEST_CASE("what does not rise is said, and the result still is within") {
    const auto b = bisect(
        0, 1, [](double x) { return std::sin(20 * x) + x; }, 0.7, 1e-6, 40);
    CHECK(b.within);
    CHECK(b.value <= 0.7);
    CHECK(!b.monotone);
    for (const auto& p : b.steps) {
        CHECK((p.at <= b.at) == p.within);
    }
}

TEST_CASE("a NaN ends the search: which side the crossing is on is not known") {
    for (const double from : {0.4, 0.6, 0.9}) {
        CAPTURE(from);
        std::size_t looks = 0;
        const auto b = bisect(
            0, 1,
            [&](double x) {
                ++looks;
                return x > from ? at_run_time(nan_of<double>) : x;
            },
            1.0, 0, 20);
        CHECK(b.undefined);
        CHECK(tamis::is_nan(b.at));
        CHECK(tamis::is_nan(b.value));
        CHECK(!b.within);
        CHECK(!b.converged);
        CHECK(looks == b.steps.size()); // no look behind it, at the low end neither
        CHECK(tamis::is_nan(b.steps.back().value));
        CHECK(b.steps.back().at > from);
    }
    const auto low = bisect(
        0, 1, [](double x) { return x > 0 ? 2.0 : at_run_time(nan_of<double>); }, 1.0, 0, 3);
    CHECK(low.undefined);
    CHECK(low.steps.size() == 4);
}

TEST_CASE("a NaN where the search does not look is none, and infinity is beyond") {
    const auto b = bisect(
        0, 1, [](double x) { return x > 0.8   ? at_run_time(nan_of<double>)
                                    : x > 0.3 ? inf_of<double>
                                              : x; },
        1.0, 0, 30);
    CHECK(!b.undefined);
    CHECK(b.within);
    CHECK(b.at == doctest::Approx(0.3).epsilon(1e-4));
}

TEST_CASE("it ends between neighbouring doubles") {
    const auto b = bisect(
        0, 1, [](double x) { return x < 0.1 ? 0.0 : 1.0; }, 0.5, 0, 5000);
    CHECK(b.at == std::nextafter(0.1, 0.0));
    CHECK(b.steps.size() < 100);
}

#if defined(__cpp_exceptions)
TEST_CASE("bounds, tolerance and steps that make no search are refused") {
    const auto refused = [](double low, double high, double limit, double tolerance, std::size_t steps) {
        return message_of([&] {
            bisect(
                low, high, [](double x) { return x; }, limit, tolerance, steps);
        });
    };
    CHECK(refused(1, 1, 0, 0, 1) == "tamis::study::bisect: low must be below high, both finite; low is 1");
    CHECK(refused(nan_of<double>, 1, 0, 0, 1).find("low must be below high") != std::string::npos);
    CHECK(refused(0, inf_of<double>, 0, 0, 1).find("both finite") != std::string::npos);
    CHECK(refused(0, 1, nan_of<double>, 0, 1).find("the limit must be finite") != std::string::npos);
    CHECK(refused(0, 1, 0, -1, 1) == "tamis::study::bisect: the tolerance must be >= 0, got -1");
    CHECK(refused(0, 1, 0, 0, 0) == "tamis::study::bisect: most_steps must be at least 1, got 0");
}
#endif
