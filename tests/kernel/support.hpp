#pragma once

#include "ffn/support.hpp"

#include <tamis/kernel/dot_rows.hpp>
#include <tamis/kernel/sum_rows.hpp>

#include <cmath>

/// Some of the rows 0 .. n-1, ascending.
inline std::vector<std::uint32_t> some_rows(std::size_t count, std::size_t n, engine& random) {
    std::vector<std::uint32_t> rows;
    for (std::size_t i = 0; i < n; ++i) {
        if (below(random, n - i) < count - rows.size()) {
            rows.push_back(static_cast<std::uint32_t>(i));
        }
    }
    return rows;
}

/// Whether two results agree up to the rounding of sums of about 1.
inline bool close(float a, float b, float scale) { return std::fabs(a - b) <= 1e-5f * scale; }

/// The widths that decide how a row falls into vectors, and a few larger ones.
inline std::vector<std::size_t> widths() {
    std::vector<std::size_t> all;
    for (std::size_t n = 0; n <= 2 * 16 + 3; ++n) {
        all.push_back(n);
    }
    all.insert(all.end(), {63, 127, 259, 1001});
    return all;
}

inline constexpr float sentinel = 12345.0f;
