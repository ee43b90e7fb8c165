#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <doctest/doctest.h>

// Weights that a mask leaves out are not read where the layout can skip them: NaN in them changes no bit of
// y.

namespace {

template <class Stored>
void spoil_inactive(Stored& stored, const std::vector<bool>& mask) {
    REQUIRE(mask.size() == stored.rows());
    std::size_t spoilt = 0;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (!mask[i]) {
            stored.spoil(i);
            ++spoilt;
        }
    }
    REQUIRE(spoilt > 0); // or the test would show nothing
}

/// Runs once to learn the masks, lets `spoil` put NaN into what they leave out, and runs again.
template <std::size_t Subset, std::size_t Layouts, std::size_t Formats, class Spoil>
void check(Spoil&& spoil) {
    for (const std::size_t neurons : {9u, 40u, 131u}) {
        CAPTURE(neurons);
        const problem p = random_problem(37, neurons, true, neurons);
        auto weights = store_glu<Layouts, Formats>(p, 12);
        const auto ffn = make_glu<Subset>(weights.view(), tamis::silu{});
        tamis::owned_workspace memory{ffn.workspace_bytes()};
        recorder seen;
        std::vector<float> expected(p.width());
        std::vector<float> y(p.width());
        ffn(p.x, expected, memory, seen);
        spoil(weights, seen.masks());
        ffn(p.x, y, memory, seen);
        CHECK(all_finite(y));
        CHECK(same_bits(y, expected));
    }
}

} // namespace

TEST_CASE("input: inactive inputs of gate and up, by inputs") {
    const auto spoil = [](auto& weights, const site_masks& masks) {
        spoil_inactive(weights.gate, masks[0]);
        spoil_inactive(weights.up, masks[0]);
    };
    check<1, 3, 0>(spoil);
    check<1, 3, 1>(spoil);
    check<9, 7, 2>([&](auto& weights, const site_masks& masks) {
        spoil(weights, masks);
        spoil_inactive(weights.down, masks[3]);
    });
}

TEST_CASE("gate: inactive neurons of up and down, by neurons") {
    const auto spoil = [](auto& weights, const site_masks& masks) {
        spoil_inactive(weights.up, masks[1]);
        spoil_inactive(weights.down, masks[1]);
    };
    check<2, 4, 0>(spoil);
    check<2, 5, 1>(spoil); // the gate in the other layout
}

TEST_CASE("up: inactive neurons of gate and down, by neurons") {
    const auto spoil = [](auto& weights, const site_masks& masks) {
        spoil_inactive(weights.gate, masks[2]);
        spoil_inactive(weights.down, masks[2]);
    };
    check<4, 4, 0>(spoil);
    check<4, 6, 3>(spoil);
}

TEST_CASE("gate and up: down is skipped by either") {
    check<6, 4, 0>([](auto& weights, const site_masks& masks) {
        spoil_inactive(weights.up, masks[1]);
        std::vector<bool> either = masks[1];
        for (std::size_t i = 0; i < either.size(); ++i) {
            either[i] = either[i] && masks[2][i];
        }
        spoil_inactive(weights.down, either);
    });
}

TEST_CASE("intermediate: inactive neurons of down, by neurons") {
    const auto spoil = [](auto& weights, const site_masks& masks) { spoil_inactive(weights.down, masks[3]); };
    check<8, 4, 0>(spoil);
    check<8, 7, 1>(spoil);
    check<15, 4, 1>(spoil); // with all the others
}
