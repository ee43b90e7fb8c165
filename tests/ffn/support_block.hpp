#pragma once

#include "ffn/support_reference.hpp"
#include "ffn/support_subsets.hpp"

#include <algorithm>

// Blocks of tokens to test with.

/// `tokens` inputs of a problem behind each other, and room for as many outputs.
struct token_block {
    std::size_t tokens, width;
    std::vector<float> x, y;

    token_block(std::size_t count, std::size_t columns, std::uint64_t seed)
        : tokens{count}, width{columns}, y(count * columns, nan_of<float>) {
        engine random{seed};
        x = coarse_values(count * columns, random);
    }
    tamis::block<const float> in() const { return {x.data(), tokens, width}; }
    tamis::block<float> out() { return {y.data(), tokens, width}; }
    std::vector<float> x_of(std::size_t token) const {
        const auto row = in().row(token);
        return {row.begin(), row.end()};
    }
    std::span<const float> y_of(std::size_t token) { return out().row(token); }
};

/// What an observer saw of one token.
inline recorder of_token(const recorder& seen, std::size_t token) {
    recorder one;
    std::copy_if(seen.seen.begin(), seen.seen.end(), std::back_inserter(one.seen),
                 [&](const recorder::record& r) { return r.token == token; });
    return one;
}

/// Which entries any of the tokens [first, last) keeps at a site; empty without a policy there.
inline std::vector<bool> union_of(const recorder& seen, tamis::site where, std::size_t first,
                                  std::size_t last) {
    std::vector<bool> any;
    for (const recorder::record& r : seen.seen) {
        if (r.where == where && r.token >= first && r.token < last) {
            any.resize(r.mask.size());
            for (std::size_t i = 0; i < any.size(); ++i) {
                any[i] = any[i] || r.mask[i];
            }
        }
    }
    return any;
}
