#pragma once

#include <tamis/format/format.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>

TAMIS_BEGIN

/// Eight-bit integers behind the one float that scales the row. Packing rounds by at most half the scale: 1/254 of the
/// row's largest magnitude. Weights are finite.
struct int8_by_row {
    static constexpr const char* name = "int8_by_row";
    using storage = std::int8_t;
    static constexpr std::size_t block = whole_row;

    static constexpr std::size_t row_bytes(std::size_t n) { return sizeof(float) + n; }
    static float scale(const std::byte* row, std::size_t) {
        float unit;
        std::memcpy(&unit, row, sizeof unit);
        return unit;
    }
    static float at(const std::byte* row, std::size_t i) {
        return scale(row, i) * static_cast<float>(static_cast<std::int8_t>(row[sizeof(float) + i]));
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::load_int8(row + sizeof(float) + i);
    }
    static void pack(std::span<const float> from, std::byte* row) {
        float largest = 0;
        for (const float w : from) {
            largest = (std::max)(largest, std::fabs(w));
        }
        const float unit = largest / 127;
        const float inverse = unit > 0 ? 1 / unit : 0.0f;
        std::memcpy(row, &unit, sizeof unit);
        for (std::size_t i = 0; i < from.size(); ++i) {
            row[sizeof(float) + i] = static_cast<std::byte>(
                static_cast<std::int8_t>(std::clamp(std::lround(from[i] * inverse), -127l, 127l)));
        }
    }
};

TAMIS_END
