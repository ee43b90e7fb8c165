#pragma once

#include <tamis/format/format.hpp>

#include <cstring>
#include <set>

/// A format that notes which bytes of which memory are read as weights: floats, without a `load`, so that no
/// weight is read but through `at`.
struct spy {
    static constexpr const char* name = "spy";
    using storage = float;

    static constexpr std::size_t row_bytes(std::size_t n) { return n * sizeof(float); }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const from = row + i * sizeof(float);
        read.insert(from);
        float weight;
        std::memcpy(&weight, from, sizeof weight);
        return weight;
    }
    static void pack(std::span<const float> from, std::byte* row) {
        std::memcpy(row, from.data(), from.size_bytes());
    }

    static std::size_t bytes_read() { return read.size() * sizeof(float); }

    inline static std::set<const std::byte*> read;
};
