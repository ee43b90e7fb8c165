#include <tamis/study/plan.hpp>

#include "support/message.hpp"
#include "support/show.hpp"

#include <tamis/rule/max_p.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/study/masker.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace plan_test {

using tamis::site;
using tamis::study::plan;

namespace {

std::string mask_at(const plan& p, std::size_t layer, site where) {
    const std::vector<float> values{4, -1, 0.5f, 0};
    const tamis::any_selector* const s = p.at(layer, where);
    return s == nullptr ? "none" : show(tamis::select(*s, values));
}

} // namespace

TEST_CASE("plan: what is set is there, everything else is dense") {
    plan p{3};
    CHECK(p.layers() == 3);
    p.set(1, site::gate, tamis::max_p{0.2}).set(2, site::input, tamis::top_k{1});
    CHECK(mask_at(p, 1, site::gate) == "1100");
    CHECK(mask_at(p, 2, site::input) == "1000");
    for (const site where : tamis::study::all_sites) {
        CHECK(p.at(0, where) == nullptr);
        CHECK((p.at(1, where) != nullptr) == (where == site::gate));
    }
    p.set(1, site::gate, tamis::top_p{1.0}); // in place of the one before
    CHECK(mask_at(p, 1, site::gate) == "1110");
}

TEST_CASE("plan: one selector for all layers") {
    plan p{4};
    p.set_all(site::intermediate, tamis::top_p{0.5});
    p.set(2, site::intermediate, tamis::top_k{2});
    for (std::size_t layer = 0; layer < 4; ++layer) {
        CHECK(mask_at(p, layer, site::intermediate) == (layer == 2 ? "1100" : "1000"));
        CHECK(p.at(layer, site::up) == nullptr);
    }
}

TEST_CASE("plan: one of no layers is the dense model, whatever layer is asked for") {
    const plan none;
    CHECK(none.layers() == 0);
    CHECK(none.at(0, site::input) == nullptr);
    CHECK(none.at(7, site::intermediate) == nullptr);
    tamis::owned_workspace memory{none.workspace_bytes(4)};
    tamis::study::masker hook{none, memory};
    std::vector<float> values{1, 2, 3, 4};
    hook(5, site::gate, tamis::block<float>{values.data(), 2, 2});
    CHECK(values == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("plan: copies are plans of their own") {
    plan a{1};
    a.set(0, site::up, tamis::top_k{1});
    plan b = a;
    b.set(0, site::up, tamis::top_k{2});
    CHECK(mask_at(a, 0, site::up) == "1000");
    CHECK(mask_at(b, 0, site::up) == "1100");
}

TEST_CASE("plan: the workspace is enough for the hungriest selector and the mask") {
    plan p{2};
    const std::size_t words = tamis::workspace_bytes_of<std::uint64_t>(tamis::mask_words(1000));
    CHECK(p.workspace_bytes(1000) == words);
    p.set(0, site::input, tamis::max_p{0.5});
    p.set(1, site::gate, tamis::top_p_power(0.9, 2));
    CHECK(p.workspace_bytes(1000) == words + tamis::selection_bytes(tamis::top_p_power(0.9, 2), 1000));
    tamis::owned_workspace memory{p.workspace_bytes(1000)};
    tamis::study::masker hook{p, memory};
    std::vector<float> values(1000, 1.0f);
    values[3] = 100;
    hook(1, site::gate, tamis::block<float>{values.data(), 1, 1000}); // does not complain
    CHECK(values[3] == 100);
    CHECK(values[4] == 0);
}

TEST_CASE("masker: each token has a mask of its own, is seen before it, and loses what is not active") {
    plan p{2};
    p.set(1, site::up, tamis::top_k{1});
    struct seen {
        std::size_t layer, token;
        std::vector<float> values;
        std::string mask;
    };
    std::vector<seen> all;
    auto see = [&](std::size_t layer, const tamis::sighting& s) {
        CHECK(s.has_policy == (layer == 1));
        all.push_back({layer, s.token, {s.values.begin(), s.values.end()}, show(s.mask)});
    };
    tamis::owned_workspace memory{p.workspace_bytes(3)};
    tamis::study::masker hook{p, memory, see};
    std::vector<float> values{1, 2, 0, 99, -5, 4, 3, 99};
    const tamis::block<float> rows{values.data(), 2, 3, 4};
    hook(0, site::up, rows);
    CHECK(values == std::vector<float>{1, 2, 0, 99, -5, 4, 3, 99});
    hook(1, site::up, rows);
    CHECK(values == std::vector<float>{0, 2, 0, 99, -5, 0, 0, 99});
    REQUIRE(all.size() == 4);
    CHECK(all[1].token == 1);
    CHECK(all[1].mask.empty());
    CHECK(all[2].layer == 1);
    CHECK(all[2].values == std::vector<float>{1, 2, 0});
    CHECK(all[2].mask == "010");
    CHECK(all[3].mask == "100");
}

#if defined(__cpp_exceptions)
TEST_CASE("plan: a layer that is not there can not be set") {
    plan p{2};
    CHECK(message_of([&] {
              p.set(2, site::up, tamis::top_k{1});
          }).find("layers below 2 can be set, not layer 2") != std::string::npos);
    CHECK(message_of([&] { plan{}.set(0, site::up, tamis::top_k{1}); }).find("below 0") != std::string::npos);
}
#endif

} // namespace plan_test
