#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <tamis/ffn/plain_ffn.hpp>

#include <doctest/doctest.h>

namespace absent_policies_test {

// What is not there costs nothing: no memory in the object, none in the workspace.

namespace {

using weights = tamis::glu_weights<tamis::matrix<tamis::f32, tamis::neuron_major>,
                                   tamis::matrix<tamis::f32, tamis::neuron_major>,
                                   tamis::matrix<tamis::f32, tamis::output_major>>;
using plain = tamis::plain_weights<tamis::matrix<tamis::bf16, tamis::neuron_major>,
                                   tamis::matrix<tamis::bf16, tamis::output_major>>;

static_assert(sizeof(tamis::glu_ffn<weights, tamis::silu>) == sizeof(weights));
static_assert(sizeof(tamis::plain_ffn<plain, tamis::gelu>) == sizeof(plain));

using at_input_top_p = tamis::policy<tamis::site::input, tamis::top_p>;
static_assert(sizeof(tamis::glu_ffn<weights, tamis::silu, at_input_top_p>) ==
              sizeof(weights) + sizeof(tamis::top_p));

static_assert(std::is_empty_v<tamis::policy_set<>>);
static_assert(std::is_empty_v<tamis::no_observer>);

} // namespace

TEST_CASE("without policies the workspace holds gate and up, and a copy for an x or y that needs one") {
    const problem p = random_problem(40, 100, false, 1);
    const auto stored = store_glu<4, 0>(p);
    const auto dense_ffn = make_glu<0>(stored.view(), tamis::silu{});
    CHECK(dense_ffn.workspace_bytes() ==
          2 * tamis::workspace_bytes_of<float>(100) + tamis::workspace_bytes_of<float>(40));
    CHECK(dense_ffn.width() == 40);
    CHECK(dense_ffn.neurons() == 100);
    CHECK(dense_ffn.weights().bytes() == 3 * 40 * 100 * sizeof(float));
}

TEST_CASE("a policy adds its own share of the workspace") {
    const problem p = random_problem(40, 100, false, 1);
    const auto stored = store_glu<4, 0>(p);
    const std::size_t none = make_glu<0>(stored.view(), tamis::silu{}).workspace_bytes();
    const std::size_t input = make_glu<1>(stored.view(), tamis::silu{}).workspace_bytes();
    const std::size_t all = make_glu<15>(stored.view(), tamis::silu{}).workspace_bytes();
    CHECK(none < input);
    CHECK(input < all);
}

} // namespace absent_policies_test
