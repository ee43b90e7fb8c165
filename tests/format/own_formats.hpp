#pragma once

#include <tamis/format/format.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

// Formats that a user might write.

/// Eight-bit integers with one scale, a power of two, in the row's head; without `load`.
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

/// Bytes in blocks with a scale and a minimum in front, as K-quants have them: `load` gives the weights as they are, and there
/// is a block but no scale to take out. A row is padded to whole blocks; the padding reads as NaN.
template <std::size_t Block>
struct scale_and_minimum {
    static constexpr const char* name = "scale_and_minimum";
    struct storage {
        float scale, minimum;
        std::uint8_t q[Block];
    };
    static constexpr std::size_t block = Block;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + Block - 1) / Block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        storage in_block;
        std::memcpy(&in_block, row + i / Block * sizeof(storage), sizeof in_block);
        const std::uint8_t q = in_block.q[i % Block];
        return q == 255 ? std::numeric_limits<float>::quiet_NaN()
                        : in_block.minimum + in_block.scale * static_cast<float>(q);
    }
    static tamis::detail::vec load(const std::byte* row, std::size_t i) {
        float weights[tamis::detail::vec::size];
        for (std::size_t k = 0; k < tamis::detail::vec::size; ++k) {
            weights[k] = at(row, i + k);
        }
        return tamis::detail::load(weights);
    }
    /// Weights k / 64 times a power of two, from -127 to 127, come back as they are.
    static void pack(std::span<const float> from, std::byte* row) {
        for (std::size_t first = 0; first < from.size(); first += Block, row += sizeof(storage)) {
            const auto weights = from.subspan(first, std::min(Block, from.size() - first));
            float largest = 0;
            for (const float w : weights) {
                largest = std::fabs(w) > largest ? std::fabs(w) : largest;
            }
            storage in_block{0x1p-60f, 0, {}};
            while (in_block.scale * 127 < largest) {
                in_block.scale *= 2;
            }
            in_block.minimum = -127 * in_block.scale;
            std::memset(in_block.q, 255, Block);
            for (std::size_t i = 0; i < weights.size(); ++i) {
                in_block.q[i] = static_cast<std::uint8_t>((weights[i] - in_block.minimum) / in_block.scale);
            }
            std::memcpy(row, &in_block, sizeof in_block);
        }
    }
};

/// The same weights in a format that has nothing but `at`; its blocks may have any length.
template <std::size_t Block>
struct blocks_by_at {
    using plain = scale_and_minimum<Block>;
    static constexpr const char* name = "blocks_by_at";
    using storage = typename plain::storage;
    static constexpr std::size_t block = Block;

    static constexpr std::size_t row_bytes(std::size_t n) { return plain::row_bytes(n); }
    static float at(const std::byte* row, std::size_t i) { return plain::at(row, i); }
    static void pack(std::span<const float> from, std::byte* row) { plain::pack(from, row); }
};

/// A scale in the row's head that `load` multiplies with itself: the row is the block, and there is no scale to take out.
struct scaled_by_itself {
    static constexpr const char* name = "scaled_by_itself";
    using storage = std::int8_t;
    static constexpr std::size_t block = tamis::whole_row;

    static constexpr std::size_t row_bytes(std::size_t n) { return int8_by_row::row_bytes(n); }
    static float at(const std::byte* row, std::size_t i) { return int8_by_row::at(row, i); }
    static tamis::detail::vec load(const std::byte* row, std::size_t i) {
        float weights[tamis::detail::vec::size];
        for (std::size_t k = 0; k < tamis::detail::vec::size; ++k) {
            weights[k] = at(row, i + k);
        }
        return tamis::detail::load(weights);
    }
    static void pack(std::span<const float> from, std::byte* row) { int8_by_row::pack(from, row); }
};
