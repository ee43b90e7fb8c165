// What counts as a rule, and what does not.
#include <tamis/rule/combine.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/nonzero.hpp>
#include <tamis/rule/selectors.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/threshold.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>

#include "support/show.hpp"

#include <doctest/doctest.h>
#include <array>

namespace {

struct floats_alone {
    tamis::cut<float> cut_of(tamis::scores<float>) const { return tamis::cut<float>::at(1.0f); }
};
struct not_const {
    tamis::cut<float> cut_of(tamis::scores<float>) { return tamis::cut<float>::at(1.0f); }
};
struct no_cut {
    float cut_of(tamis::scores<float>) const { return 1.0f; }
};
struct other_real {
    tamis::cut<double> cut_of(tamis::scores<float>) const { return tamis::cut<double>::at(1.0); }
};
struct forgot_bytes {
    tamis::cut<float> cut_of(tamis::scores<float>, tamis::workspace) const {
        return tamis::cut<float>::at(1.0f);
    }
};

template <class R>
constexpr bool serves_both = tamis::rule_for<R, float> && tamis::rule_for<R, double>;

} // namespace

static_assert(serves_both<tamis::top_p> && serves_both<tamis::top_k> && serves_both<tamis::max_p> &&
              serves_both<tamis::threshold> && serves_both<tamis::nonzero> &&
              serves_both<tamis::tail_budget>);
static_assert(serves_both<tamis::both_rules<tamis::top_p, tamis::top_k>> &&
              serves_both<tamis::at_least<tamis::top_p>> &&
              serves_both<tamis::guarded<tamis::at_most<tamis::top_p>>>);
static_assert(tamis::rule<floats_alone> && !tamis::rule_for<floats_alone, double>);
static_assert(!tamis::rule_for<tamis::guarded<floats_alone>, double>,
              "a combination serves what its parts serve");
static_assert(!tamis::rule<not_const> && !tamis::rule<no_cut> && !tamis::rule<other_real> &&
              !tamis::rule<forgot_bytes>);
static_assert(!tamis::rule<int> && !tamis::selector<int>);
static_assert(!tamis::rule<tamis::always_active<tamis::top_k>> &&
              tamis::selector<tamis::always_active<tamis::top_k>>);

TEST_CASE("a rule for floats alone serves all that reads as float") {
    CHECK(show(tamis::select(floats_alone{}, std::array{2.0f, 0.5f})) == "10");
    CHECK(show(tamis::select(floats_alone{}, std::array<signed char, 2>{0, -1})) == "01");
}

TEST_CASE("rules that ask for no memory need none") {
    CHECK(tamis::rule_workspace_bytes(floats_alone{}, 1000) == 0);
    CHECK(tamis::rule_workspace_bytes(tamis::nonzero{} & tamis::threshold{1.0}, 1000) == 0);
    CHECK(tamis::rule_workspace_bytes(tamis::nonzero{} & tamis::top_p{0.9}, 1000) ==
          tamis::rule_workspace_bytes(tamis::top_p{0.9}, 1000));
}
