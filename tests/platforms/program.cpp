// What run.sh compiles for each platform: prints a hash over masks, the same on all of them, and whether FFNs are right to rounding.
// It needs a standard library and xsimd, nothing else.

#include "ffn/support.hpp"

#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/format/bf16.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/format/q4_0.hpp>
#include <tamis/format/q8_0.hpp>
#include <tamis/rule/guarded.hpp>
#include <tamis/rule/max_p.hpp>
#include <tamis/rule/tail_budget.hpp>
#include <tamis/rule/top_k.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/score/power.hpp>
#include <tamis/select.hpp>

#include <cmath>
#include <cstdio>

namespace {

/// FNV-1a over words, the lowest byte first, whatever the order in memory.
class mask_hash {
  public:
    void add(const tamis::mask& m) {
        add(m.size());
        for (const std::uint64_t word : m.words()) {
            add(word);
        }
    }
    std::uint64_t state() const { return state_; }

  private:
    void add(std::uint64_t word) {
        for (int i = 0; i < 8; ++i) {
            state_ = (state_ ^ ((word >> (8 * i)) & 0xff)) * 0x100000001b3ull;
        }
    }
    std::uint64_t state_ = 0xcbf29ce484222325ull;
};

template <class T>
void add_masks(mask_hash& h, std::uint64_t seed) {
    engine random{seed};
    constexpr double shares[] = {0, 0.1, 0.5, 0.9, 0.999, 1};
    for (std::size_t round = 0; round < 300; ++round) {
        const std::size_t n = round < 200 ? round : 512 + static_cast<std::size_t>(below(random, 3000));
        const auto v = generate<T>(shapes[round % shapes.size()], n, random);
        const double p = shares[below(random, std::size(shares))];
        h.add(tamis::top_p{p}(v));
        h.add(tamis::top_k{static_cast<std::size_t>(below(random, n + 2))}(v));
        h.add(tamis::max_p{p / 8}(v));
        h.add(tamis::tail_budget{p * 10}(v));
        h.add(tamis::guarded{64, tamis::top_p{p}}(v));
        h.add(tamis::top_p_power(p, 1.5)(v));
    }
}

/// The largest error of an FFN with a mask at the intermediate, against plain loops in double over the same weights and mask.
template <class F>
double error_of_ffn(std::size_t h, std::size_t d) {
    using namespace tamis;
    engine random{h + d};
    const auto gate = store_up<F, neuron_major>(random_dense(d, h, random));
    const auto up = store_up<F, neuron_major>(random_dense(d, h, random));
    const auto down = store_down<F, neuron_major>(random_dense(h, d, random));
    const std::vector<float> x = coarse_values(h, random);
    std::vector<float> y(h);
    const glu_ffn ffn{glu_weights{gate.view(), up.view(), down.view()}, silu{}, at_intermediate(top_p{0.75})};
    owned_workspace memory{ffn.workspace_bytes()};
    mask active;
    ffn(x, y, memory, [&](const sighting& s) {
        if (s.where == site::intermediate) {
            active = mask{s.mask};
        }
    });
    std::vector<double> expected(h);
    for (std::size_t i = 0; i < d; ++i) {
        double g = 0;
        double u = 0;
        for (std::size_t j = 0; j < h; ++j) {
            g += static_cast<double>(gate.view().at(i, j)) * static_cast<double>(x[j]);
            u += static_cast<double>(up.view().at(i, j)) * static_cast<double>(x[j]);
        }
        for (std::size_t j = 0; j < h && active[i]; ++j) {
            expected[j] += static_cast<double>(down.view().at(i, j)) * u * g / (1 + std::exp(-g));
        }
    }
    double worst = 0;
    for (std::size_t j = 0; j < h; ++j) {
        const double error = std::fabs(expected[j] - static_cast<double>(y[j]));
        worst = error <= worst ? worst : error; // a NaN is the worst
    }
    return worst;
}

} // namespace

int main() {
    mask_hash h;
    add_masks<float>(h, 1);
    add_masks<double>(h, 2);
    const double errors[] = {error_of_ffn<tamis::f32>(37, 70), error_of_ffn<tamis::bf16>(37, 70),
                             error_of_ffn<tamis::q8_0>(64, 96), error_of_ffn<tamis::q4_0>(64, 96)};
    bool right = true;
    for (const double error : errors) {
        right = right && error < 1e-5;
    }
    std::printf("masks %016llx, ffns %s (%.1e %.1e %.1e %.1e)\n", static_cast<unsigned long long>(h.state()),
                right ? "right" : "WRONG", errors[0], errors[1], errors[2], errors[3]);
    return right ? 0 : 1;
}
