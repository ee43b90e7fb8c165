#include "ffn/support_block.hpp"
#include "ffn/support_check.hpp"

#include <tamis/ffn/gating/clipped_swiglu.hpp>
#include <tamis/ffn/gating/limited_silu.hpp>
#include <tamis/ffn/gating/sparse_gelu.hpp>

#include <tamis/rule/nonzero.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace gating_test {

// Gatings at every site, against their formulas in double: one token, and the tokens of a block. Limits are such that some
// values of the problems are beyond them.

namespace {

struct gpt_oss_like : tamis::clipped_swiglu {
    gpt_oss_like() : tamis::clipped_swiglu{1.702f, 0.75f} {}
};
struct with_limit : tamis::limited_silu {
    with_limit() : tamis::limited_silu{0.5f} {}
};
struct gemma_3n_like : tamis::sparse_gelu {
    gemma_3n_like() : tamis::sparse_gelu{0.75} {}
};
struct by_sample : tamis::sparse_gelu {
    by_sample() : tamis::sparse_gelu{0.25, tamis::deviation::of_sample} {}
};

exact_gating each(double (*sigma)(double), double (*up)(double)) {
    return {[sigma](std::span<double> gates) {
                for (double& z : gates) {
                    z = sigma(z);
                }
            },
            up};
}
const exact_gating exact_gpt_oss =
    each([](double z) { return std::min(z, .75) / (1 + std::exp(-1.702 * std::min(z, .75))); },
         [](double u) { return std::clamp(u, -.75, .75) + 1; });
const exact_gating exact_limit = each([](double z) { return exact_silu(std::min(z, .5)); },
                                      [](double u) { return std::clamp(u, -.5, .5); });

exact_gating exact_sparse(double k, bool of_sample) {
    exact_gating result;
    result.takes_whole = true;
    result.gates = [=](std::span<double> gates) {
        const auto n = static_cast<double>(gates.size());
        double mean = 0;
        for (const double z : gates) {
            mean += z / n;
        }
        double variance = 0;
        for (const double z : gates) {
            variance += (z - mean) * (z - mean) / (of_sample ? std::max(n - 1, 1.0) : n);
        }
        const double cutoff = mean + k * std::sqrt(variance);
        for (double& z : gates) {
            z = exact_gelu_tanh(std::max(z - cutoff, 0.0));
        }
    };
    return result;
}

template <std::size_t Subset, std::size_t Layouts, class Gating>
void check_gating_block(const exact_gating& exact) {
    problem p = random_problem(19, 37, true, Subset);
    const auto weights = store_glu<Layouts, 0>(p);
    const auto ffn = make_glu<Subset>(weights.view(), Gating{});
    token_block b{5, 19, 7};
    recorder seen;
    tamis::owned_workspace memory{ffn.workspace_bytes(tamis::serial{}, 5)};
    ffn(b.in(), b.out(), memory, seen);
    for (std::size_t token = 0; token < 5; ++token) {
        p.x = b.x_of(token);
        const recorder one = of_token(seen, token);
        CHECK(differences(reference_glu(p, exact, one.masks()), one, b.y_of(token)) == "");
    }
}

template <std::size_t Subset, std::size_t Layouts, std::size_t Formats, class Gating>
void check_gating_at(const exact_gating& exact) {
    CAPTURE(Subset);
    CAPTURE(Layouts);
    for (const sizes& size : all_sizes) {
        for (const bool biased : {false, true}) {
            CAPTURE(size.neurons);
            const problem p = random_problem(size.width, size.neurons, biased, Subset + 16 * Layouts);
            recorder seen;
            std::vector<float> y(size.width, nan_of<float>);
            CHECK(run_glu<Subset, Layouts, Formats, Gating>(p, biased ? 4 : 0, y, seen));
            CHECK(differences(reference_glu(p, exact, seen.masks()), seen, y) == "");
        }
    }
    check_gating_block<Subset, Layouts, Gating>(exact);
}

template <class Gating>
void check_gating(const exact_gating& exact) {
    check_gating_at<0, 0, 0, Gating>(exact);  // dense, as checkpoints lie
    check_gating_at<1, 3, 0, Gating>(exact);  // the input
    check_gating_at<2, 4, 1, Gating>(exact);  // the gate
    check_gating_at<4, 4, 0, Gating>(exact);  // up
    check_gating_at<4, 5, 0, Gating>(exact);  // up, whose mask leaves W_gate as it is
    check_gating_at<8, 4, 0, Gating>(exact);  // the intermediate
    check_gating_at<15, 7, 0, Gating>(exact); // all
}

} // namespace

static_assert(tamis::gating<tamis::silu> && tamis::gating<tamis::clipped_swiglu> &&
              tamis::gating<tamis::sparse_gelu>);
static_assert(!tamis::activation<tamis::sparse_gelu> && !tamis::gating<int>);

TEST_CASE("gating: clipped SwiGLU, whose up is clamped and one larger") {
    check_gating<gpt_oss_like>(exact_gpt_oss);
}
TEST_CASE("gating: SwiGLU within a limit") {
    check_gating_at<4, 4, 0, with_limit>(exact_limit);
    check_gating_at<9, 7, 0, with_limit>(exact_limit);
}
TEST_CASE("gating: GELU above mean and deviation of all gates") {
    check_gating<gemma_3n_like>(exact_sparse(0.6744897501960817, false));
    check_gating_at<2, 4, 0, by_sample>(exact_sparse(-0.6744897501960817, true));
}

namespace {

/// One of the user's own that takes the whole, and no vectors.
struct over_largest {
    void whole(std::span<float> gates) const {
        float largest = 1;
        for (const float z : gates) {
            largest = std::max(largest, std::fabs(z));
        }
        for (float& z : gates) {
            z /= largest;
        }
    }
    float of_up(float u) const { return u * u; }
};

} // namespace

TEST_CASE("gating: one of the user's own") {
    exact_gating exact;
    exact.takes_whole = true;
    exact.up = [](double u) { return u * u; };
    exact.gates = [](std::span<double> gates) {
        double largest = 1;
        for (const double z : gates) {
            largest = std::max(largest, std::fabs(z));
        }
        for (double& z : gates) {
            z /= largest;
        }
    };
    check_gating_at<6, 4, 0, over_largest>(exact);
    check_gating_at<4, 4, 0, over_largest>(exact);
}

TEST_CASE("gating: what takes all gates lets an up mask skip none of them") {
    const problem p = random_problem(5, 7, false, 1);
    const auto weights = store_glu<4, 0>(p);
    using namespace tamis;
    const glu_ffn whole{weights.view(), gemma_3n_like{}, at_up(nonzero{})};
    CHECK(whole.skips<site::up>() == skipped_matrices{false, false, true});
    CHECK(whole.skips_all<site::up>());
    const glu_ffn single{weights.view(), gpt_oss_like{}, at_up(nonzero{})};
    CHECK(single.skips<site::up>() == skipped_matrices{true, false, true});
}

} // namespace gating_test
