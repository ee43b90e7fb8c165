#include "measure/curves.hpp"

#include "support_study.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace study_test;

namespace {

/// Masks that are seen by hand: of ten tokens, in layer 0, so many of the input's 16 entries are dropped.
void drop(app::tally& masks, std::size_t dropped) {
    for (std::size_t token = 0; token < 10; ++token) {
        tamis::mask m{16};
        for (std::size_t i = dropped; i < 16; ++i) {
            m.set(i, true);
        }
        const std::vector<float> x(16, 1.0f), neurons(40, 1.0f);
        masks(0, {tamis::site::input, x, m, true, 0});
        for (const auto where : {tamis::site::gate, tamis::site::up, tamis::site::intermediate}) {
            masks(0, {where, neurons, {}, false, 0});
        }
    }
}

/// Rows without a model that ran.
struct made_up {
    little_study little{app::activation::silu, 1}; // tasks a and b
    std::vector<app::condition> conditions;
    std::vector<app::measurement> rows;

    void add(const char* site, const char* rule, double value, double loss, std::uint64_t hits,
             std::uint64_t right_a, std::uint64_t right_b, std::size_t dropped) {
        app::condition c = little.dense();
        c.site = site;
        c.rule = rule;
        c.number = value;
        c.value = app::line(value);
        conditions.push_back(c);
        rows.emplace_back(little.s);
        app::measurement& m = rows.back();
        for (int i = 0; i < 100; ++i) {
            m.text.loss.add(loss);
        }
        m.text.hits = hits;
        m.tasks[0].score = {right_a, 100};
        m.tasks[1].score = {right_b, 50};
        drop(m.masks, dropped);
        drop(m.tasks[0].masks, dropped);
        drop(m.tasks[1].masks, dropped + 4);
    }
    std::vector<app::curve> curves() const { return app::curves_of(little.s, conditions, rows); }
};

} // namespace

TEST_CASE("ratios are those to the dense row") {
    made_up m;
    m.add("dense", "-", 0, 1.0, 50, 80, 40, 0);
    m.add("input", "top_p", 0.9, 1.25, 40, 60, 10, 4);
    CHECK(app::perplexity_ratio(m.rows[1], m.rows[0]) == doctest::Approx(std::exp(0.25)));
    CHECK(app::top1_ratio(m.rows[1], m.rows[0]) == doctest::Approx(0.8));
    CHECK(app::accuracy_ratio(m.rows[1], m.rows[0], 0) == doctest::Approx(0.75));
    CHECK(app::accuracy_ratio(m.rows[1], m.rows[0], 1) == doctest::Approx(0.25));
}

TEST_CASE(
    "curves: the text by PPL and top-1, each task, and the tasks' mean of sparsity and relative accuracy") {
    made_up m;
    m.add("dense", "-", 0, 1.0, 50, 80, 40, 0);
    m.add("input", "top_p", 0.9, 1.005, 49, 80, 36, 4);
    m.add("input", "top_p", 0.8, 1.25, 40, 60, 10, 8);
    const auto curves = m.curves();
    REQUIRE(curves.size() == 5);
    const char* const names[] = {"PPL-1%", "top-1 99%", "task a 99%", "task b 99%", "tasks averaged 99%"};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(curves[i].name == names[i]);
        CHECK(curves[i].site == "input");
        CHECK(curves[i].rule == "top_p");
        REQUIRE(curves[i].points.size() == 2);
        CHECK(curves[i].points[0].value == 0.9);
        CHECK(curves[i].points[1].value == 0.8);
    }
    CHECK(curves[0].keep.rises);
    CHECK(curves[0].keep.limit == doctest::Approx(1.01));
    CHECK(curves[0].points[1].quality == doctest::Approx(std::exp(0.25)));
    CHECK(curves[0].points[1].sparsity == 0.5);
    CHECK(curves[0].points[1].skipped == doctest::Approx(0.5 * 2 / 3)); // of the one layer that was seen
    CHECK(!curves[1].keep.rises);
    CHECK(curves[1].points[0].quality == doctest::Approx(0.98));
    CHECK(curves[2].points[1].quality == doctest::Approx(0.75));
    CHECK(curves[3].points[0].sparsity == 0.5); // of its own tokens
    CHECK(curves[4].points[0].quality == doctest::Approx(0.95));
    CHECK(curves[4].points[0].sparsity == doctest::Approx((0.25 + 0.5) / 2));
    CHECK(curves[4].points[1].quality == doctest::Approx(0.5));

    const auto at = curves[0].critical();
    CHECK(at.reached);
    CHECK(at.kept.value == 0.9);
    CHECK(at.sparsity > 0.25);
    CHECK(at.sparsity < 0.5);
    CHECK(curves[1].critical().sparsity == doctest::Approx(0.125)); // half way from dense to 0.25
}

TEST_CASE("curves: one set a site and rule, in the order of the rows") {
    made_up m;
    m.add("dense", "-", 0, 1.0, 50, 80, 40, 0);
    m.add("input", "top_p", 0.9, 1, 50, 80, 40, 1);
    m.add("input", "max_p", 0.1, 1, 50, 80, 40, 2);
    m.add("up", "max_p", 0.1, 1, 50, 80, 40, 3);
    m.add("up", "max_p", 0.2, 1, 50, 80, 40, 4);
    const auto curves = m.curves();
    REQUIRE(curves.size() == 15);
    CHECK(curves[0].rule == "top_p");
    CHECK(curves[5].rule == "max_p");
    CHECK(curves[5].site == "input");
    CHECK(curves[5].points.size() == 1);
    CHECK(curves[10].site == "up");
    CHECK(curves[10].points.size() == 2);
    CHECK(curves[10].points[1].sparsity == 0.25);
}

TEST_CASE("curves: a single task has no mean, no task no task's curve, a dense row alone none") {
    made_up m;
    m.add("dense", "-", 0, 1.0, 50, 80, 40, 0);
    CHECK(m.curves().empty());
    m.add("input", "top_p", 0.9, 1, 50, 80, 40, 4);
    m.little.s.tasks.resize(1);
    REQUIRE(m.curves().size() == 3);
    CHECK(m.curves()[2].name == "task a 99%");
    m.little.s.tasks.clear();
    CHECK(m.curves().size() == 2);
}

TEST_CASE("curves: a task that the dense model never answers has no critical point, and says why") {
    made_up m;
    m.add("dense", "-", 0, 1.0, 50, 0, 40, 0);
    m.add("input", "top_p", 0.9, 1, 50, 0, 40, 4);
    const auto curves = m.curves();
    CHECK(std::isnan(curves[2].points[0].quality));
    CHECK(curves[2].critical().undefined);
    CHECK(curves[2].critical().dense_only);
    CHECK(std::isnan(curves[2].critical().sparsity));
    CHECK(curves[2].why_undefined() ==
          "the point at 0.9 has no figure (the dense model answers no question: there is no ratio to it)");
    CHECK(!curves[2].lost); // nothing was: there is just no ratio to nothing
    CHECK(curves[0].why_undefined().empty());
}
