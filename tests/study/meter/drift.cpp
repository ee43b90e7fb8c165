#include <tamis/rule/guarded.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/meter/drift.hpp>

#include "support/generate.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace tamis;
using namespace tamis::study;

namespace {

plan one(any_selector s, site where = site::intermediate) {
    plan p{1};
    p.set_all(where, s);
    return p;
}

/// A bell, in float's full precision.
std::vector<float> bell(std::size_t n, std::uint64_t seed) {
    engine random{seed};
    return generate<float>(shape::normal, n, random);
}

/// Tokens of 200 bell values; with an outlier of 1e6 in each.
std::vector<float> massive_tokens() {
    auto values = bell(5 * 200, 9);
    for (std::size_t token = 0; token < 5; ++token) {
        values[token * 200 + 17 * token] = 1e6f;
    }
    return values;
}

} // namespace

TEST_CASE("drift: what is counted, of masks that can be seen") {
    // In bfloat16: 256, 256, 258, 1. The two largest are 258 and 257; rounded 258 and all that ties with 256.
    const std::vector<float> values{257, 256, 258, 1};
    const plan p = one(top_k{2});
    precision_drift<to_bf16> drift{p};
    drift(0, site::intermediate, block{values.data(), 1, 4});
    const mask_drift d = drift.at(0, site::intermediate);
    CHECK(d.tokens == 1);
    CHECK(d.entries == 4);
    CHECK(d.active_before == 2);
    CHECK(d.active_after == 3);
    CHECK(d.active_both == 2);
    CHECK(d.mean_jaccard() == doctest::Approx(2.0 / 3));
    CHECK(d.sparsity_before() == 0.5);
    CHECK(d.sparsity_after() == 0.25);
    CHECK(d.sparsity_change() == -0.25);
    CHECK(d.flushed == 0);
    CHECK(values[0] == 257.0f);
}

TEST_CASE("drift: values that are rounded to zero are counted, zeros are not") {
    const std::vector<float> values{1, 0.0005f, -0.0005f, 0, -0.0f, 0.002f}; // e4m3's least is 2^-9
    const plan p = one(top_p{1});
    precision_drift<to_e4m3> drift{p};
    drift(0, site::intermediate, block{values.data(), 2, 3});
    CHECK(drift.at(site::intermediate).flushed == 2);
    CHECK(drift.at(site::intermediate).active_before == 4);
    CHECK(drift.at(site::intermediate).active_after == 2);
}

TEST_CASE("drift: values that overflow, saturate, or are no numbers before are counted") {
    const std::vector<float> values{1, 70000, -1e6f, 3, 450, inf_of<float>, 2, nan_of<float>, 5, 6, 7, 8};
    const plan p = one(top_p{1});
    const auto at = [&](const any_rounding& r) {
        precision_drift drift{p, r};
        drift(0, site::intermediate, block{values.data(), 3, 4});
        mask_drift d = drift.at(site::intermediate);
        d.merge(mask_drift{});
        return d;
    };
    CHECK(at(to_f16{}).overflowed == 2);
    CHECK(at(to_f16{}).saturated == 0);
    CHECK(at(to_f16{}).not_finite == 1); // a token, of three
    CHECK(at(to_e4m3{}).overflowed == 0);
    CHECK(at(to_e4m3{}).saturated == 3);
    CHECK(at(to_e5m2{}).overflowed == 2);
    CHECK(at(to_bf16{}).overflowed == 0);
    CHECK(at(to_f16{}).tokens == 3); // none is left out
}

TEST_CASE("drift: as masks made one by one, for each number format") {
    engine random{8};
    const top_p rule{0.9};
    for (const shape s : shapes) {
        const auto values = generate<float>(s, 7 * 90, random);
        for (const any_rounding& r : all_roundings) {
            const plan p = one(rule);
            precision_drift drift{p, r};
            drift(0, site::intermediate, block{values.data(), 7, 90});
            std::uint64_t before = 0, after = 0, both = 0;
            double sum = 0;
            for (std::size_t token = 0; token < 7; ++token) {
                std::vector<float> row(values.begin() + static_cast<std::ptrdiff_t>(90 * token),
                                       values.begin() + static_cast<std::ptrdiff_t>(90 * token + 90));
                const mask exact = rule(row);
                for (float& value : row) {
                    value = r(value);
                }
                const mask rounded = rule(row);
                before += exact.count();
                after += rounded.count();
                both += (exact & rounded).count();
                sum += jaccard(exact, rounded);
            }
            CAPTURE(name_of(s));
            CAPTURE(r.name);
            const mask_drift d = drift.at(0, site::intermediate);
            CHECK(d.active_before == before);
            CHECK(d.active_after == after);
            CHECK(d.active_both == both);
            CHECK(d.mean_jaccard() == doctest::Approx(sum / 7));
        }
    }
}

TEST_CASE(
    "drift: one massive activation, and top-p loses nearly everything in any precision; a guard keeps it") {
    const auto with = massive_tokens();
    const auto without = bell(5 * 200, 9);
    const plan bare = one(top_p{0.9});
    const plan guard = one(guarded{1000, top_p{0.9}});
    precision_drift<to_bf16> of_bare{bare}, of_guard{guard}, of_bell{bare};
    of_bare(0, site::intermediate, block{with.data(), 5, 200});
    of_guard(0, site::intermediate, block{with.data(), 5, 200});
    of_bell(0, site::intermediate, block{without.data(), 5, 200});
    const mask_drift lost = of_bare.at(site::intermediate);
    CHECK(lost.active_before == 5); // the outliers alone
    CHECK(lost.active_after == 5);
    const mask_drift kept = of_guard.at(site::intermediate);
    const double usual = of_bell.at(site::intermediate).sparsity_before();
    CHECK(usual < 0.5);
    CHECK(kept.sparsity_before() == doctest::Approx(usual).epsilon(0.03));
    CHECK(kept.sparsity_after() == doctest::Approx(usual).epsilon(0.03));
    CHECK(kept.mean_jaccard() > 0.97);
}

TEST_CASE("drift: e4m3 saturates a massive activation, so bare top-p moves far, guarded hardly") {
    const auto values = massive_tokens(); // 1e6 becomes 448
    const plan bare = one(top_p{0.9});
    const plan guard = one(guarded{100, top_p{0.9}});
    precision_drift<to_e4m3> of_bare{bare}, of_guard{guard};
    of_bare(0, site::intermediate, block{values.data(), 5, 200});
    of_guard(0, site::intermediate, block{values.data(), 5, 200});
    CHECK(of_bare.at(site::intermediate).mean_jaccard() < 0.05);
    CHECK(of_guard.at(site::intermediate).mean_jaccard() > 0.9);
}

TEST_CASE("drift: sites and layers without a selector have none") {
    const auto values = bell(64, 2);
    plan p{2};
    p.set(1, site::gate, top_p{0.8});
    precision_drift<to_e5m2> drift{p};
    for (std::size_t layer = 0; layer < 2; ++layer) {
        for (const site where : all_sites) {
            drift(layer, where, block{values.data(), 2, 32});
        }
    }
    CHECK(drift.at(1, site::gate).tokens == 2);
    CHECK(drift.at(0, site::gate) == mask_drift{});
    CHECK(drift.at(1, site::up) == mask_drift{});
    CHECK(mask_drift{}.mean_jaccard() == 1.0);
    CHECK(mask_drift{}.sparsity_change() == 0.0);
}

TEST_CASE("drift: as a hook and as an observer it sees the same; the values go on as they are") {
    static_assert(site_hook<precision_drift<to_f16>> && layer_observer<precision_drift<to_f16>>);
    auto values = bell(3 * 70, 4);
    const auto as_they_were = values;
    const plan p = one(top_p{0.7});
    precision_drift<to_e4m3> hook{p}, observer{p};
    hook(0, site::intermediate, block{values.data(), 3, 70});
    CHECK(values == as_they_were);
    owned_workspace memory{p.workspace_bytes(70)};
    masker mask{p, memory, observer};
    mask(0, site::intermediate, block{values.data(), 3, 70});
    CHECK(hook.at(0, site::intermediate) == observer.at(0, site::intermediate));
}

TEST_CASE("drift: merged in any order, from copies and from words, it is that of all tokens") {
    const auto values = bell(6 * 50, 5);
    const plan p = one(top_p{0.85}, site::up);
    const precision_drift<to_e4m3> fresh{p};
    auto all = fresh;
    all(0, site::up, block{values.data(), 6, 50});
    std::vector<precision_drift<to_e4m3>> parts(3, fresh);
    for (std::size_t i = 0; i < 3; ++i) {
        parts[i](0, site::up, block{values.data() + 100 * i, 2, 50});
    }
    for (const auto& order : {std::array{0, 1, 2}, std::array{2, 0, 1}, std::array{1, 2, 0}}) {
        auto merged = fresh;
        for (const int i : order) {
            merged.merge(parts[static_cast<std::size_t>(i)]);
        }
        CHECK(merged.at(0, site::up) == all.at(0, site::up));
    }
    auto read = fresh;
    from_words(read, to_words(all));
    CHECK(read.at(0, site::up) == all.at(0, site::up));
}

#if defined(__cpp_exceptions)
TEST_CASE("drift: another number of layers is refused, merged or read") {
    const plan one_layer{1};
    const plan two_layers{2};
    precision_drift<to_f16> a{one_layer};
    const precision_drift<to_f16> b{two_layers};
    CHECK(message_of([&] { a.merge(b); }) ==
          "tamis::study::precision_drift: one of 1 layers can not take one of 2");
    CHECK(message_of([&] { from_words(a, to_words(b)); }).find("the words of another meter") !=
          std::string::npos);
}
#endif
