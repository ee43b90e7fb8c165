#pragma once

#include <tamis/format/format.hpp>

#include <cmath>
#include <cstring>

// Formats that a user might write; neither has a `load`.

/// Eight-bit integers with one scale, a power of two, in the row's head.
struct int8_by_row {
    static constexpr const char* name = "int8_by_row";
    using storage = std::int8_t;

    static constexpr std::size_t row_bytes(std::size_t n) { return sizeof(float) + n; }
    static float at(const std::byte* row, std::size_t i) {
        float scale;
        std::memcpy(&scale, row, sizeof scale);
        return scale * static_cast<float>(static_cast<std::int8_t>(row[sizeof scale + i]));
    }
    static void pack(std::span<const float> from, std::byte* row) {
        float largest = 0;
        for (const float value : from) {
            largest = std::fabs(value) > largest ? std::fabs(value) : largest;
        }
        float scale = 0x1p-60f;
        while (scale * 127 < largest) {
            scale *= 2;
        }
        std::memcpy(row, &scale, sizeof scale);
        for (std::size_t i = 0; i < from.size(); ++i) {
            row[sizeof scale + i] =
                static_cast<std::byte>(static_cast<std::int8_t>(std::lround(from[i] / scale)));
        }
    }
};

/// The upper three bytes of a float, the highest first, behind a byte that means nothing: nothing that a
/// vector could load.
struct three_bytes {
    static constexpr const char* name = "three_bytes";
    struct storage {
        unsigned char bytes[3];
    };

    static constexpr std::size_t row_bytes(std::size_t n) { return 3 * n + 1; }
    static float at(const std::byte* row, std::size_t i) {
        std::uint32_t bits = 0;
        const std::byte* const p = row + 1 + 3 * i;
        for (int k = 0; k < 3; ++k) {
            bits = (bits << 8) | static_cast<std::uint32_t>(p[k]);
        }
        bits <<= 8;
        float value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    static void pack(std::span<const float> from, std::byte* row) {
        row[0] = std::byte{0xab};
        for (std::size_t i = 0; i < from.size(); ++i) {
            std::uint32_t bits;
            std::memcpy(&bits, &from[i], sizeof bits);
            for (std::size_t k = 0; k < 3; ++k) {
                row[1 + 3 * i + k] = static_cast<std::byte>(bits >> (24 - 8 * k));
            }
        }
    }
};
