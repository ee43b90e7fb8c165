#include "measure/measure.hpp"

#include "support_study.hpp"

#include <tamis/mask/apply.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <vector>

using namespace study_test;

TEST_CASE("no figure depends on the number of threads, to the last bit") {
    const little_study little;
    const std::vector conditions{little.dense(), little.at("all_inputs", "top_p", 0.8),
                                 little.at("gate", "guarded_top_p", 0.9), little.at("up", "top_k", 0.5, 1)};
    const auto one = app::measure(little.s, conditions, 1, ignore_progress);
    CHECK(one[0].text.loss.count() == little.s.predictions());
    CHECK(one[0].text.loss.left_out() == 0);
    for (const std::size_t threads : {2u, 3u, 64u}) {
        const auto many = app::measure(little.s, conditions, threads, ignore_progress);
        for (std::size_t row = 0; row < conditions.size(); ++row) {
            CHECK(many[row].text.loss == one[row].text.loss);
            CHECK(words_of(many[row]) == words_of(one[row]));
        }
    }
}

TEST_CASE("a row does not depend on the rows that are measured beside it") {
    const little_study little;
    const auto with_others =
        app::measure(little.s,
                     {little.at("gate", "top_p", 0.3), little.at("input", "top_p", 0.9), little.dense()}, 3,
                     ignore_progress);
    CHECK(words_of(little.run(little.at("input", "top_p", 0.9))) == words_of(with_others[1]));
    CHECK(words_of(little.run(little.dense())) == words_of(with_others[2]));
}

TEST_CASE("a rule that keeps everything changes nothing, at any site and activation") {
    for (const auto sigma : {app::activation::silu, app::activation::gelu, app::activation::relu}) {
        const little_study little{sigma};
        const auto dense = little.run(little.dense());
        CHECK(dense.masks.mask_sparsity() == 0);
        CHECK(dense.masks.bytes_skipped() == 0);
        for (const auto& site : site_names()) {
            for (const auto& rule : app::rule_families()) {
                CAPTURE(site);
                CAPTURE(rule.name);
                const auto row = little.run(little.at(site, rule.name, rule.falls ? 1 : 0));
                CHECK(row.text.loss == dense.text.loss); // zeros alone are dropped
                CHECK(row.text.hits == dense.text.hits);
                CHECK(row.tasks[0].score.right == dense.tasks[0].score.right);
            }
        }
    }
}

TEST_CASE("sparsity counts entries of the masks, by width for all_inputs; bytes count weights") {
    const little_study little;
    const auto quarter = [&](const char* site) { return little.run(little.at(site, "top_k", 0.25)).masks; };
    for (const auto& site : site_names()) {
        CHECK(quarter(site.c_str()).mask_sparsity() == 0.75);
    }
    CHECK(quarter("input").bytes_skipped() == doctest::Approx(0.75 * 2 / 3));    // of gate and up
    CHECK(quarter("gate").bytes_skipped() == doctest::Approx(0.75 * 2 / 3));     // of up and down
    CHECK(quarter("up").bytes_skipped() == doctest::Approx(0.75 * 2 / 3));       // of gate and down
    CHECK(quarter("intermediate").bytes_skipped() == doctest::Approx(0.75 / 3)); // of down
    CHECK(quarter("all_inputs").bytes_skipped() == doctest::Approx(0.75));       // of all three
}

TEST_CASE("a mask in one layer alone counts there alone") {
    const little_study little;
    const auto masks = little.run(little.at("all_inputs", "top_k", 0.5, 1)).masks;
    CHECK(masks.mask_sparsity(0) == 0);
    CHECK(masks.mask_sparsity(1) == 0.5);
    CHECK(masks.mask_sparsity() == 0.5); // of all entries that masks looked at
    CHECK(masks.mask_sparsity(1, tamis::site::input) == 0.5);
    CHECK(masks.mask_sparsity(1, tamis::site::gate) == 0);
    CHECK(masks.bytes_skipped() == doctest::Approx(0.25)); // of both layers' bytes
}

TEST_CASE("each site's mask is over that site's values: ReLU's zeros are at gate and intermediate") {
    const little_study little{app::activation::relu};
    const auto zeros = [&](const char* site) {
        return little.run(little.at(site, "threshold", 0)).masks.mask_sparsity();
    };
    CHECK(zeros("input") == 0);
    CHECK(zeros("up") == 0);
    CHECK(zeros("gate") > 0.2);
    CHECK(zeros("intermediate") == zeros("gate"));
    CHECK(zeros("all_inputs") == doctest::Approx(zeros("gate") * 40 / (40 + 16)));
}

TEST_CASE("a task's masks are those of its own tokens, and it can be left out") {
    const little_study little;
    const auto c = little.at("input", "top_p", 0.7);
    const auto row = little.run(c);
    REQUIRE(row.tasks.size() == 2);
    CHECK(row.tasks[0].score.questions == 2);
    CHECK(row.tasks[1].score.questions == 1);
    CHECK(row.tasks[0].masks.mask_sparsity() > 0);
    CHECK(row.tasks[0].masks.mask_sparsity() != row.masks.mask_sparsity());

    const auto text = app::measure(little.s, {c}, 1, ignore_progress, {}, false).front();
    CHECK(text.text.loss == row.text.loss);
    CHECK(text.masks.mask_sparsity() == row.masks.mask_sparsity());
    REQUIRE(text.tasks.size() == 2);
    CHECK(text.tasks[0].score.questions == 0);
}

TEST_CASE("what a condition does beside its masks happens before them") {
    const little_study little;
    app::condition c = little.at("intermediate", "top_k", 0.5);
    c.before = [](app::study::hook_ref masks, const auto&, const auto& use) {
        auto nothing_left = [](std::size_t, tamis::site where, tamis::block<float> values) {
            for (std::size_t t = 0; where == tamis::site::gate && t < values.rows(); ++t) {
                std::fill(values.row(t).begin(), values.row(t).end(), 0.0f);
            }
        };
        app::study::chained both{nothing_left, masks};
        use(both);
    };
    const auto row = little.run(c);
    CHECK(row.masks.mask_sparsity() == 1); // zeros are never active
    CHECK(row.text.loss == little.run(little.at("gate", "threshold", 1e9)).text.loss);
}

TEST_CASE("masks that a condition makes by itself count like those of its plan") {
    const little_study little;
    app::condition c = little.dense();
    c.before = [](app::study::hook_ref masks, const auto& see, const auto& use) {
        auto first_half = [&](std::size_t layer, tamis::site where, tamis::block<float> values) {
            tamis::mask half{values.columns()};
            for (std::size_t i = 0; i < values.columns() / 2; ++i) {
                half.set(i, true);
            }
            for (std::size_t t = 0; where == tamis::site::gate && t < values.rows(); ++t) {
                see(layer, {where, values.row(t), half, true, t});
                tamis::zero_inactive(values.row(t), half);
            }
        };
        app::study::chained both{first_half, masks};
        use(both);
    };
    const auto row = little.run(c, 3);
    CHECK(row.masks.mask_sparsity() == 0.5);
    CHECK(row.masks.mask_sparsity(1, tamis::site::gate) == 0.5);
    CHECK(row.masks.bytes_skipped() == doctest::Approx(0.5 * 2 / 3)); // of up and down
    CHECK(row.text.nll() != little.run(little.dense()).text.nll());
}

TEST_CASE("rows are handed over in their order, and progress rises to rows times stories and questions") {
    const little_study little;
    const std::vector conditions{little.dense(), little.at("up", "top_p", 0.9),
                                 little.at("up", "top_p", 0.5)};
    for (const std::size_t threads : {1u, 3u}) {
        std::vector<std::size_t> order;
        std::vector<std::vector<std::uint64_t>> handed;
        std::size_t last = 0;
        bool rises = true;
        const auto rows = app::measure(
            little.s, conditions, threads,
            [&](std::size_t done, std::size_t all) {
                rises = rises && done > last && all == 3 * 26;
                last = done;
            },
            [&](std::size_t row, const app::measurement& m) {
                order.push_back(row);
                handed.push_back(words_of(m));
            });
        CHECK(rises);
        CHECK(last == 3 * 26);
        REQUIRE(order == std::vector<std::size_t>{0, 1, 2});
        for (std::size_t row = 0; row < 3; ++row) {
            CHECK(handed[row] == words_of(rows[row]));
        }
    }
}

TEST_CASE("no condition gives no row") {
    const little_study little;
    CHECK(app::measure(little.s, {}, 2, ignore_progress).empty());
}
