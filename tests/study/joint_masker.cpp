#include <tamis/rule/guarded.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/weighted.hpp>
#include <tamis/study/joint_masker.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/without_crossing.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <span>
#include <string>
#include <vector>

namespace joint_masker_test {

using namespace tamis;
using namespace tamis::study;

namespace {

/// What an observer was shown.
struct seen {
    std::size_t layer, token;
    site where;
    bool has_policy;
    std::string mask;
    std::vector<float> values;
};
struct recorder {
    std::vector<seen> all{};
    void operator()(std::size_t layer, const sighting& s) {
        all.push_back(
            {layer, s.token, s.where, s.has_policy, show(s.mask), {s.values.begin(), s.values.end()}});
    }
};

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    });
}

/// Runs a joint plan over a block at a site and checks every token against select_joint of its group.
template <class S>
void check(const S& rule, shape s, std::size_t rows, std::size_t columns, std::size_t stride,
           std::size_t together) {
    engine random{rows + 100 * columns};
    auto values = generate<float>(s, rows * stride + 1, random);
    const auto before = values;
    joint_plan p{together};
    p.set(site::intermediate, rule);
    owned_workspace memory{p.workspace_bytes(rows, columns)};
    recorder see;
    joint_masker hook{p, memory, see};
    hook(3, site::intermediate, block{values.data(), rows, columns, stride});
    REQUIRE(see.all.size() == rows);
    auto expected = before;
    for (std::size_t first = 0; first < rows; first += std::min(together, rows)) {
        const std::size_t count = std::min(together, rows - first);
        const mask_block masks =
            select_joint(rule, block{before.data() + first * stride, count, columns, stride});
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t token = first + i;
            const seen& x = see.all[token];
            CHECK(x.mask == show(masks.row(i)));
            CHECK(x.token == token);
            CHECK((x.layer == 3 && x.where == site::intermediate && x.has_policy));
            const std::size_t start = token * stride;
            CHECK(same_bits(x.values, std::span{before}.subspan(start, columns)));
            for (std::size_t j = 0; j < columns; ++j) {
                expected[start + j] = masks.row(i)[j] ? expected[start + j] : 0.0f;
            }
        }
    }
    CHECK(same_bits(values, expected)); // and nothing between the rows
}

} // namespace

TEST_CASE("joint_masker: one cut for the block: what can be seen") {
    std::vector<float> values{4, 1, 2, 40, 10, 20};
    joint_plan p;
    p.set(site::gate, top_k{3});
    owned_workspace memory{p.workspace_bytes(2, 3)};
    joint_masker hook{p, memory};
    static_assert(site_hook<decltype(hook)>);
    hook(0, site::gate, block{values.data(), 2, 3});
    CHECK(values == std::vector<float>{0, 0, 0, 40, 10, 20});
}

TEST_CASE("joint_masker: masks are select_joint's, by the block or by groups of tokens") {
    const std::vector<float> weights(200, 0.5f);
    for (const shape s : shapes) {
        CAPTURE(name_of(s));
        for (const std::size_t together : {std::size_t{1}, std::size_t{3}, std::size_t{7}, whole_block}) {
            CAPTURE(together);
            check(top_p{0.8}, s, 7, 70, 70, together);
            check(guarded{100, top_p{0.9}}, s, 5, 64, 67, together);
            check(without_crossing{top_p{0.6}}, s, 4, 33, 40, together);
            check(scored{weighted{weights}, top_k{9}}, s, 6, 20, 20, together);
        }
    }
    check(top_p{0.8}, shape::normal, 0, 10, 10, 2);
    check(top_p{0.8}, shape::normal, 3, 0, 0, 2);
    check(top_p{0.8}, shape::normal, 1, 1, 1, whole_block);
}

TEST_CASE("joint_masker: groups of one token are masker's masks") {
    engine random{5};
    const auto values = generate<float>(shape::heavy_tailed, 9 * 80, random);
    joint_plan jointly{1};
    jointly.set(site::up, top_p{0.75});
    plan each{1};
    each.set_all(site::up, top_p{0.75});
    owned_workspace memory{jointly.workspace_bytes(9, 80) + each.workspace_bytes(80)};
    auto a = values, b = values;
    joint_masker{jointly, memory}(0, site::up, block{a.data(), 9, 80});
    masker{each, memory}(0, site::up, block{b.data(), 9, 80});
    CHECK(same_bits(a, b));
    CHECK(!same_bits(a, values));
}

TEST_CASE(
    "joint_masker: LLaDA's masks by the plain loop: a sample's tokens flattened, the crossing entry left out") {
    std::vector<float> values{8, 1, 0, 2, 4, 1}; // 16 in all
    joint_plan p;
    p.set(site::input, without_crossing{top_p{0.875}}); // 8 + 4 + 2 = 14: 2 is the crossing entry
    owned_workspace memory{p.workspace_bytes(2, 3)};
    joint_masker{p, memory}(0, site::input, block{values.data(), 2, 3});
    CHECK(values == std::vector<float>{8, 0, 0, 0, 4, 0});
}

TEST_CASE("joint_masker: sites without a rule go on as they are, and are shown") {
    std::vector<float> values{1, 2, 3, 4};
    joint_plan p{1};
    p.set(site::gate, top_k{1});
    owned_workspace memory{p.workspace_bytes(2, 2)};
    recorder see;
    joint_masker hook{p, memory, see};
    hook(1, site::up, block{values.data(), 2, 2});
    CHECK(values == std::vector<float>{1, 2, 3, 4});
    REQUIRE(see.all.size() == 2);
    CHECK(see.all[1].token == 1);
    CHECK(!see.all[1].has_policy);
    CHECK(see.all[1].mask.empty());
    CHECK(p.at(site::up) == nullptr);
    CHECK(joint_plan{}.workspace_bytes(10, 0) == 0);
}

TEST_CASE("joint_masker: rules and scored rules have one cut, masks of several scores have not") {
    static_assert(joint_selector<top_p> && joint_selector<scored<weighted, top_p>>);
    using several = either_of<scored<weighted, top_p>, top_k>;
    static_assert(selector<several> && !joint_selector<several>);
}

#if defined(__cpp_exceptions)
TEST_CASE("joint_masker: groups of no tokens are refused, a workspace too small as everywhere") {
    CHECK(message_of([] { joint_plan{0}; }) ==
          "tamis::study::joint_plan: at least 1 token has to share a cut, got 0");
    std::vector<float> values(200, 1.0f);
    joint_plan p;
    p.set(site::up, top_k{1});
    owned_workspace memory{p.workspace_bytes(1, 10)};
    CHECK(message_of([&] {
              joint_masker{p, memory}(0, site::up, block{values.data(), 20, 10});
          }).find("tamis::workspace") == 0);
}
#endif

} // namespace joint_masker_test
