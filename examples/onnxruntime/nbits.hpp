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
/// The first `count` of them, a byte each; a constant number of bits makes vectors of it.
template <std::size_t Bits>
void unpack_codes(const std::uint8_t* bytes, std::size_t count, std::uint8_t* out) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<std::uint8_t>(code_at(bytes, Bits, i));
    }
}
/// The zero point of a block, whole and within what a group holds.
inline unsigned zero_at(const linear_layer& l, std::size_t output, std::size_t block, unsigned most) {
    const std::size_t blocks = (l.inputs + l.block - 1) / l.block;
    if (l.unpacked_zero_points) {
        const float number = number_at(l.unpacked_zero_points, output * blocks + block);
        const unsigned zero =
            number >= 0 && number <= static_cast<float>(most) ? static_cast<unsigned>(number) : most + 1;
        if (static_cast<float>(zero) != number) {
            tamis::fail_value(
                "tamis: the zero points of MatMulNBits have to be whole numbers within its codes, got %g; "
                "leave this FFN to ONNX Runtime",
                static_cast<double>(number));
        }
        return zero;
    }
    const std::size_t bytes = (blocks * l.bits + 7) / 8;
    return l.zero_points.empty() ? 1u << (l.bits - 1)
                                 : code_at(l.zero_points.data() + output * bytes, l.bits, block);
}

/// Rows of a layer's outputs. The group of F divides the block, which has its scale and zero point in each.
template <class F>
void write_rows(const linear_layer& l, std::byte* out) {
    const std::size_t blocks = (l.inputs + l.block - 1) / l.block;
    constexpr bool in_nibbles = sizeof(typename F::storage) < F::block;
    constexpr unsigned most = in_nibbles ? 16 : 255;
    const auto unpack = l.bits == 8 ? unpack_codes<8> : l.bits == 4 ? unpack_codes<4> : unpack_codes<2>;
    for (std::size_t o = l.first; o < l.first + l.outputs; ++o) {
        for (std::size_t i = 0; i < l.inputs; i += F::block) {
            const std::size_t b = o * blocks + i / l.block;
            const unsigned zero = zero_at(l, o, i / l.block, most);
            typename F::storage group{};
            const float scale = number_at(l.scales, b);
            std::memcpy(group.scale, &scale, sizeof scale);
            group.zero = static_cast<std::uint8_t>(zero);
            std::uint8_t q[F::block];
            const std::size_t inside = std::min(F::block, l.inputs - i);
            unpack(l.codes.data() + (b * l.block + i % l.block) * l.bits / 8, inside, q);
            std::fill(q + inside, q + F::block,
                      static_cast<std::uint8_t>(in_nibbles ? std::min(zero, 15u) : zero));
            if constexpr (in_nibbles) { // of each 32, sixteen low halves and then the high ones
                for (std::size_t k = 0; k < F::block / 2; ++k) {
                    const std::size_t low = k / 16 * 32 + k % 16;
                    group.q[k] = static_cast<std::uint8_t>(q[low] | q[low + 16] << 4);
                }
            } else {
                std::copy(q, q + F::block, group.q);
            }
            std::memcpy(out, &group, sizeof group);
            out += sizeof group;
        }
    }
}

} // namespace TAMIS_LEVEL
} // namespace tamis_onnx
