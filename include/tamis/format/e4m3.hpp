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
    std::byte in_memory[32];
#if defined(__AVX2__)
    const __m256i words = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m256i magnitudes = _mm256_and_si256(words, _mm256_set1_epi16(0x7f));
    const __m256i are_nan = _mm256_cmpeq_epi16(magnitudes, _mm256_set1_epi16(0x7f));
    const __m256i signs = _mm256_slli_epi16(_mm256_srli_epi16(words, 7), 15);
    const __m256i all = _mm256_or_si256(_mm256_or_si256(signs, _mm256_slli_epi16(magnitudes, 7)),
                                        _mm256_and_si256(are_nan, _mm256_set1_epi16(0x7c00)));
    std::memcpy(in_memory, &all, sizeof in_memory);
#else
    const bytes16 codes = load_bytes(p);
    const bytes16 is_nan = (bytes16)((codes & 0x7f) == 0x7f);
    const bytes16 upper = (codes & 0x80) | ((codes >> 1) & 0x3f) | (is_nan & 0x7c);
    const bytes16 lower = codes << 7;
    store_in_turns(lower, upper, in_memory);
#endif
    for (std::size_t v = 0; v < vectors_of_16; ++v) {
        out[v] = widen_to_vec::f16(in_memory + 2 * v * vec::size) * vec(256.0f);
    }
}

} // namespace detail

TAMIS_END
