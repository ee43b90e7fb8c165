#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <doctest/doctest.h>

// Sites act one after the other, each on values that the earlier ones have already changed. On numbers that
// can be checked by hand; sigma is the identity.

namespace {

// x = (4, 1), W_gate rows (1, 8) (2, 0) (1, -4), W_up rows (1, 0) (0, 8) (3, 2), W_down = 1 1 1 / 1 2 3.
problem by_hand() {
    return {{3, 2, {1, 8, 2, 0, 1, -4}},
            {3, 2, {1, 0, 0, 8, 3, 2}},
            {2, 3, {1, 1, 1, 1, 2, 3}},
            {},
            {},
            {},
            {4, 1}};
}

struct result {
    recorder seen;
    std::vector<float> y;

    const std::vector<float>& values(tamis::site where) const {
        for (const recorder::record& r : seen.seen) {
            if (r.where == where) {
                return r.values;
            }
        }
        return y;
    }
};

template <class... Policies>
result run(const Policies&... policies) {
    const problem p = by_hand();
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::linear{}, tamis::masks_only(policies)...};
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    result r{{}, std::vector<float>(2)};
    ffn(p.x, r.y, memory, r.seen);
    return r;
}

using values = std::vector<float>;
using tamis::site;
using tamis::top_k;

} // namespace

TEST_CASE("no policy: the formula") {
    const result r = run();
    CHECK(r.values(site::input) == values{4, 1});
    CHECK(r.values(site::gate) == values{12, 8, 0});
    CHECK(r.values(site::up) == values{4, 8, 14});
    CHECK(r.values(site::intermediate) == values{48, 64, 0});
    CHECK(r.y == values{112, 176});
}

TEST_CASE("input, then intermediate: the second mask is made over the perturbed values") {
    // Dense, the largest intermediate is that of neuron 1; behind the input's mask it is that of neuron 2.
    CHECK(run(tamis::at_intermediate(top_k{1})).y == values{64, 128});
    const result r = run(tamis::at_intermediate(top_k{1}), tamis::at_input(top_k{1}));
    CHECK(r.values(site::input) == values{4, 1});
    CHECK(r.values(site::gate) == values{4, 8, 4});
    CHECK(r.values(site::up) == values{4, 0, 12});
    CHECK(r.values(site::intermediate) == values{16, 0, 48});
    CHECK(r.y == values{48, 144});
}

TEST_CASE("gate, then up: the up's mask is made over the neurons that the gate's left") {
    // The gate keeps neurons 0 and 1; of those alone the largest up is neuron 1's, though neuron 2's is
    // larger.
    const result r = run(tamis::at_up(top_k{1}), tamis::at_gate(top_k{2}));
    CHECK(r.values(site::gate) == values{12, 8, 0});
    CHECK(r.values(site::up) == values{4, 8, 0});
    CHECK(r.values(site::intermediate) == values{0, 64, 0});
    CHECK(r.y == values{64, 128});
}

TEST_CASE("up alone: it is made over all neurons") {
    const result r = run(tamis::at_up(top_k{1}));
    CHECK(r.values(site::up) == values{4, 8, 14});
    CHECK(r.values(site::intermediate) == values{0, 0, 0});
    CHECK(r.y == values{0, 0});
}

TEST_CASE("intermediate, behind gate and up: over their product") {
    const result r = run(tamis::at_intermediate(top_k{1}), tamis::at_gate(top_k{2}), tamis::at_up(top_k{2}));
    CHECK(r.values(site::intermediate) == values{48, 64, 0});
    CHECK(r.y == values{64, 128});
}
