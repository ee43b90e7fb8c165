#include <tamis/tamis.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

// Values worked out by hand: h = 1, x = 1, and W_down all ones, so W_gate and W_up are what comes before the gating, and y is the
// sum of the intermediate.

namespace {

struct worked {
    std::vector<float> gate, up, intermediate;
    float y = 0;
    std::string mask; // at the site of the policy
    tamis::traffic read;
};

template <class Gating, class Policy>
worked work(Gating gating, Policy policy, std::vector<float> z, std::vector<float> u) {
    using namespace tamis;
    using by_neurons = matrix<f32, neuron_major>;
    const std::size_t d = z.size();
    const std::vector<float> ones(d, 1.0f);
    const glu_weights weights{by_neurons{z.data(), d, 1}, by_neurons{u.data(), d, 1},
                              by_neurons{ones.data(), d, 1}};
    const glu_ffn ffn{weights, gating, policy};
    owned_workspace memory{ffn.workspace_bytes()};
    const float x[] = {1};
    float y[] = {0};
    worked w;
    w.read = ffn(x, y, memory, [&](const sighting& s) {
        const std::vector<float> seen(s.values.begin(), s.values.end());
        (s.where == site::gate ? w.gate : s.where == site::up ? w.up : w.intermediate) = seen;
        for (std::size_t i = 0; s.has_policy && i < d; ++i) {
            w.mask += s.mask[i] ? '1' : '0';
        }
    });
    w.y = y[0];
    return w;
}

bool within(const std::vector<float>& got, std::initializer_list<double> expected, double relative = 4.5e-6) {
    bool all = got.size() == expected.size();
    for (std::size_t i = 0; all && i < got.size(); ++i) {
        const double right = expected.begin()[i];
        all = std::fabs(double{got[i]} - right) <= relative * std::fabs(right);
    }
    return all;
}

} // namespace

TEST_CASE("gpt-oss: what is clamped, and a neuron whose up is -1") {
    const std::vector<float> z{8, -9, 2, .5f};
    const std::vector<float> u{10, -8, 3, -1};
    const worked w = work(tamis::clipped_swiglu{}, tamis::at_intermediate(tamis::nonzero{}), z, u);
    CHECK(within(w.intermediate, {55.999625, 1.20191e-5, 7.742634, 0}));
    CHECK(w.y == doctest::Approx(63.742272).epsilon(1e-7));
    CHECK(w.mask == "1110");
    CHECK(w.up == std::vector<float>{8, -6, 4, 0});
    // the mask at up is over what becomes of up: no row of W_gate or W_down for the last
    const worked at_up = work(tamis::clipped_swiglu{}, tamis::at_up(tamis::nonzero{}), z, u);
    CHECK(at_up.mask == "1110");
    CHECK(at_up.y == w.y);
    CHECK(at_up.read.bytes_read == 4 * (3 + 4 + 3));
}

TEST_CASE("a limit of 10") {
    const worked w = work(tamis::limited_silu{10}, tamis::at_intermediate(tamis::nonzero{}),
                          {12, -12, 2, .5f}, {15, -20, 3, -1});
    CHECK(w.y == doctest::Approx(104.969750).epsilon(1e-7));
    CHECK(w.up == std::vector<float>{10, -10, 3, -1});
    CHECK(within(w.gate, {9.9995460, -7.3730105e-5, 1.7615942, 0.31122967}));
}

TEST_CASE("Gemma 3n: at the target .5 the cutoff is the mean; at .95 nothing is left and nothing is read") {
    const std::vector<float> z{4, 0, 2, -2};
    const std::vector<float> u{1, 2, 3, 4};
    const worked half = work(tamis::sparse_gelu{0.5}, tamis::at_gate(tamis::nonzero{}), z, u);
    CHECK(within(half.gate, {2.9963626, 0, .8411920, 0}));
    CHECK(half.mask == "1010");
    CHECK(half.read.bytes_read == 4 * (4 + 2 + 2));
    const worked sparse = work(tamis::sparse_gelu{0.95}, tamis::at_gate(tamis::nonzero{}), z, u);
    CHECK(sparse.mask == "0000");
    CHECK(sparse.y == 0);
    CHECK(sparse.read.bytes_read == 4 * 4); // W_gate alone
    const worked at_up = work(tamis::sparse_gelu{0.95}, tamis::at_up(tamis::nonzero{}), z, u);
    CHECK(at_up.mask == "1111");
    CHECK(at_up.read.bytes_read == 4 * 12);
}
