#include <tamis/study/calibrate/greedy_budgets.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

// TEAL's greedy budgets on errors that are known in closed form.

using tamis::study::greedy_budgets;

namespace {

double share(std::span<const double> sizes, std::span<const double> s) {
    double all = 0, dropped = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        all += sizes[i];
        dropped += sizes[i] * s[i];
    }
    return dropped / all;
}

} // namespace

TEST_CASE("equal matrices with equal, convex errors get equal sparsities") {
    const std::array sizes{1.0, 1.0, 1.0, 1.0};
    const auto s = greedy_budgets(sizes, 0.5, 0.01, [](std::span<const double> at) {
        double error = 0;
        for (const double v : at) {
            error += v * v;
        }
        return error;
    });
    for (const double v : s) {
        CHECK(v == doctest::Approx(0.5).epsilon(0.09));
    }
    CHECK(share(sizes, s) == doctest::Approx(0.5).epsilon(1e-9));
}

TEST_CASE("the weighted share is met, whatever the sizes and the step") {
    const std::array sizes{3.0, 1.0, 0.5};
    for (const double target : {0.0, 0.1, 0.37, 0.5, 0.9, 1.0}) {
        for (const double step : {0.003, 0.05, 0.4, 1.0}) {
            CAPTURE(target);
            CAPTURE(step);
            const auto s = greedy_budgets(sizes, target, step, [](std::span<const double> at) {
                return at[0] * at[0] * 3 + at[1] + at[2] * at[2] * at[2];
            });
            CHECK(share(sizes, s) == doctest::Approx(target).epsilon(1e-9));
            for (const double v : s) {
                CHECK(v >= 0);
                CHECK(v <= 1);
            }
        }
    }
}

TEST_CASE("the cheapest matrix goes first, up to 1, then the others") {
    const std::array sizes{1.0, 1.0};
    const auto error = [](std::span<const double> at) { return 10 * at[0] + at[1]; };
    CHECK(greedy_budgets(sizes, 0.25, 0.05, error)[0] == 0);
    CHECK(greedy_budgets(sizes, 0.25, 0.05, error)[1] == doctest::Approx(0.5));
    const auto more = greedy_budgets(sizes, 0.75, 0.05, error);
    CHECK(more[1] == 1);
    CHECK(more[0] == doctest::Approx(0.5));
}

TEST_CASE("steps are proportional to 1 / size") {
    std::vector<std::array<double, 2>> asked;
    greedy_budgets(std::array{1.0, 3.0}, 0.1, 0.1, [&](std::span<const double> at) {
        asked.push_back({at[0], at[1]});
        return 1.0;
    });
    REQUIRE(asked.size() == 2); // one step, two matrices
    CHECK(asked[0][0] == doctest::Approx(0.4));
    CHECK(asked[0][1] == 0);
    CHECK(asked[1][0] == 0);
    CHECK(asked[1][1] == doctest::Approx(0.1 * 4 / 3));
}

TEST_CASE("ties go to the first, NaN is the worst") {
    const std::array sizes{1.0, 1.0};
    CHECK(greedy_budgets(sizes, 0.1, 0.1, [](auto) { return 0.0; })[0] == doctest::Approx(0.2));
    const auto s = greedy_budgets(sizes, 0.1, 0.1, [](std::span<const double> at) {
        return at[0] > 0 ? nan_of<double> : inf_of<double>;
    });
    CHECK(s[0] == 0);
    CHECK(s[1] == doctest::Approx(0.2));
}

TEST_CASE("where every step's error is NaN there are no budgets") {
    const std::array sizes{1.0, 2.0};
    const auto from = [&](double limit) {
        return greedy_budgets(sizes, 0.5, 0.1, [&](std::span<const double> at) {
            return at[0] + at[1] > limit ? at_run_time(nan_of<double>) : at[1];
        });
    };
    for (const double limit : {0.0, 0.7}) { // at once, and half way
        const auto s = from(limit);
        REQUIRE(s.size() == 2);
        CHECK(tamis::is_nan(s[0]));
        CHECK(tamis::is_nan(s[1]));
    }
    CHECK(!tamis::is_nan(from(2)[0]));
}

TEST_CASE("no matrices have no budgets") {
    CHECK(greedy_budgets({}, 0.5, 0.1, [](auto) { return 0.0; }).empty());
}

#if defined(__cpp_exceptions)
TEST_CASE("sizes, target and step outside their domains are refused") {
    const auto refused = [](double size, double target, double step) {
        return message_of([&] { greedy_budgets(std::array{size}, target, step, [](auto) { return 0.0; }); });
    };
    CHECK(refused(1, 1.5, 0.1) == "tamis::study::greedy_budgets: the target must be in [0, 1], got 1.5");
    CHECK(refused(1, 0.5, 0) == "tamis::study::greedy_budgets: the step must be in [2^-20, 1], got 0");
    CHECK(refused(0, 0.5, 0.1) == "tamis::study::greedy_budgets: sizes must be finite and above 0, got 0");
    CHECK(refused(nan_of<double>, 0.5, 0.1).find("sizes must be") != std::string::npos);
}
#endif
