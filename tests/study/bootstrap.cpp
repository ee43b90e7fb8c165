#include <tamis/study/bootstrap.hpp>
#include <tamis/study/critical.hpp>

#include "support/bits.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace bootstrap_test {

using namespace tamis::study;

namespace {

/// What a model loses on made-up stories at four values of a rule: each story is hard in its own way, and some bear masks
/// worse than others, so that ratios vary less than losses do.
struct made_up_stories {
    static constexpr std::array sparsities{0.1, 0.3, 0.5, 0.7};
    static constexpr std::size_t columns = 2 + sparsities.size(); // tokens, dense loss, loss at each

    explicit made_up_stories(std::size_t stories, std::uint64_t seed) : all{stories, columns} {
        split_mix random{seed};
        const auto share = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
        for (std::size_t s = 0; s < stories; ++s) {
            const double tokens = 50 + std::floor(200 * share()), hard = 1 + share(),
                         bears = 0.2 + 1.6 * share();
            all.column(0)[s] = tokens;
            all.column(1)[s] = tokens * hard;
            for (std::size_t i = 0; i < sparsities.size(); ++i) {
                const double above = 0.1 * sparsities[i] * sparsities[i] * bears + 0.004 * (share() - 0.5);
                all.column(2 + i)[s] = tokens * (hard + above);
            }
        }
    }
    /// A text of as many stories, drawn from these.
    unit_sums drawn(const resampling& r, std::size_t d) const {
        std::vector<double> weights(r.units());
        r.weights(d, weights);
        unit_sums some{r.units(), columns};
        std::size_t next = 0;
        for (std::size_t u = 0; u < r.units(); ++u) {
            for (auto n = weights[u]; n > 0; --n, ++next) {
                for (std::size_t c = 0; c < columns; ++c) {
                    some.column(c)[next] = all.column(c)[u];
                }
            }
        }
        return some;
    }

    unit_sums all;
};

double bootstrap_crossing(std::span<const double> totals) {
    std::vector<sweep_point> points;
    for (std::size_t i = 0; i < made_up_stories::sparsities.size(); ++i) {
        const double s = made_up_stories::sparsities[i];
        points.push_back({1 - s, s, s, std::exp((totals[2 + i] - totals[1]) / totals[0])});
    }
    return find_critical(perplexity_within(1), points).crossing();
}
double crossing_of_all(const unit_sums& sums) {
    std::vector<double> ones(sums.units(), 1.0), totals(sums.columns());
    sums.totals(ones, totals);
    return bootstrap_crossing(totals);
}

} // namespace

TEST_CASE("bootstrap: the generator is splitmix64, with the published numbers") {
    split_mix random{1234567};
    for (const std::uint64_t expected :
         {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u}) {
        CHECK(random() == expected);
    }
}

TEST_CASE("bootstrap: numbers below n are all equally likely, and below n") {
    split_mix random{3};
    for (const std::uint32_t n : {1u, 2u, 7u, 10u}) {
        std::vector<int> count(n);
        for (std::uint32_t i = 0; i < 1000 * n; ++i) {
            const std::uint32_t v = random.below(n);
            REQUIRE(v < n);
            ++count[v];
        }
        for (const int c : count) {
            CHECK(std::abs(c - 1000) < 130); // four deviations
        }
    }
    for (int i = 0; i < 100; ++i) {
        CHECK(random.below(0x80000001u) <= 0x80000000u);
    }
}

TEST_CASE("bootstrap: a draw takes as many units as there are, and is a function of seed and number alone") {
    const resampling r{300, 5, 11}, other_seed{300, 5, 12};
    std::vector<double> a(300), b(300), c(300);
    r.weights(3, a);
    CHECK(std::accumulate(a.begin(), a.end(), 0.0) == 300);
    CHECK(std::count(a.begin(), a.end(), 0.0) > 80); // 1 / e of them
    CHECK(std::count(a.begin(), a.end(), 0.0) < 140);
    r.weights(2, b);
    resampling{300, 9, 11}.weights(3, c);
    CHECK(a != b);
    CHECK(a == c);
    other_seed.weights(3, b);
    CHECK(a != b);
    CHECK(r.units() == 300);
    CHECK(r.draws() == 5);
    CHECK(r.seed() == 11);
    std::array<double, 6> few{}; // the same on every machine
    resampling{6, 1, 1}.weights(0, few);
    const std::array<double, 6> expected{1, 1, 1, 1, 2, 0};
    CHECK(few == expected);
}

TEST_CASE("bootstrap: totals weigh each unit, whatever their number") {
    for (const std::size_t units : {1u, 3u, 4u, 9u}) {
        unit_sums sums{units, 2};
        std::vector<double> weights(units);
        double first = 0, second = 0;
        for (std::size_t u = 0; u < units; ++u) {
            weights[u] = static_cast<double>((u * 5) % 4);
            sums.column(0)[u] = static_cast<double>(u + 1);
            sums.column(1)[u] = 0.5 * static_cast<double>(u);
            first += weights[u] * static_cast<double>(u + 1);
            second += weights[u] * 0.5 * static_cast<double>(u);
        }
        std::array<double, 2> totals{};
        sums.totals(weights, totals);
        CHECK(totals[0] == first);
        CHECK(totals[1] == second);
    }
}

TEST_CASE("bootstrap: an interval lies between quantiles of the draws, in any order") {
    std::vector<double> draws;
    for (int i = 0; i <= 100; ++i) {
        draws.push_back((i * 37) % 101);
    }
    const interval nine = interval_of(draws), half = interval_of(draws, 0.5);
    CHECK(nine.low == doctest::Approx(5));
    CHECK(nine.high == doctest::Approx(95));
    CHECK(half.low == doctest::Approx(25));
    CHECK(half.high == doctest::Approx(75));
    CHECK(nine.holds(50));
    CHECK(!nine.holds(4));
    const interval between = interval_of(std::array{4.0, -1.0, 2.0}, 0.8);
    CHECK(between.low == doctest::Approx(-1 + 0.2 * 3));
    CHECK(between.high == doctest::Approx(2 + 0.8 * 2));
    CHECK(interval_of(std::array{7.0}).low == 7);
    CHECK(interval_of(std::array{7.0}).high == 7);
}

TEST_CASE("bootstrap: a figure that some draws never reach has an open end; an undefined one no interval") {
    std::vector<double> draws(100, 0.5);
    for (std::size_t i = 0; i < 3; ++i) {
        draws[i] = at_run_time(inf_of<double>);
    }
    CHECK(interval_of(draws).high == 0.5); // three of a hundred are beyond the 95 %
    for (std::size_t i = 0; i < 10; ++i) {
        draws[i] = at_run_time(inf_of<double>);
    }
    const interval open = interval_of(draws);
    CHECK(open.low == 0.5);
    CHECK(!is_finite(open.high));
    CHECK(open.is_known());
    draws[50] = at_run_time(nan_of<double>);
    CHECK(!interval_of(draws).is_known());
    CHECK(!interval_of(draws).holds(0.5));
    CHECK(!interval_of(std::vector<double>{}).is_known());
}

TEST_CASE("bootstrap: what two rules lose on the same units differs less than each loses") {
    const made_up_stories text{300, 5};
    std::vector<double> loss, rise;
    for_each_draw(resampling{300, 400}, text.all, [&](std::size_t, std::span<const double> t) {
        loss.push_back(t[5] / t[0]);
        rise.push_back((t[5] - t[1]) / t[0]);
    });
    const interval of_loss = interval_of(loss), of_rise = interval_of(rise);
    CHECK(of_rise.high - of_rise.low < 0.3 * (of_loss.high - of_loss.low));
}

TEST_CASE("bootstrap: 90 % intervals hold the figure of the whole text in about 90 % of its resamplings") {
    const made_up_stories text{300, 1};
    const double truth = crossing_of_all(text.all);
    CHECK(truth > 0.25);
    CHECK(truth < 0.45);
    constexpr std::size_t texts = 200;
    const resampling of_text{300, texts, 77}, within{300, 160, 5};
    std::size_t held = 0;
    double width = 0;
    std::vector<double> draws(within.draws());
    for (std::size_t i = 0; i < texts; ++i) {
        const unit_sums drawn = text.drawn(of_text, i);
        for_each_draw(within, drawn, [&](std::size_t d, std::span<const double> totals) {
            draws[d] = bootstrap_crossing(totals);
        });
        const interval found = interval_of(draws);
        held += found.holds(truth) ? 1u : 0u;
        width += (found.high - found.low) / texts;
    }
    MESSAGE("held ", held, " of ", texts, ", mean width ", width);
    CHECK(held >= 170);
    CHECK(held <= 190);
    CHECK(width < 0.1);
}

TEST_CASE(
    "bootstrap: a crossing is one figure, beyond all where the sweep keeps the limit, none where undefined") {
    const criterion keep = keeps_share(0.99);
    CHECK(find_critical(keep, {{0.9, 0.5, 0.2, 0.98}}).crossing() == doctest::Approx(0.25));
    CHECK(!is_finite(find_critical(keep, {{0.9, 0.5, 0.2, 1.0}}).crossing()));
    CHECK(!tamis::is_nan(find_critical(keep, {{0.9, 0.5, 0.2, 1.0}}).crossing()));
    CHECK(tamis::is_nan(find_critical(keep, {{0.9, 0.5, 0.2, not_a_number}}).crossing()));
}

#if defined(__cpp_exceptions)
TEST_CASE("bootstrap: what can not be is refused") {
    CHECK(
        message_of([] { resampling(0, 10); }) ==
        "tamis::study::resampling: 1 to 2^31 units and at least one draw are needed, got 0 units and 10 draws");
    std::array<double, 3> three{};
    for (const std::string& why :
         {message_of([] { resampling(5, 0); }), message_of([] { resampling(-1, 3); }),
          message_of([&] { resampling(4, 3).weights(0, three); }),
          message_of([&] { unit_sums(4, 1).totals(three, std::span{three}.first(1)); }), message_of([] {
              for_each_draw(resampling{4}, unit_sums{3, 1}, [](auto, auto) {});
          })}) {
        CHECK(why.starts_with("tamis::study::"));
    }
    for (const double level : {0.0, 1.0, -0.5, not_a_number}) {
        CHECK(message_of([&] {
                  interval_of(three, level);
              }).starts_with("tamis::study::interval_of: the level"));
    }
}
#endif

} // namespace bootstrap_test
