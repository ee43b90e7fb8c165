#include "measure/quantiles.hpp"

#include "support_study.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace study_test;

namespace {

/// All |v| at a site of a layer (or of all), in order.
struct collector {
    tamis::site where;
    std::optional<std::size_t> layer;
    std::vector<float> all{};

    void operator()(std::size_t l, const tamis::sighting& s) {
        if (s.where == where && (!layer || l == *layer)) {
            for (const float v : s.values) {
                all.push_back(std::abs(v));
            }
        }
    }
    void merge(const collector& other) { all.insert(all.end(), other.all.begin(), other.all.end()); }
};
std::vector<float> sorted(const little_study& little, tamis::site where,
                          std::optional<std::size_t> layer = {}) {
    auto all =
        app::observe(little.s, little.s.stories, little.dense(), collector{where, layer}, 1, ignore_progress)
            .all;
    std::sort(all.begin(), all.end());
    return all;
}
double share_below(const std::vector<float>& all, double eps) {
    const auto below =
        std::count_if(all.begin(), all.end(), [&](float v) { return static_cast<double>(v) < eps; });
    return static_cast<double>(below) / static_cast<double>(all.size());
}
double share_up_to(const std::vector<float>& all, double eps) {
    return share_below(all, std::nextafter(eps, 1e9));
}

} // namespace

TEST_CASE("quantile rules drop the share that was asked for, in each layer") {
    const little_study little;
    for (const auto where : app::study::all_sites) {
        const std::vector<double> shares{0.3, 0.71};
        const auto rules = app::quantile_rules_of(little.s, where, shares, 2, ignore_progress);
        REQUIRE(rules.size() == 2);
        app::study::calibration c;
        c.layers = 2;
        c.rules = rules;
        for (std::size_t l = 0; l < 2; ++l) {
            CHECK(rules[l].layer == l);
            CHECK(rules[l].where == where);
            CHECK(rules[l].rule == "threshold");
            const auto all = sorted(little, where, l);
            const double one = 1.0 / static_cast<double>(all.size());
            CHECK(share_below(all, rules[l].value) <= shares[l] + one);
            CHECK(share_up_to(all, rules[l].value) >= shares[l] - one); // stories begin alike: there are ties

            app::condition alone = little.dense(); // the layer's input is the dense model's
            alone.plan = app::study::only_layer(app::study::plan_of(c), l);
            const double dropped = little.run(alone).masks.mask_sparsity(l, where);
            CHECK(dropped == share_below(all, rules[l].value));
            CHECK(dropped == doctest::Approx(shares[l]).epsilon(0.01));
        }
    }
}

TEST_CASE("quantile rules do not depend on the threads") {
    const little_study little;
    const auto rules = [&](std::size_t threads) {
        return app::quantile_rules_of(little.s, tamis::site::gate, {0.5, 0.9}, threads, ignore_progress);
    };
    CHECK(rules(1) == rules(4));
}

TEST_CASE("magnitudes of all layers together bracket each quantile") {
    const little_study little;
    const auto found =
        app::magnitudes_of(little.s, tamis::site::intermediate, 2, ignore_progress).merged().counter();
    const auto all = sorted(little, tamis::site::intermediate);
    for (const double share : {0.1, 0.5, 0.9, 0.98}) {
        const auto q = found.quantile(share);
        CHECK(q.low <= q.high);
        const auto exact = all[static_cast<std::size_t>(share * static_cast<double>(all.size()))];
        CHECK(static_cast<double>(q.low) == doctest::Approx(static_cast<double>(exact)).epsilon(0.02));
        CHECK(share_below(all, static_cast<double>(q.low)) <= share);
    }
}

TEST_CASE("TEAL's budgets meet the block's share, with a mask on x for both and with one for each matrix") {
    for (const auto sigma : {app::activation::silu, app::activation::gelu, app::activation::relu}) {
        const little_study little{sigma};
        for (const double target : {0.25, 0.5}) {
            const auto budgets = app::teal_budgets_of(little.s, target, ignore_progress);
            REQUIRE(budgets.size() == 2);
            for (const auto& b : budgets) {
                CHECK(b.input * 2 / 3 + b.intermediate / 3 == doctest::Approx(target).epsilon(0.05));
                CHECK((b.gate + b.up + b.down) / 3 == doctest::Approx(target).epsilon(0.05));
                for (const double share : {b.input, b.intermediate, b.gate, b.up, b.down}) {
                    CHECK(share >= 0);
                    CHECK(share <= 1);
                }
            }
            const auto again = app::teal_budgets_of(little.s, target, ignore_progress);
            CHECK(again[1].input == budgets[1].input);
        }
    }
}
