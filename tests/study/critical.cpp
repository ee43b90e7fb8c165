#include <tamis/study/critical.hpp>

#include "support/message.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace critical_test {

using namespace tamis::study;

namespace {

const criterion ratio = perplexity_within(1);
const criterion accuracy = keeps_share(0.99);
constexpr double infinity = std::numeric_limits<double>::infinity();
/// Under -ffast-math std::nan("") is what the compiler likes.
double no_number_for_critical() { return std::bit_cast<double>(std::uint64_t{0x7ff8000000000000}); }

} // namespace

TEST_CASE("critical: a criterion keeps up to its limit, the limit included, and no NaN") {
    CHECK(ratio.limit == doctest::Approx(1.01));
    CHECK(ratio.keeps(ratio.limit));
    CHECK(ratio.keeps(0.5)); // better than dense
    CHECK(!ratio.keeps(1.0101));
    CHECK(accuracy.keeps(0.99));
    CHECK(accuracy.keeps(1.2));
    CHECK(!accuracy.keeps(0.9899));
    for (const criterion& c : {ratio, accuracy}) {
        CHECK(!c.keeps(no_number_for_critical()));
        CHECK(!c.keeps(-no_number_for_critical()));
    }
    CHECK(!ratio.keeps(infinity));
    CHECK(perplexity_within(0).keeps(1));
}

TEST_CASE(
    "critical: the point lies on the line between the last point that keeps and the first that does not") {
    const auto at =
        find_critical(ratio, {{.95, 0.2, 0.1, 1.005}, {.9, 0.4, 0.3, 1.025}, {.8, 0.5, 0.4, 1.2}});
    CHECK(at.reached);
    CHECK(!at.dense_only);
    CHECK(at.sparsity == doctest::Approx(0.25)); // a quarter of the way from 1.005 to 1.025
    CHECK(at.skipped == doctest::Approx(0.15));
    CHECK(at.kept.value == .95);
    CHECK(at.lost.value == .9);
}

TEST_CASE("critical: before the first point stands the dense model") {
    const auto at = find_critical(accuracy, {{.9, 0.4, 0.2, 0.96}});
    CHECK(at.reached);
    CHECK(at.dense_only);
    CHECK(at.sparsity == doctest::Approx(0.1));
    CHECK(at.skipped == doctest::Approx(0.05));
    CHECK(at.kept.sparsity == 0);
    CHECK(at.kept.quality == 1);
    CHECK(at.lost.value == .9);
}

TEST_CASE("critical: the first crossing counts, whatever comes behind it") {
    const auto at = find_critical(accuracy, {{1, 0.1, 0, 0.98}, {2, 0.2, 0, 1.0}, {3, 0.3, 0, 0.5}});
    CHECK(at.lost.value == 1);
    CHECK(at.sparsity < 0.1);
}

TEST_CASE("critical: a point on the limit keeps") {
    CHECK(!find_critical(ratio, {{1, 0.3, 0.1, ratio.limit}}).reached);
    CHECK(!find_critical(accuracy, {{1, 0.3, 0.1, 0.99}}).reached);
    const auto at = find_critical(accuracy, {{1, 0.3, 0.1, 0.99}, {2, 0.5, 0.2, 0.9}});
    CHECK(at.sparsity == doctest::Approx(0.3)); // all of the way is behind it
}

TEST_CASE("critical: a sweep that never leaves the limit says so, with its last point") {
    const auto at = find_critical(ratio, {{1, 0.1, 0.1, 1.0}, {2, 0.3, 0.2, 0.99}});
    CHECK(!at.reached);
    CHECK(!at.dense_only);
    CHECK(at.kept.value == 2);
    CHECK(at.sparsity == 0.3);
    CHECK(at.skipped == 0.2);
}

TEST_CASE("critical: no point at all is the dense model, and nothing was reached") {
    const auto at = find_critical(ratio, {});
    CHECK(!at.reached);
    CHECK(at.dense_only);
    CHECK(at.sparsity == 0);
}

TEST_CASE("critical: a quality that is infinitely bad ends the sweep at the point before") {
    for (const criterion& c : {ratio, accuracy}) {
        const auto at =
            find_critical(c, {{1, 0.1, 0.05, 1.0}, {2, 0.3, 0.2, c.rises ? infinity : -infinity}});
        CHECK(at.reached);
        CHECK(!at.undefined);
        CHECK(at.kept.value == 1);
        CHECK(at.sparsity == 0.1);
        CHECK(at.skipped == 0.05);
    }
}

TEST_CASE("critical: a point that is no number before the crossing leaves no critical sparsity") {
    const double nan = no_number_for_critical();
    for (const criterion& c : {ratio, accuracy}) {
        const double good = c.rises ? 1.001 : 0.999, bad = c.rises ? 2 : 0.5;
        const sweep_point first{1, 0.1, 0.05, good}, last{4, 0.6, 0.5, bad};
        // the quality, the sparsity or the bytes; and what a ratio to a dense model that knows nothing comes to
        for (const sweep_point& hole :
             {sweep_point{2, 0.3, 0.2, nan}, sweep_point{2, 0.3, 0.2, -nan}, sweep_point{2, nan, 0.2, good},
              sweep_point{2, 0.3, nan, good}, sweep_point{2, nan, nan, bad},
              sweep_point{2, 0.3, 0.2, c.rises ? -infinity : infinity}}) {
            for (const auto& points : {std::vector{first, hole, last}, std::vector{first, hole}}) {
                const auto at = find_critical(c, points);
                CHECK(at.undefined);
                CHECK(!at.reached);
                CHECK(tamis::is_nan(at.sparsity));
                CHECK(tamis::is_nan(at.skipped));
                CHECK(at.kept.value == 1);
                CHECK(at.lost.value == 2);
            }
            const auto at_once = find_critical(c, {hole, last});
            CHECK(at_once.undefined);
            CHECK(at_once.dense_only);
            const auto behind = find_critical(c, {first, last, hole});
            CHECK(!behind.undefined);
            CHECK(behind.reached);
            CHECK(behind.lost.value == 4);
            CHECK(behind.sparsity == find_critical(c, {first, last}).sparsity);
        }
    }
}

TEST_CASE("critical: the paper's values are 26, from the dense end") {
    CHECK(paper_values.size() == 26);
    CHECK(paper_values.front() == 1);
    CHECK(paper_values.back() == 0);
    for (std::size_t i = 1; i < paper_values.size(); ++i) {
        CHECK(paper_values[i] < paper_values[i - 1]);
    }
}

TEST_CASE("average_of: the unweighted mean over tasks at each value") {
    const auto mean =
        average_of({{{.9, 0.2, 0.1, 1.0}, {.5, 0.6, 0.4, 0.5}}, {{.9, 0.4, 0.3, 0.8}, {.5, 0.8, 0.6, 0.1}}});
    REQUIRE(mean.size() == 2);
    CHECK(mean[0].value == .9);
    CHECK(mean[0].sparsity == doctest::Approx(0.3));
    CHECK(mean[0].skipped == doctest::Approx(0.2));
    CHECK(mean[0].quality == doctest::Approx(0.9));
    CHECK(mean[1].value == .5);
    CHECK(mean[1].quality == doctest::Approx(0.3));
    CHECK(average_of({}).empty());
    CHECK(average_of({{}, {}}).empty());
}

TEST_CASE("average_of: where one task has no number there is no mean, and no critical point across it") {
    const double nan = no_number_for_critical();
    const auto mean = average_of({{{.9, 0.2, 0.1, 1.0}, {.7, 0.4, 0.2, nan}, {.5, 0.6, nan, 0.5}},
                                  {{.9, 0.4, 0.3, 1.0}, {.7, 0.6, 0.4, 1.0}, {.5, 0.8, 0.6, 0.1}}});
    CHECK(mean[0].quality == doctest::Approx(1));
    CHECK(tamis::is_nan(mean[1].quality));
    CHECK(mean[1].sparsity == doctest::Approx(0.5));
    CHECK(tamis::is_nan(mean[2].skipped));
    CHECK(mean[2].quality == doctest::Approx(0.3));
    CHECK(find_critical(accuracy, mean).undefined);
}

TEST_CASE("spread_of: a task without a critical sparsity leaves none of the others alone") {
    critical_point known, unknown;
    known.sparsity = 0.4;
    unknown.undefined = true;
    unknown.sparsity = no_number_for_critical();
    for (const auto& points : {std::vector{known, unknown}, std::vector{unknown, known}}) {
        const spread s = spread_of(points);
        CHECK(s.tasks == 2);
        CHECK(s.undefined == 1);
        CHECK(tamis::is_nan(s.mean));
        CHECK(tamis::is_nan(s.deviation));
        CHECK(tamis::is_nan(s.least));
        CHECK(tamis::is_nan(s.greatest));
    }
}

TEST_CASE("spread_of: mean, sample deviation and ends of the tasks' critical sparsities") {
    const auto at = [](bool reached, double sparsity) {
        critical_point p;
        p.reached = reached;
        p.sparsity = sparsity;
        return p;
    };
    for (const bool last : {true, false}) { // one that never leaves the limit lies somewhere beyond
        const spread censored = last ? spread_of({at(true, 0.4), at(true, 0.2), at(false, 0.9)})
                                     : spread_of({at(false, 0.9), at(true, 0.4)});
        CHECK(censored.tasks == (last ? 3 : 2));
        CHECK(censored.reached == (last ? 2 : 1));
        CHECK(censored.undefined == 0);
        for (const double figure : {censored.mean, censored.deviation, censored.least, censored.greatest}) {
            CHECK(tamis::is_nan(figure));
        }
    }
    const spread s = spread_of({at(true, 0.4), at(true, 0.9), at(true, 0.2)});
    CHECK(s.tasks == 3);
    CHECK(s.reached == 3);
    CHECK(s.mean == doctest::Approx(0.5));
    CHECK(s.deviation == doctest::Approx(std::sqrt((0.01 + 0.16 + 0.09) / 2)));
    CHECK(s.least == 0.2);
    CHECK(s.greatest == 0.9);
    const spread one = spread_of({at(true, 0.4)});
    CHECK(one.deviation == 0);
    CHECK(one.least == one.greatest);
    CHECK(spread_of({}).tasks == 0);
    CHECK(spread_of({}).mean == 0);
    CHECK(spread_of({}).deviation == 0);
}

TEST_CASE("a limit that the dense model does not keep either: nothing is interpolated beyond it") {
    const auto found = tamis::study::find_critical(keeps_share(1.05), {{0.9, 0.3, 0.2, 0.9}});
    CHECK(found.reached);
    CHECK(found.dense_only);
    CHECK(found.sparsity == 0);
    CHECK(found.skipped == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("average_of: tasks of other lengths are refused, by both numbers") {
    const sweep_point p;
    CHECK(message_of([&] {
              average_of({{p, p}, {p}});
          }) == "tamis::study::average_of: every task needs the 2 points of the first, one has 1");
    CHECK(message_of([&] {
              average_of({{p}, {p, p}});
          }) == "tamis::study::average_of: every task needs the 1 points of the first, one has 2");
    CHECK(message_of([&] {
              average_of({{}, {p}});
          }) == "tamis::study::average_of: every task needs the 0 points of the first, one has 1");
}
#endif

} // namespace critical_test
