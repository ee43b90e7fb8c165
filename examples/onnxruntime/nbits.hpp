#pragma once

#include "kernels.hpp"

#include <tamis/tamis.hpp>

#include <algorithm>
#include <cstring>

// What MatMulNBits has in three tensors, as rows of one format each: codes, scales and zero points as they are.

namespace tamis_onnx {
namespace TAMIS_LEVEL {

/// Codes of a byte in groups, each behind a scale and a zero point: a weight is scale * (q - zero), rounded once. For eight bits,
/// and for fewer in groups that int4_groups does not have.
template <std::size_t Group>
struct byte_groups {
    static constexpr const char* name = Group == 16 ? "byte_groups<16>" : "byte_groups<32>";
    struct storage {
        std::uint8_t scale[sizeof(float)];
        std::uint8_t zero;
        std::uint8_t q[Group];
    };
    static constexpr std::size_t block = Group, unit = 16, factors = 0;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const group = row + i / block * sizeof(storage);
        float scale;
        std::memcpy(&scale, group, sizeof scale);
        return scale *
               static_cast<float>(static_cast<int>(group[5 + i % block]) - static_cast<int>(group[4]));
    }
    static void load_unit(const std::byte* row, std::size_t i, const float*, tamis::detail::vec* out) {
        using tamis::detail::vec;
        const std::byte* const group = row + i / block * sizeof(storage);
        float scale;
        std::memcpy(&scale, group, sizeof scale);
        // q - 128 is a signed byte, and adding 128 - zero to it is exact
        tamis::detail::widen_to_vec::signed_bytes(tamis::detail::load_bytes(group + 5 + i % block) ^
                                                      static_cast<std::uint8_t>(128),
                                                  out);
        const vec rest(static_cast<float>(128 - static_cast<int>(group[4])));
        for (std::size_t v = 0; v < 16 / vec::size; ++v) {
            out[v] = (out[v] + rest) * vec(scale);
        }
    }
};

inline float number_at(const numbers& from, std::size_t i) {
    switch (from.type) {
        case element::f32: return static_cast<const float*>(from.data)[i];
        case element::f16: return tamis::f16::at(static_cast<const std::byte*>(from.data), i);
        default: return tamis::bf16::at(static_cast<const std::byte*>(from.data), i);
    }
}

/// Code i of bytes that have 8 / bits each, from the low bits up.
inline unsigned code_at(const std::uint8_t* bytes, std::size_t bits, std::size_t i) {
    const std::size_t each = 8 / bits;
    return bytes[i / each] >> (i % each * bits) & ((1u << bits) - 1);
}

/// Rows of a layer's outputs. The group of F divides the block, which has its scale and zero point in each.
template <class F>
void write_rows(const linear_layer& l, std::byte* out) {
    const std::size_t blocks = (l.inputs + l.block - 1) / l.block;
    const std::size_t bytes = l.block * l.bits / 8;
    const std::size_t zero_bytes = (blocks * l.bits + 7) / 8;
    constexpr bool in_nibbles = sizeof(typename F::storage) < F::block;
    constexpr unsigned most = in_nibbles ? 15 : 255;
    for (std::size_t o = l.first; o < l.first + l.outputs; ++o) {
        for (std::size_t i = 0; i < l.inputs; i += F::block) {
            const std::size_t b = o * blocks + i / l.block;
            unsigned zero = 1u << (l.bits - 1);
            if (l.unpacked_zero_points) {
                const float number = number_at(l.unpacked_zero_points, b);
                zero = number >= 0 && number <= 255 ? static_cast<unsigned>(number) : 256;
                if (static_cast<float>(zero) != number || zero > most + (in_nibbles ? 1 : 0)) {
                    tamis::fail_value(
                        "tamis: the zero points of MatMulNBits have to be whole numbers within its codes, "
                        "got %g; leave this FFN to ONNX Runtime",
                        static_cast<double>(number));
                }
            } else if (!l.zero_points.empty()) {
                zero = code_at(l.zero_points.data() + o * zero_bytes, l.bits, i / l.block);
            }
            typename F::storage group{};
            const float scale = number_at(l.scales, b);
            std::memcpy(group.scale, &scale, sizeof scale);
            group.zero = static_cast<std::uint8_t>(zero);
            const std::uint8_t* const codes = l.codes.data() + b * bytes;
            for (std::size_t k = 0; k < F::block; ++k) {
                const bool inside = i + k < l.inputs; // what pads a row is zero
                const unsigned q =
                    inside ? code_at(codes, l.bits, i % l.block + k) : std::min<unsigned>(zero, most);
                if constexpr (in_nibbles) { // sixteen low halves, and then the high ones
                    std::uint8_t& pair = group.q[k / 32 * 16 + k % 16];
                    pair = static_cast<std::uint8_t>(pair | q << (k % 32 < 16 ? 0 : 4));
                } else {
                    group.q[k] = static_cast<std::uint8_t>(q);
                }
            }
            std::memcpy(out, &group, sizeof group);
            out += sizeof group;
        }
    }
}

} // namespace TAMIS_LEVEL
} // namespace tamis_onnx
