#pragma once

#include <tamis/format/codes.hpp>

TAMIS_BEGIN

namespace detail {

/// Eight-bit floats of four exponent and three fraction bits (OCP's E4M3, PyTorch's float8_e4m3fn): the largest is 448, there
/// are no infinities, and 0x7f and 0xff are NaN. As binary16 they are the same bits a place lower, 2^-8 of the number; so
/// denormals are normal numbers here.
inline float e4m3(unsigned code) {
    const unsigned rest = code & 0x7fu;
    const auto half =
        static_cast<std::uint16_t>((code & 0x80u) << 8 | rest << 7 | (rest == 0x7fu ? 0x7c00u : 0u));
    return f16::widen(half) * 256.0f;
}

/// Sixteen of them.
TAMIS_DETAIL_INLINE void load_e4m3(const std::byte* p, vec* out) {
    const bytes16 codes = load_bytes(p);
    const bytes16 is_nan = (bytes16)((codes & 0x7f) == 0x7f);
    const bytes16 upper = (codes & 0x80) | ((codes >> 1) & 0x3f) | (is_nan & 0x7c);
    const bytes16 lower = codes << 7;
    const bytes32 halves =
        __builtin_shufflevector(lower, upper, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24,
                                9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    std::byte in_memory[32];
    std::memcpy(in_memory, &halves, sizeof in_memory);
    for (std::size_t v = 0; v < vectors_of_16; ++v) {
        out[v] = widen_to_vec::f16(in_memory + 2 * v * vec::size) * vec(256.0f);
    }
}

} // namespace detail

TAMIS_END
