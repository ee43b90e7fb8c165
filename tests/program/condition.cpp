#include "measure/condition.hpp"

#include "support_study.hpp"

#include <tamis/rule/threshold.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace study_test;

namespace {

using tamis::site;

/// A hook's call on three numbers at a site of one layer.
struct bench {
    std::vector<float> values{0.1f, 0.6f, -0.9f};

    void call(app::study::hook_ref hook, site where) {
        hook(0, where, tamis::block<float>{values.data(), 1, 3});
    }
};
/// Writes down what it is shown.
struct diary {
    std::vector<std::string> seen;

    void operator()(std::size_t layer, const tamis::sighting& s) {
        seen.push_back(app::line(layer, ' ', tamis::name_of(s.where), ' ', s.values[0], ' ',
                                 s.has_policy ? std::to_string(s.mask.count()) : "-"));
    }
};
app::condition gate_threshold() {
    app::condition c = app::dense(1);
    c.plan.set_all(site::gate, tamis::threshold{0.5});
    return c;
}
tamis::owned_workspace memory_of(const app::condition& c) {
    return tamis::owned_workspace{c.plan.workspace_bytes(3)};
}

} // namespace

TEST_CASE("a condition masks where its plan says, and shows every site") {
    const app::condition c = gate_threshold();
    tamis::owned_workspace memory = memory_of(c);
    diary see;
    bench b;
    int uses = 0;
    c.apply(memory.view(), see, [&](app::study::hook_ref hook) {
        ++uses;
        b.call(hook, site::input);
        CHECK(b.values == std::vector{0.1f, 0.6f, -0.9f});
        b.call(hook, site::gate);
    });
    CHECK(uses == 1);
    CHECK(b.values == std::vector{0.0f, 0.6f, -0.9f});
    CHECK(see.seen == std::vector<std::string>{"0 input 0.1 -", "0 gate 0.1 2"});
}

TEST_CASE("what a condition does before goes in front of its masks, and may show masks of its own") {
    app::condition c = gate_threshold();
    c.before = [](app::study::hook_ref masks, const app::onlooker& see, const app::condition::use_hook& use) {
        auto turned = [&](std::size_t layer, site where, tamis::block<float> values) {
            see(layer, tamis::sighting{site::up, values.row(0), {}, false, 0});
            values.row(0)[0] = 0.7f;
            values.row(0)[1] = 0.2f;
            static_cast<void>(where);
        };
        app::study::chained both{turned, masks};
        use(both);
    };
    tamis::owned_workspace memory = memory_of(c);
    diary see;
    bench b;
    c.apply(memory.view(), see, [&](app::study::hook_ref hook) { b.call(hook, site::gate); });
    CHECK(b.values == std::vector{0.7f, 0.0f, -0.9f});
    CHECK(see.seen == std::vector<std::string>{"0 up 0.1 -", "0 gate 0.7 2"});
}

TEST_CASE("a condition may leave its plan's masks out") {
    app::condition c = gate_threshold();
    c.before = [](app::study::hook_ref, const app::onlooker&, const app::condition::use_hook& use) {
        const app::study::no_hook nothing;
        use(nothing);
    };
    tamis::owned_workspace memory = memory_of(c);
    diary see;
    bench b;
    c.apply(memory.view(), see, [&](app::study::hook_ref hook) { b.call(hook, site::gate); });
    CHECK(b.values == std::vector{0.1f, 0.6f, -0.9f});
    CHECK(see.seen.empty());
}
