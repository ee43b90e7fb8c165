#include "measure/precision.hpp"

#include "measure/observe.hpp"
#include "support_study.hpp"

#include <tamis/rule/top_p.hpp>
#include <tamis/select.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace study_test;
using tamis::site;
namespace study = tamis::study;

namespace {

/// The same counts as precision_drift's, with masks made one by one.
struct plain_drift {
    study::any_rounding rounding;
    site where;
    double p;
    std::uint64_t tokens = 0, flushed = 0, before = 0, after = 0, both = 0;

    void operator()(std::size_t, const tamis::sighting& s) {
        if (s.where != where) {
            return;
        }
        std::vector<float> rounded(s.values.begin(), s.values.end());
        for (float& v : rounded) {
            const float was = v;
            v = rounding(v);
            flushed += was != 0 && v == 0 ? 1 : 0;
        }
        const tamis::mask a = tamis::select(tamis::top_p{p}, s.values),
                          b = tamis::select(tamis::top_p{p}, rounded);
        for (std::size_t i = 0; i < a.size(); ++i) {
            before += a[i] ? 1 : 0;
            after += b[i] ? 1 : 0;
            both += a[i] && b[i] ? 1 : 0;
        }
        ++tokens;
    }
    void merge(const plain_drift& other) {
        tokens += other.tokens;
        flushed += other.flushed;
        before += other.before;
        after += other.after;
        both += other.both;
    }
};

} // namespace

TEST_CASE("rounding to float's own format changes nothing, to the bit") {
    const little_study little;
    for (const std::string& name : site_names()) {
        CAPTURE(name);
        const auto c = little.at(name, "top_p", 0.8);
        const auto sites = app::parse_sites(name).front().sites;
        CHECK(words_of(little.run(app::rounded_condition(c, study::to_f32{}, sites), 2)) ==
              words_of(little.run(c)));
    }
}

TEST_CASE("values are rounded at the sites that were named, and masked behind that") {
    const little_study little;
    for (const auto& rounding :
         {study::any_rounding{study::to_bf16{}}, study::any_rounding{study::to_e5m2{}}}) {
        for (const site where : {site::input, site::gate, site::intermediate}) {
            CAPTURE(rounding.name);
            CAPTURE(tamis::name_of(where));
            const auto masks = little.at(tamis::name_of(where), "top_p", 0.8);
            app::condition by_hand = masks;
            by_hand.before = [&](study::hook_ref behind, const auto&, const auto& use) {
                auto round = [&](std::size_t layer, site at, tamis::block<float> values) {
                    for (std::size_t t = 0; at == where && t < values.rows(); ++t) {
                        for (float& v : values.row(t)) {
                            v = rounding(v);
                        }
                    }
                    behind(layer, at, values);
                };
                use(round);
            };
            const auto row = little.run(app::rounded_condition(masks, rounding, {where}), 3);
            CHECK(words_of(row) == words_of(little.run(by_hand)));
            CHECK(words_of(row) != words_of(little.run(masks)));
        }
    }
}

TEST_CASE("drift counts what masks made one by one say") {
    const little_study little;
    const auto c = little.at("intermediate", "top_p", 0.8);
    for (const auto& rounding : study::all_roundings) {
        CAPTURE(rounding.name);
        const auto drift = app::drift_of(little.s, c, rounding, site::intermediate, 2, ignore_progress);
        const auto plain = app::observe(little.s, little.s.stories, little.dense(),
                                        plain_drift{rounding, site::intermediate, 0.8}, 1, ignore_progress);
        CHECK(drift.tokens == little.tokens_of_layers());
        CHECK(drift.tokens == plain.tokens);
        CHECK(drift.entries == 40 * plain.tokens);
        CHECK(drift.flushed == plain.flushed);
        CHECK(drift.active_before == plain.before);
        CHECK(drift.active_after == plain.after);
        CHECK(drift.active_both == plain.both);
        CHECK(app::drift_of(little.s, c, rounding, site::intermediate, 5, ignore_progress) == drift);
    }
}

TEST_CASE("drift: none in float's own format, more in eight bits than in sixteen") {
    const little_study little;
    const auto c = little.at("input", "top_p", 0.8);
    const auto jaccard = [&](const study::any_rounding& rounding) {
        return app::drift_of(little.s, c, rounding, site::input, 2, ignore_progress).mean_jaccard();
    };
    CHECK(jaccard(study::to_f32{}) == 1);
    CHECK(jaccard(study::to_e5m2{}) < jaccard(study::to_bf16{}));
    CHECK(jaccard(study::to_bf16{}) < 1);
    // A site that the condition does not mask has no masks that could move.
    CHECK(app::drift_of(little.s, c, study::to_bf16{}, site::up, 2, ignore_progress).tokens == 0);
}
