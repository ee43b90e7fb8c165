#pragma once

#include "ffn/support.hpp"

#include <tamis/ffn/observer.hpp>

#include <array>
#include <functional>
#include <string>

// An FFN in double, written from the formulas with Eigen. It knows nothing of the library but the masks,
// which it is given: so that a value that rounds to the other side of a threshold cannot make two right
// results differ.

/// A gated FFN; of an ungated one gate is left out.
struct problem {
    dense gate, up, down;
    std::vector<float> gate_bias, up_bias, down_bias; // empty: none
    std::vector<float> x;

    std::size_t width() const { return up.inputs; }
    std::size_t neurons() const { return up.outputs; }
    tamis::glu_biases biases() const { return {gate_bias, up_bias, down_bias}; }
};

inline problem random_problem(std::size_t width, std::size_t neurons, bool biased, std::uint64_t seed) {
    engine random{seed};
    problem p{random_dense(neurons, width, random),
              random_dense(neurons, width, random),
              random_dense(width, neurons, random),
              {},
              {},
              {},
              coarse_values(width, random)};
    if (biased) {
        p.gate_bias = coarse_values(neurons, random);
        p.up_bias = coarse_values(neurons, random);
        p.down_bias = coarse_values(width, random);
    }
    return p;
}

/// An activation as the library has it and as its formula says, in double.
using exact_sigma = double (*)(double);
double exact_silu(double z);
double exact_gelu(double z);
double exact_gelu_tanh(double z);
double exact_relu(double z);
double exact_relu2(double z);
double exact_identity(double z);

/// Which entries a site's mask keeps; empty: no policy there.
using site_masks = std::array<std::vector<bool>, 4>;

struct reference_values {
    /// Before the site's own mask; what an earlier mask left out is zero.
    std::array<std::vector<double>, 4> at;
    std::vector<double> y;
};

reference_values reference_glu(const problem& p, exact_sigma sigma, const site_masks& masks);
/// The same of a gating: what becomes of all gates of the token, and of one value of up.
struct exact_gating {
    std::function<void(std::span<double>)> gates;
    double (*up)(double) = exact_identity;
    bool takes_whole = false;
};
reference_values reference_glu(const problem& p, const exact_gating& gating, const site_masks& masks);
/// y = down sigma(up x + up_bias) + down_bias, with the sites input and intermediate.
reference_values reference_plain(const problem& p, exact_sigma sigma, const site_masks& masks);

/// An observer that keeps all it is shown.
struct recorder {
    struct record {
        tamis::site where;
        std::vector<float> values;
        std::vector<bool> mask;
        bool has_policy;
        std::size_t token;
    };
    std::vector<record> seen;

    void operator()(const tamis::sighting& s) {
        std::vector<bool> mask(s.mask.size());
        for (std::size_t i = 0; i < mask.size(); ++i) {
            mask[i] = s.mask[i];
        }
        seen.push_back({s.where, {s.values.begin(), s.values.end()}, std::move(mask), s.has_policy, s.token});
    }

    /// The masks of one token, by site.
    site_masks masks() const {
        site_masks all;
        for (const record& r : seen) {
            all[static_cast<std::size_t>(r.where)] = r.mask;
        }
        return all;
    }
};

inline bool same_mask(const std::vector<bool>& a, tamis::mask_view b) {
    bool same = a.size() == b.size();
    for (std::size_t i = 0; same && i < a.size(); ++i) {
        same = a[i] == b[i];
    }
    return same;
}

/// What differs between the reference and a call that was recorded, by more than the rounding of floats;
/// nothing if all is well.
std::string differences(const reference_values& expected, const recorder& seen, std::span<const float> y);
