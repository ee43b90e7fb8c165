#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/rule/combine.hpp>
#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace hostile_policy_test {

// A policy or activation of the user's may be move-only and without a default.

namespace {

/// A rule that must not be copied, nor made from nothing.
class hostile {
  public:
    explicit hostile(float eps) : eps_{std::make_unique<float>(eps)} {}
    hostile() = delete;
    hostile(const hostile&) = delete;
    hostile& operator=(const hostile&) = delete;
    hostile(hostile&&) = default;

    template <class Real>
    tamis::cut<Real> cut_of(tamis::scores<Real>) const {
        return tamis::cut<Real>::at(static_cast<Real>(*eps_));
    }

  private:
    std::unique_ptr<float> eps_;
};

/// A rule that may be copied, but says so.
struct loud {
    loud() = default;
    loud(loud&&) = default;
    loud(const loud&) { tamis::fail("a rule was copied"); }
    loud& operator=(const loud&) = delete;
    template <class Real>
    tamis::cut<Real> cut_of(tamis::scores<Real>) const {
        return tamis::cut<Real>::everything();
    }
};

/// An activation with the same manners.
struct hostile_relu {
    std::unique_ptr<int> state = std::make_unique<int>(0);
    float operator()(float z) const { return z < static_cast<float>(*state) ? 0.0f : z; }
};

} // namespace

static_assert(tamis::rule<hostile> && tamis::rule<loud> && tamis::activation<hostile_relu>);

TEST_CASE("a move-only rule at every site") {
    const problem p = random_problem(17, 33, true, 1);
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(),
                             tamis::silu{},
                             tamis::masks_only(tamis::at_input(hostile{0.1f})),
                             tamis::at_gate(hostile{0.1f}),
                             tamis::at_up(hostile{0.1f}),
                             tamis::at_intermediate(hostile{0.1f})};
    recorder seen;
    std::vector<float> y(17);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory, seen);
    CHECK(differences(reference_glu(p, exact_silu, seen.masks()), seen, y) == "");
    for (const recorder::record& r : seen.seen) {
        CHECK(same_mask(r.mask, tamis::select(tamis::threshold{double{0.1f}}, r.values)));
    }
}

TEST_CASE("rules are moved into an FFN, never copied") {
    const problem p = random_problem(5, 7, false, 2);
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), hostile_relu{}, tamis::at_intermediate(loud{}),
                             tamis::masks_only(tamis::at_input(loud{}))};
    std::vector<float> y(5);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory);
    CHECK(all_finite(y));
}

TEST_CASE("a composed rule of move-only parts") {
    const problem p = random_problem(5, 7, false, 3);
    const auto weights = store_glu<4, 0>(p);
    const tamis::glu_ffn ffn{weights.view(), tamis::relu{},
                             tamis::at_intermediate(hostile{0.1f} & tamis::nonzero{})};
    std::vector<float> y(5);
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory);
    CHECK(all_finite(y));
}

} // namespace hostile_policy_test
