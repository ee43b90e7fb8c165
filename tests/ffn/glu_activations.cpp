#include "ffn/support_check.hpp"

#include <doctest/doctest.h>

// Every activation at every site and in every format, against Eigen in double.

namespace {

template <class Sigma>
void check_activation(Sigma sigma, exact_sigma exact) {
    constexpr sizes some[] = {{3, 5}, {67, 133}};
    for_constants<4>([&]<class Site>(Site) { // one site at a time, and the best layout for it
        constexpr std::size_t subset = std::size_t{1} << Site::value;
        constexpr std::size_t layouts = Site::value == 0 ? 3 : 4;
        check_glu(case_of<subset, layouts, Site::value>(sigma, exact), some);
    });
    check_glu(case_of<9, 7, 1>(sigma, exact), some); // all inputs
    check_glu(case_of<0, 0, 2>(sigma, exact), some); // dense
}

} // namespace

TEST_CASE("glu_ffn: silu") { check_activation(tamis::silu{}, exact_silu); }
TEST_CASE("glu_ffn: gelu") { check_activation(tamis::gelu{}, exact_gelu); }
TEST_CASE("glu_ffn: gelu by tanh") { check_activation(tamis::gelu_tanh{}, exact_gelu_tanh); }
TEST_CASE("glu_ffn: relu") { check_activation(tamis::relu{}, exact_relu); }
TEST_CASE("glu_ffn: relu squared") { check_activation(tamis::relu2{}, exact_relu2); }
TEST_CASE("glu_ffn: identity") { check_activation(tamis::linear{}, exact_identity); }

TEST_CASE("glu_ffn: an activation of the user's: a lambda") {
    check_activation([](float z) { return z < 0 ? 0.125f * z : z; },
                     [](double z) { return z < 0 ? z / 8 : z; });
}
