#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

TAMIS_BEGIN

// Sixteen bytes at a time, by the compiler's own vectors: what codes of fewer than eight bits are put together with. Every
// instruction set has these operations.

namespace detail {

typedef std::uint8_t bytes16 __attribute__((vector_size(16)));

TAMIS_DETAIL_INLINE bytes16 load_bytes(const std::byte* p) {
    bytes16 bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

/// Byte k is 0xff where bit k is set, else 0.
TAMIS_DETAIL_INLINE bytes16 bytes_of_bits(std::uint32_t bits) {
    typedef std::uint64_t two_longs __attribute__((vector_size(16)));
    constexpr std::uint64_t everywhere = 0x0101010101010101u;
    const two_longs words = {(bits & 0xffu) * everywhere, ((bits >> 8) & 0xffu) * everywhere};
    constexpr bytes16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return (bytes16)(((bytes16)words & bit) == bit);
}

/// An integer of a row's memory, at any address.
template <class Integer>
TAMIS_DETAIL_INLINE Integer integer_at(const std::byte* p) {
    Integer value;
    std::memcpy(&value, p, sizeof value);
    return value;
}
TAMIS_DETAIL_INLINE unsigned byte_at(const std::byte* p, std::size_t i) {
    return static_cast<unsigned>(p[i]);
}

} // namespace detail

TAMIS_END
