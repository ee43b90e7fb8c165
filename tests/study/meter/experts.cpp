#include <tamis/study/meter/experts.hpp>

#include "study/support_ffn.hpp"
#include "support/message.hpp"

#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>

#include <doctest/doctest.h>

using tamis::site;
using tamis::study::per_expert;
using tamis::study::sparsity_meter;

static_assert(tamis::study::layer_observer<per_expert<sparsity_meter>> &&
              tamis::study::has_state<per_expert<sparsity_meter>>);

TEST_CASE("experts: a meter for each, and the tokens routed to each") {
    per_expert<sparsity_meter> m{2, 3};
    CHECK(m.layers() == 2);
    CHECK(m.experts() == 3);
    CHECK(m.share_routed(0, 0) == 0);
    const auto one_token = [&](std::size_t layer, std::size_t expert, const char* mask) {
        m(layer, expert, masked(site::input, "10"));
        m(layer, expert, masked(site::intermediate, mask));
    };
    one_token(0, 1, "1100");
    one_token(0, 1, "1000");
    one_token(0, 2, "1111");
    one_token(1, 0, "0000");
    CHECK(m.routed(0, 0) == 0);
    CHECK(m.routed(0, 1) == 2);
    CHECK(m.routed(0) == 3);
    CHECK(m.share_routed(0, 1) == 2.0 / 3);
    CHECK(m.share_routed(1, 0) == 1);
    CHECK(m.at(0, 1).sparsity(site::intermediate) == 5.0 / 8);
    CHECK(m.at(0, 0).tokens(site::intermediate) == 0);
    CHECK(m.merged(0).pooled(site::intermediate) == sparsity_meter::counts{12, 5});
    CHECK(m.merged(1).sparsity(site::intermediate) == 1);
}

TEST_CASE("experts: to a plan and a masker each is a layer; the router sees no mask") {
    constexpr std::size_t layers = 2;
    constexpr std::size_t experts = 3;
    tamis::study::plan plan{layers * experts};
    plan.set_all(site::intermediate, tamis::max_p{0.3});
    per_expert<sparsity_meter> m{layers, experts};
    per_expert<sparsity_meter> expected{layers, experts};
    tamis::owned_workspace memory{plan.workspace_bytes(20)};
    tamis::study::masker hook{plan, memory, m};
    for (std::size_t layer = 0; layer < layers; ++layer) {
        for (std::size_t expert = 0; expert < experts; ++expert) {
            const std::size_t number = m.layer_of(layer, expert);
            const problem_of_tokens routed{8, 20, 1 + number, false, number};
            const auto weights = store_glu<0, 0>(routed.p);
            std::vector<float> y(routed.tokens * 8);
            tamis::study::hooked_ffn{weights.view(),
                                     tamis::silu{}}(number, routed.all(),
                                                    tamis::block<float>{y.data(), routed.tokens, 8}, hook);
            const auto by_glu = [&](const tamis::sighting& s) { expected(layer, expert, s); };
            const auto packed = packed_for<8>(weights.view());
            const tamis::glu_ffn ffn{packed.view(), tamis::silu{}, tamis::at_intermediate(tamis::max_p{0.3})};
            tamis::owned_workspace scratch{ffn.workspace_bytes()};
            ffn(routed.all(), tamis::block<float>{y.data(), routed.tokens, 8},
                tamis::tokens_at_a_time{1, scratch}, by_glu);
            CHECK(m.routed(layer, expert) == 1 + number);
        }
    }
    CHECK(to_words(m) == to_words(expected));
    CHECK(m.routed(1) == 4 + 5 + 6);
}

TEST_CASE("experts: merge in any order, begin reaches the meters, words carry all") {
    using tamis::study::stability_meter;
    per_expert<stability_meter> a{1, 2, stability_meter{site::up}};
    per_expert<stability_meter> b = a;
    per_expert<stability_meter> all = a;
    const auto feed = [](per_expert<stability_meter>& m, std::uint64_t seed) {
        m.begin();
        for (const owned_sighting& s : random_sightings(site::up, 30, 9, seed)) {
            m(0, s.token % 2, s);
        }
    };
    feed(a, 1);
    feed(b, 2);
    feed(all, 1);
    feed(all, 2);
    CHECK(all.at(0, 0).pairs() == 8); // 5 tokens twice
    CHECK(all.at(0, 1).pairs() == 6);
    auto ab = a;
    ab.merge(b);
    auto ba = b;
    ba.merge(a);
    CHECK(to_words(ab) == to_words(all));
    CHECK(to_words(ba) == to_words(all));
    per_expert<stability_meter> back{1, 2, stability_meter{site::up}};
    from_words(back, to_words(all));
    CHECK(to_words(back) == to_words(all));
}

#if defined(__cpp_exceptions)
TEST_CASE("experts: no experts and other numbers are refused") {
    CHECK(message_of([] {
              per_expert<sparsity_meter>{2, 0};
          }).find("at least 1 expert") != std::string::npos);
    per_expert<sparsity_meter> m{2, 3};
    CHECK(message_of([&] {
              m.merge(per_expert<sparsity_meter>{3, 2});
          }).find("3 experts can not take one of 2") != std::string::npos);
    CHECK(message_of([&] {
              m.merge(per_expert<sparsity_meter>{1, 3});
          }).find("2 layers") != std::string::npos);
    per_expert<sparsity_meter> other{3, 2};
    CHECK(message_of([&] { from_words(other, to_words(m)); }).find("another meter") != std::string::npos);
}
#endif
