#pragma once

#include <tamis/format/format.hpp>

#include <cstring>

TAMIS_BEGIN

/// 32-bit floats as they are.
struct f32 {
    static constexpr const char* name = "f32";
    using storage = float;

    static constexpr std::size_t row_bytes(std::size_t n) { return n * sizeof(float); }
    static float at(const std::byte* row, std::size_t i) {
        float weight;
        std::memcpy(&weight, row + i * sizeof(float), sizeof weight);
        return weight;
    }
    static detail::vec load(const std::byte* row, std::size_t i) {
        return detail::load(reinterpret_cast<const float*>(row) + i);
    }
    static void pack(std::span<const float> from, std::byte* row) {
        if (!from.empty()) {
            std::memcpy(row, from.data(), from.size_bytes());
        }
    }
};

TAMIS_END
