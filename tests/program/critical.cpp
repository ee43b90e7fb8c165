#include "critical.hpp"

#include "support.hpp"

#include <doctest/doctest.h>
#include <cmath>
#include <limits>

using study::criterion;
using study::find_critical;
using study::sweep_point;

namespace {

const criterion ratio{"PPL-1%", "PPL ratio", 1.01, true};
const criterion accuracy{"top-1 99%", "top-1 ratio", 0.99, false};

} // namespace

TEST_CASE(
    "the critical point lies on the line between the last point that keeps and the first that does not") {
    const auto at =
        find_critical(ratio, {{"0.95", 0.2, 0.1, 1.005}, {"0.9", 0.4, 0.3, 1.025}, {"0.8", 0.5, 0.4, 1.2}});
    CHECK(at.reached);
    CHECK(at.sparsity == doctest::Approx(0.25));
    CHECK(at.skipped == doctest::Approx(0.15));
    CHECK(at.kept.value == "0.95");
    CHECK(at.lost.value == "0.9");
}

TEST_CASE("before the first point stands the dense model") {
    const auto at = find_critical(accuracy, {{"0.9", 0.4, 0.2, 0.96}});
    CHECK(at.sparsity == doctest::Approx(0.1));
    CHECK(at.kept.value == "dense");
}

TEST_CASE("the first crossing counts, whatever comes behind it") {
    const auto at = find_critical(accuracy, {{"a", 0.1, 0, 0.98}, {"b", 0.2, 0, 1.0}, {"c", 0.3, 0, 0.5}});
    CHECK(at.lost.value == "a");
}

TEST_CASE("a point on the limit keeps") {
    CHECK(!find_critical(ratio, {{"a", 0.3, 0.1, 1.01}}).reached);
    CHECK(!find_critical(accuracy, {{"a", 0.3, 0.1, 0.99}}).reached);
}

TEST_CASE("a sweep that never leaves the limit says so, with its last point") {
    const auto at = find_critical(ratio, {{"a", 0.1, 0.1, 1.0}, {"b", 0.3, 0.2, 0.99}});
    CHECK(!at.reached);
    CHECK(at.kept.value == "b");
    CHECK(at.sparsity == 0.3);
}

TEST_CASE("a quality that is infinite or no number ends the sweep at the point before") {
    for (const double q : {std::numeric_limits<double>::infinity(), std::nan("")}) {
        const auto at = find_critical(ratio, {{"a", 0.1, 0.1, 1.0}, {"b", 0.3, 0.2, q}});
        CHECK(at.reached);
        CHECK(at.sparsity == doctest::Approx(0.1));
    }
}

TEST_CASE(
    "curves: text by PPL and top-1, each task, and the mean over tasks of sparsity and relative accuracy") {
    study::measurement dense, row;
    dense.text = {100, 50, 100};
    dense.tasks = {{"x", 50, 100, {}}, {"y", 100, 100, {}}};
    row = dense;
    row.choice = study::ffn_setting{study::site_choice::up, study::rule_choice::top_p, {0.9, "0.9"}};
    row.text.loss = 101;
    row.tasks[0].right = 40;
    row.tasks[0].counts = {10, 5, 10, 8};
    row.tasks[1].counts = {10, 7, 10, 6};
    const auto curves = study::curves_of({dense, row});
    REQUIRE(curves.size() == 5);
    CHECK(curves[0].points[0].quality == doctest::Approx(std::exp(0.01)));
    CHECK(curves[2].points[0].quality == doctest::Approx(0.8));
    CHECK(curves[4].what.name == "tasks averaged 99%");
    CHECK(curves[4].points[0].quality == doctest::Approx(0.9));
    CHECK(curves[4].points[0].sparsity == doctest::Approx(0.6));
    CHECK(curves[4].points[0].skipped == doctest::Approx(0.3));
}
