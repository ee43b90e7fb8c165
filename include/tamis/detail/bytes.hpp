#pragma once

#include <tamis/detail/config.hpp>
#include <tamis/detail/simd.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

TAMIS_BEGIN

// Sixteen bytes at a time, by the compiler's own vectors: what codes of fewer than eight bits are put together with. Every
// instruction set has these operations.

namespace detail {

typedef std::uint8_t bytes16 __attribute__((vector_size(16)));

typedef std::uint8_t bytes32
    __attribute__((vector_size(32))); // by reference alone: not all machines have a register for it

TAMIS_DETAIL_INLINE void load_bytes(const std::byte* p, bytes32& bytes) {
    std::memcpy(&bytes, p, sizeof bytes);
}
/// The first sixteen, and the others. (g++ 11 has no builtin for it.)
TAMIS_DETAIL_INLINE void halves_of(const bytes32& bytes, bytes16& first, bytes16& second) {
#if __has_builtin(__builtin_shufflevector)
    first = __builtin_shufflevector(bytes, bytes, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    second =
        __builtin_shufflevector(bytes, bytes, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
#else
    std::byte in_memory[sizeof bytes];
    std::memcpy(in_memory, &bytes, sizeof bytes);
    std::memcpy(&first, in_memory, sizeof first);
    std::memcpy(&second, in_memory + sizeof first, sizeof second);
#endif
}
/// lower[0], upper[0], lower[1] ...
TAMIS_DETAIL_INLINE void store_in_turns(const bytes16& lower, const bytes16& upper, std::byte* memory) {
#if __has_builtin(__builtin_shufflevector)
    const bytes32 both =
        __builtin_shufflevector(lower, upper, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24,
                                9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    std::memcpy(memory, &both, sizeof both);
#else
    for (std::size_t i = 0; i < sizeof lower; ++i) {
        memory[2 * i] = std::byte{lower[i]};
        memory[2 * i + 1] = std::byte{upper[i]};
    }
#endif
}

TAMIS_DETAIL_INLINE bytes16 load_bytes(const std::byte* p) {
    bytes16 bytes;
    std::memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

/// Byte k is 0xff where bit k is set, else 0.
TAMIS_DETAIL_INLINE bytes16 bytes_of_bits(std::uint32_t bits) {
#if defined(__SSSE3__)
    const auto spread =
        (bytes16)_mm_shuffle_epi8(_mm_cvtsi32_si128(static_cast<int>(bits)),
                                  _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
#else
    typedef std::uint64_t two_longs __attribute__((vector_size(16)));
    constexpr std::uint64_t everywhere = 0x0101010101010101u;
    const two_longs words = {(bits & 0xffu) * everywhere, ((bits >> 8) & 0xffu) * everywhere};
    const auto spread = (bytes16)words;
#endif
    constexpr bytes16 bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return (bytes16)((spread & bit) == bit);
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
