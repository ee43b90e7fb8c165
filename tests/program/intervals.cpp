#include "measure/intervals.hpp"
#include "measure/ranking.hpp"
#include "measure/refine.hpp"

#include "input/units.hpp"
#include "support_study.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace study_test;
namespace study = tamis::study;

namespace {

/// Stories of so many tokens; each window reads 8 at most.
std::vector<app::story> stories_in_windows(const std::vector<std::size_t>& sizes, app::windowing how) {
    std::vector<app::story> windows;
    app::text_use use;
    for (const std::size_t size : sizes) {
        app::add_windows(std::vector<app::token>(size, 5), 8, how, windows, use);
    }
    return windows;
}

/// Rows that were made by hand, on `stories` stories of 100 tokens: loss(row, story) a token, and as many of 1,000 entries dropped.
struct made_by_hand {
    little_study little{app::activation::silu, 30};
    std::vector<app::measurement> rows;

    template <class Loss>
    void add(std::uint64_t dropped, Loss&& loss) {
        app::measurement m{little.s};
        for (std::size_t u = 0; u < m.units.count(); ++u) {
            app::unit_record r;
            for (int i = 0; i < 100; ++i) {
                r.loss.add(loss(u));
            }
            r.hits = 50 + u % 2;
            r.dropped = dropped;
            r.entries = 1000;
            r.bytes_read = 3000 - dropped;
            r.bytes_all = 3000;
            m.units.add(u, r);
            m.text.loss.merge(r.loss);
            m.text.hits += r.hits;
        }
        rows.push_back(m);
    }
};
double hard(std::size_t story) { return 1 + 0.1 * static_cast<double>((story * 7) % 11); }

} // namespace

TEST_CASE("units: stories, or blocks of neighbouring windows where these are few") {
    std::vector<std::size_t> sizes(25, 20);
    sizes[3] = 1; // predicts nothing
    const auto stories = app::units_of(stories_in_windows(sizes, {app::windowing::disjoint, 0}));
    CHECK(!stories.blocks);
    REQUIRE(stories.all.size() == 24);
    CHECK(stories.all[0].predictions == 19);
    CHECK(stories.all[3].story == 4);
    CHECK(std::count(stories.of_window.begin(), stories.of_window.end(), app::text_units::none) == 1);

    const auto windows = stories_in_windows({2000, 300}, {app::windowing::sliding, 3});
    const auto blocks = app::units_of(windows);
    CHECK(blocks.blocks);
    REQUIRE(blocks.of_window.size() == windows.size());
    std::size_t predictions = 0;
    for (std::size_t u = 0; u < blocks.all.size(); ++u) {
        predictions += blocks.all[u].predictions;
        const bool last = u + 1 == blocks.all.size() || blocks.all[u + 1].story != blocks.all[u].story;
        CHECK((last || blocks.all[u].predictions >= 128));
        CHECK(blocks.all[u].predictions < 128 + 8);
        CHECK(blocks.all[u].story == (u + 3 < blocks.all.size() ? 0 : 1)); // no block has tokens of both
    }
    CHECK(predictions == 1999 + 299);
    CHECK(blocks.all[0].first_token == 0); // the one that predicts the first that counts
    CHECK(app::units_of(stories_in_windows({20, 30}, {})).all.size() == 2); // stories that were cut: one each
    CHECK(app::units_of({}).all.empty());
}

TEST_CASE("what units and questions add is the row's, on any number of threads") {
    little_study little;
    little.s.keep_tokens = true;
    const auto c = little.at("all_inputs", "top_p", 0.8);
    const auto row = little.run(c), again = little.run(c, 3);
    CHECK(words_of(row) == words_of(again));
    const auto units = app::units_of(little.s.stories);
    REQUIRE(row.units.count() == units.all.size());
    CHECK(row.units.complete());
    app::unit_record sum;
    for (std::size_t u = 0; u < units.all.size(); ++u) {
        CHECK(row.units[u].loss.count() == units.all[u].predictions);
        REQUIRE(row.units[u].tokens.size() == units.all[u].predictions);
        study::exact_total of_tokens;
        std::uint64_t hits = 0;
        for (std::size_t t = 0; t < row.units[u].tokens.size(); ++t) {
            CHECK(row.units[u].tokens[t].place == t + 1);
            of_tokens.add(row.units[u].tokens[t].loss);
            hits += row.units[u].tokens[t].hit ? 1u : 0u;
        }
        CHECK(of_tokens == row.units[u].loss);
        CHECK(hits == row.units[u].hits);
        sum.merge(row.units[u]);
    }
    const auto all = row.masks.totals();
    CHECK(sum.loss == row.text.loss);
    CHECK(sum.hits == row.text.hits);
    CHECK(sum.dropped == all.dropped);
    CHECK(sum.entries == all.entries);
    CHECK(sum.bytes_read == all.bytes_read);
    CHECK(static_cast<double>(all.dropped) / static_cast<double>(all.entries) == row.masks.mask_sparsity());
    for (const auto& t : row.tasks) {
        std::uint64_t right = 0;
        for (std::size_t q = 0; q < t.questions.count(); ++q) {
            right += t.questions[q].hits;
        }
        CHECK(t.questions.complete());
        CHECK(right == t.score.right);
    }
}

TEST_CASE(
    "intervals: of a ratio that all stories share there is no doubt; of others there is, and it is the seed's") {
    made_by_hand text;
    text.add(0, hard);
    text.add(300, [](std::size_t u) { return hard(u) + 0.005; });
    text.add(500, [](std::size_t u) { return hard(u) + 0.002 * static_cast<double>(u % 13); });
    const auto& s = text.little.s;
    const auto drawn = app::draw_again(s, text.rows, {200, 1, 0.9});
    CHECK(drawn.text.draws() == 200);
    const auto sure = app::perplexity_interval(drawn, 1), unsure = app::perplexity_interval(drawn, 2);
    CHECK(sure.low == doctest::Approx(std::exp(0.005)).epsilon(1e-9));
    CHECK(sure.high == doctest::Approx(std::exp(0.005)).epsilon(1e-9));
    CHECK(unsure.low < std::exp(0.011));
    CHECK(unsure.high > std::exp(0.012));
    CHECK(unsure.high - unsure.low > 0.001);
    CHECK(drawn.text.at(7, 1).sparsity == doctest::Approx(0.3));
    CHECK(drawn.text.at(7, 1).skipped == doctest::Approx(0.1));
    const auto same = app::perplexity_interval(app::draw_again(s, text.rows, {200, 1, 0.9}), 2),
               other = app::perplexity_interval(app::draw_again(s, text.rows, {200, 2, 0.9}), 2);
    CHECK(same.low == unsure.low);
    CHECK(other.low != unsure.low);
    CHECK(app::draw_again(s, text.rows, {0, 1, 0.9}).text.draws() == 0);
    CHECK(!app::perplexity_interval(app::draw_again(s, text.rows, {0, 1, 0.9}), 1).is_known());

    // Stories that were lost leave no figure of the others, in no draw.
    text.add(500, [](std::size_t u) { return u == 4 ? study::not_a_number : hard(u); });
    CHECK(!app::perplexity_interval(app::draw_again(s, text.rows, {50, 1, 0.9}), 3).is_known());
    CHECK(app::too_few_units(10, "stories").empty());
    CHECK(has(app::too_few_units(9, "stories"), "9 stories are too few"));
}

TEST_CASE("intervals: of a critical sparsity, each draw with its own crossing") {
    made_by_hand text;
    text.add(0, hard);
    text.add(200, [](std::size_t u) { return hard(u) + 0.0003 * static_cast<double>(u % 7); });
    text.add(400, [](std::size_t u) { return hard(u) + 0.006 * static_cast<double>(u % 7); });
    std::vector<app::condition> conditions{text.little.dense()};
    for (const double p : {0.9, 0.7}) {
        conditions.push_back(text.little.at("up", "top_p", p));
    }
    auto curves = app::curves_of(text.little.s, conditions, text.rows);
    app::add_intervals(curves, app::draw_again(text.little.s, text.rows, {400, 1, 0.9}));
    const auto& ppl = curves.front();
    REQUIRE(ppl.of == app::curve::perplexity);
    CHECK(ppl.rows == std::vector<std::size_t>{1, 2});
    REQUIRE(ppl.sparsity_interval.is_known());
    // ln 1.01 of the mean of u % 7, which is 2.8 over the 30 stories, or less: near 0.2 + 0.2 * (0.00995 - 0.0008) / 0.016.
    CHECK(ppl.sparsity_interval.low < 0.31);
    CHECK(ppl.sparsity_interval.high > 0.31);
    CHECK(ppl.sparsity_interval.low > 0.2);
    CHECK(ppl.sparsity_interval.high < 0.4);
    CHECK(ppl.skipped_interval.low == doctest::Approx(ppl.sparsity_interval.low / 3));
    for (const auto& c : curves) { // two questions and one: none
        CHECK(
            (c.of == app::curve::perplexity || c.of == app::curve::top1 || !c.sparsity_interval.is_known()));
        CHECK((c.of == app::curve::perplexity || c.of == app::curve::top1 || !c.decided));
    }
}

TEST_CASE("ranking: a difference that every story has is told apart, one that some have is not") {
    made_by_hand text;
    text.add(0, hard);
    text.add(500, [](std::size_t u) { return hard(u) + 0.100; });
    text.add(500, [](std::size_t u) { return hard(u) + 0.101; }); // a little worse everywhere
    text.add(500, [](std::size_t u) { return hard(u) + (u % 2 == 0 ? 0.05 : 0.155); }); // better or worse
    text.add(200, [](std::size_t u) { return hard(u) + 0.5; });                         // does not reach 0.5
    // Masks as the rows have them: the little model's rows have none, so each method's sparsity is set by its units.
    const std::vector<app::method_rows> methods{
        {"a", 1, 1}, {"b", 2, 1}, {"c", 3, 1}, {"d", 4, 1}, {"e", 1, 1, true}};
    const auto drawn = app::draw_again(text.little.s, text.rows, {300, 1, 0.9});
    CHECK(app::excess_at({{0, 0.5, 0, 0.1}}, 0.25) == doctest::Approx(0.05));
    CHECK(app::excess_at({{0, 0.8, 0, 0.4}, {0, 0.4, 0, 0.1}}, 0.6) == doctest::Approx(0.25));
    CHECK(std::isnan(app::excess_at({{0, 0.5, 0, 0.1}}, 0.6)));
    CHECK(app::excess_at({{0, 0.5, 0, 0.1}}, 0.6, true) == doctest::Approx(0.12));
    CHECK(std::isnan(app::excess_at({{0, 0.3, 0, study::not_a_number}, {0, 0.5, 0, 0.1}}, 0.4)));
    CHECK(std::isnan(app::excess_at({}, 0.1)));

    auto masked_rows = text.rows; // sparsity of the row's own masks, as a run would leave it
    const auto order = app::ranking_of_points(
        methods,
        [&](std::size_t row) {
            const auto& unit = masked_rows[row].units[0];
            return study::sweep_point{0, static_cast<double>(unit.dropped) / 1000.0, 0,
                                      masked_rows[row].text.nll() - masked_rows[0].text.nll()};
        },
        drawn, 0.5);
    REQUIRE(order.size() == 5);
    CHECK(methods[order[0].method].name == "a");
    CHECK(order[0].above_best == 0);
    CHECK(!order[0].told_apart);
    CHECK(methods[order[1].method].name == "b");
    CHECK(order[1].told_apart);
    CHECK(order[1].above_best == doctest::Approx(std::exp(0.101) - std::exp(0.1)));
    CHECK(order[1].above_best_interval.low > 0);
    CHECK(methods[order[2].method].name == "c");
    CHECK(!order[2].told_apart);
    CHECK(order[2].above_best_interval.holds(0));
    CHECK(order[2].interval.holds(order[2].ratio));
    CHECK(std::isnan(order[3].ratio));
    CHECK(std::isnan(order[4].ratio));
}

TEST_CASE(
    "refine: looks between the points around each crossing until they are near, and keeps the sweep's points") {
    const little_study little;
    const auto sites = app::parse_sites("input,up");
    const auto& rule = app::parse_rule("top_p");
    app::swept sweep{{little.dense(), little.at("input", "top_p", 0.3), little.at("up", "top_p", 0.3)}, {}};
    sweep.rows = app::measure(little.s, sweep.conditions, 1, ignore_progress);
    const auto measured = [&](const std::vector<app::condition>& all) {
        return app::measure(little.s, all, 2, ignore_progress);
    };
    const std::size_t added = app::refine(sweep, little.s, sites, rule, 0.02, 12, measured);
    CHECK(added > 0);
    REQUIRE(sweep.rows.size() == 3 + added);
    std::size_t kept = 0;
    for (std::size_t i = 1; i < sweep.rows.size(); ++i) {
        const auto &c = sweep.conditions[i], &before = sweep.conditions[i - 1];
        kept += c.value == "0.3" ? 1 : 0;
        CHECK((c.site != before.site || c.number < before.number)); // from the dense end, site by site
        CHECK(words_of(little.run(c)) == words_of(sweep.rows[i]));
    }
    CHECK(kept == 2);
    for (const auto& c : app::curves_of(little.s, sweep.conditions, sweep.rows)) {
        if (c.of == app::curve::perplexity && c.critical().reached) {
            CHECK(app::bracket_of(c.critical()) <= 0.02);
        }
    }
    CHECK(app::refine(sweep, little.s, sites, rule, 1, 12, measured) == 0);
}
