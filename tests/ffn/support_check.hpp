#pragma once

#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <span>

/// Whether the recorded masks of a policy's site are those of its rule on the recorded values.
template <class Policy>
bool mask_is_the_rules(const recorder& seen, const Policy& policy) {
    for (const recorder::record& r : seen.seen) {
        if (r.where == Policy::where) {
            const tamis::mask expected = tamis::select(policy.selector_part, r.values);
            if (!r.has_policy || !same_mask(r.mask, expected)) {
                return false;
            }
        }
    }
    return true;
}

/// One gated FFN in which subset, layouts, formats and activation are types; what is done with it is not, so
/// that hundreds of them compile in bearable time.
struct glu_case {
    std::size_t subset, layouts, formats;
    exact_sigma exact;
    /// Runs it on a problem; rows of the weights lie `gap` bytes apart. False if a mask is not its rule's.
    bool (*run)(const problem& p, std::size_t gap, std::span<float> y, recorder& seen);
};

template <std::size_t Subset, std::size_t Layouts, std::size_t Formats, class Sigma>
bool run_glu(const problem& p, std::size_t gap, std::span<float> y, recorder& seen) {
    const auto weights = store_glu<Layouts, Formats>(p, gap);
    const auto ffn = make_glu<Subset>(weights.view(), Sigma{});
    tamis::owned_workspace memory{ffn.workspace_bytes()};
    ffn(p.x, y, memory, seen);
    return std::apply(
        [&](const auto&... policies) { return (mask_is_the_rules(seen, policies) && ... && true); },
        policies_of<Subset>());
}

template <std::size_t Subset, std::size_t Layouts, std::size_t Formats, class Sigma>
constexpr glu_case case_of(Sigma, exact_sigma exact) {
    return {Subset, Layouts, Formats, exact, run_glu<Subset, Layouts, Formats, Sigma>};
}

struct sizes {
    std::size_t width, neurons;
};
inline constexpr sizes all_sizes[] = {{1, 1}, {3, 5}, {17, 33}, {64, 128}, {67, 133}};

/// Checks a case against the reference: several sizes, with biases and without.
void check_glu(const glu_case& ffn, std::span<const sizes> at = all_sizes);
