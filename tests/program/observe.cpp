#include "measure/observe.hpp"

#include "support_study.hpp"

#include <tamis/study/meter/frequency.hpp>

#include <doctest/doctest.h>

#include <map>

using namespace study_test;

namespace {

/// Writes down which story each sighting came from.
struct watcher {
    std::map<std::uint64_t, std::size_t> sightings; ///< of a story
    std::uint64_t story = ~std::uint64_t{0};
    std::size_t masked = 0;
    bool in_order = true;
    std::size_t next_token = 0;

    void begin(std::uint64_t number) {
        story = number;
        next_token = 0;
    }
    void operator()(std::size_t layer, const tamis::sighting& s) {
        ++sightings[story];
        masked += s.has_policy ? 1 : 0;
        if (layer == 0 && s.where == tamis::site::input) {
            in_order = in_order && s.token == next_token++;
        }
    }
    void merge(const watcher& other) {
        for (const auto& [number, count] : other.sightings) {
            sightings[number] += count;
        }
        masked += other.masked;
        in_order = in_order && other.in_order;
    }
};

} // namespace

TEST_CASE(
    "observe shows every story once, with its number, all tokens but the last at all sites of all layers") {
    const little_study little;
    for (const std::size_t threads : {1u, 3u}) {
        const auto seen = app::observe(little.s, little.s.stories, little.at("gate", "top_p", 0.9), watcher{},
                                       threads, ignore_progress);
        CHECK(seen.in_order);
        CHECK(seen.masked == little.tokens_of_layers());
        REQUIRE(seen.sightings.size() == little.s.stories.size());
        for (std::size_t i = 0; i < little.s.stories.size(); ++i) {
            CHECK(seen.sightings.at(i) == (little.s.stories[i].size() - 1) * 2 * 4);
        }
    }
}

TEST_CASE("observe: stories without a prediction show nothing") {
    const little_study little;
    const auto seen =
        app::observe(little.s, {{}, {1}, {1, 5}}, little.dense(), watcher{}, 1, ignore_progress);
    CHECK(seen.sightings.size() == 1);
    CHECK(seen.sightings.at(2) == 2 * 4);
    CHECK(seen.masked == 0);
}

TEST_CASE("observe: a meter sees what measure counts, and what it says does not depend on threads") {
    const little_study little;
    const auto c = little.at("all_inputs", "top_p", 0.8);
    const app::study::per_layer<app::study::sparsity_meter> fresh{2};
    const auto one = app::observe(little.s, little.s.stories, c, fresh, 1, ignore_progress);
    const auto many = app::observe(little.s, little.s.stories, c, fresh, 5, ignore_progress);
    CHECK(app::study::to_words(one) == app::study::to_words(many));
    const auto masks = little.run(c).masks;
    for (std::size_t l = 0; l < 2; ++l) {
        for (const auto where : app::study::all_sites) {
            CHECK(one[l].sparsity(where) == masks.mask_sparsity(l, where));
        }
    }
}

TEST_CASE("observe: what a condition does before its masks is seen") {
    const little_study little;
    app::condition c = little.at("gate", "threshold", 0);
    c.before = [](app::study::hook_ref masks, const auto&, const auto& use) {
        auto first_off = [](std::size_t, tamis::site where, tamis::block<float> values) {
            for (std::size_t t = 0; where == tamis::site::gate && t < values.rows(); ++t) {
                values.row(t)[0] = 0;
            }
        };
        app::study::chained both{first_off, masks};
        use(both);
    };
    const auto seen = app::observe(little.s, little.s.stories, c,
                                   app::study::per_layer{2, app::study::frequency_meter{tamis::site::gate}},
                                   2, ignore_progress);
    CHECK(seen[0].frequency(0) == 0);
    CHECK(seen[1].frequency(1) == 1);
}
