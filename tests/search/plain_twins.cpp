// The fast searches against the sorted ones that they have to equal, to the last bit of the cut, on spans as long as
// models are wide, at any alignment.
#include <tamis/search/plain_cuts.hpp>
#include <tamis/search/top_k_cut.hpp>
#include <tamis/search/top_p_cut.hpp>

#include "support/generate.hpp"
#include "support/turn.hpp"

#include <doctest/doctest.h>

using tamis::cut;
using tamis::scores;

namespace {

constexpr std::array ps{0.02, 0.3, 0.5, 0.75, 0.9, 0.99, 0.999};

/// As many as the fast search keeps in a vector or four, samples from, or more; some at odd addresses.
template <class Real>
std::vector<Real> span_of(shape s, std::size_t n, engine& random) {
    auto values = generate<Real>(s, n, random);
    if (below(random, 4) == 0) {
        std::sort(values.begin(), values.end(),
                  [](Real a, Real b) { return tamis::magnitude_bits(a) < tamis::magnitude_bits(b); });
    }
    return values;
}

std::size_t any_size(std::size_t round, engine& random) {
    constexpr std::array sizes{std::size_t{511},  std::size_t{512},   std::size_t{896},  std::size_t{4096},
                               std::size_t{4100}, std::size_t{14336}, std::size_t{20000}};
    return round % 2 == 0 ? below(random, 900) : sizes[below(random, sizes.size())];
}

} // namespace

TEST_CASE_TEMPLATE("fast cuts are the sorted cuts", Real, float, double) {
    engine random{2024};
    for (std::size_t round = 0; round < 900; ++round) {
        if (!takes_turn()) {
            continue;
        }
        const std::size_t n = any_size(round, random);
        const shape kind = shapes[round % shapes.size()];
        auto values = span_of<Real>(kind, n + 3, random);
        const scores<Real> s{std::span<const Real>{values}.subspan(below(random, 4), n)};
        tamis::owned_workspace memory{std::max(tamis::plain_cut_bytes(n), tamis::top_p_cut_bytes(n))};
        const double p = ps[below(random, ps.size())];
        const std::size_t k = below(random, n + 2);
        const double budget = n == 0 ? 1.0 : tamis::widen(s[below(random, n)]) * static_cast<double>(n) / 4;
        CAPTURE(name_of(kind));
        CAPTURE(n);
        CAPTURE(p);
        CAPTURE(k);
        CHECK(tamis::top_p_cut(s, p, memory).bits() == tamis::plain_top_p_cut(s, p, memory).bits());
        CHECK(tamis::top_k_cut(s, k, memory).bits() == tamis::plain_top_k_cut(s, k, memory).bits());
        if (tamis::magnitude_bits(budget) < tamis::infinity_bits<double>) {
            CHECK(tamis::tail_budget_cut(s, budget, memory).bits() ==
                  tamis::plain_tail_budget_cut(s, budget, memory).bits());
        }
    }
}

TEST_CASE("a million scores, and more ties than a bracket can tell apart") {
    engine random{7};
    constexpr std::size_t n = 1'000'000;
    tamis::owned_workspace memory{std::max(tamis::plain_cut_bytes(n), tamis::top_p_cut_bytes(n))};
    for (const shape kind : {shape::normal, shape::relu, shape::bf16, shape::levels, shape::outlier}) {
        if (!takes_turn()) {
            continue;
        }
        const auto values = generate<float>(kind, n, random);
        const scores<float> s{std::span<const float>{values}};
        CAPTURE(name_of(kind));
        CHECK(tamis::top_p_cut(s, 0.9, memory).bits() == tamis::plain_top_p_cut(s, 0.9, memory).bits());
        CHECK(tamis::top_k_cut(s, n / 2, memory).bits() == tamis::plain_top_k_cut(s, n / 2, memory).bits());
    }
}
