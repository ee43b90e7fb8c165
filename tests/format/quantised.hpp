#pragma once

#include "support/generate.hpp"

#include <tamis/format/f16.hpp>

#include <cmath>
#include <cstring>
#include <span>
#include <vector>

// What the tests of quantised formats share.

/// n weights of about 1, of a few sizes, and zeros at times.
inline std::vector<float> random_weights(std::size_t n, engine& random) {
    std::vector<float> weights(n);
    for (float& w : weights) {
        const std::uint64_t any = random();
        const auto integer = static_cast<std::int32_t>(any >> 40) - (1 << 23);
        w = any % 16 == 0 ? 0.0f : static_cast<float>(integer) * (any % 4 == 0 ? 0x1p-25f : 0x1p-23f);
    }
    return weights;
}

template <class F>
std::vector<std::byte> packed(std::span<const float> weights) {
    std::vector<std::byte> row(F::row_bytes(weights.size()), std::byte{0xa5});
    F::pack(weights, row.data());
    return row;
}

/// The number in front of a block.
inline std::uint16_t half_at(std::span<const std::byte> bytes, std::size_t place) {
    std::uint16_t half;
    std::memcpy(&half, &bytes[place], sizeof half);
    return half;
}

/// Whether q is `exact` cut or rounded at a place that float arithmetic can tell: where it cannot, either side is right.
inline bool is_floor(int q, double exact) {
    return q == static_cast<int>(std::floor(exact - 1e-5)) || q == static_cast<int>(std::floor(exact + 1e-5));
}
