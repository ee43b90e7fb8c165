#pragma once

#include <tamis/detail/bytes.hpp>
#include <tamis/format/f16.hpp>

TAMIS_BEGIN

// What formats say their weights as integers with: F::codes, which integer products are made of (see weight_format).

namespace detail {

template <class F>
concept has_codes = requires(const std::byte* row, std::size_t n, bytes32* out, float* numbers) {
    { F::codes::unit } -> std::convertible_to<std::size_t>;
    { F::codes::run } -> std::convertible_to<std::size_t>;
    { F::codes::at(row, n) } -> std::same_as<int>;
    F::codes::load(row, n, out);
    F::codes::numbers(row, n, n, numbers, numbers);
};

/// Codes and their zero; the smallest is -zero, the largest Most - zero.
template <std::size_t Unit, std::size_t Run, int Most, int Zero = 0>
struct unsigned_codes {
    static constexpr std::size_t unit = Unit, run = Run;
    static constexpr int most = Most, zero = Zero;
    static constexpr bool are_signed = false, has_offset = false;
};
template <std::size_t Unit, std::size_t Run>
struct signed_codes {
    static constexpr std::size_t unit = Unit, run = Run;
    static constexpr int most = 127, zero = 0;
    static constexpr bool are_signed = true, has_offset = false;
};

/// Those of blocks of 32 that hold sixteen bytes from byte At on, low halves first: of them four are loaded at once, where that pays.
template <std::size_t At, class Codes>
struct in_halves : Codes {
    static constexpr std::size_t halves_at = At;
};

/// As load_bytes; g++ 12 makes halves of that where it is not told the instruction, and waits for them.
TAMIS_DETAIL_INLINE void load_32(const std::byte* p, bytes32& bytes) {
#if defined(__AVX2__)
    bytes = (bytes32)_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
#else
    load_bytes(p, bytes);
#endif
}
/// The low halves of sixteen bytes, and then the high ones.
TAMIS_DETAIL_INLINE void load_halves(const std::byte* p, bytes32& codes) {
#if defined(__AVX2__)
    const __m256i twice = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    codes = (bytes32)_mm256_and_si256(_mm256_srlv_epi32(twice, _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4)),
                                      _mm256_set1_epi8(15));
#else
    const bytes16 both = load_bytes(p);
    const bytes16 halves[2] = {both & 15, both >> 4};
    std::memcpy(&codes, halves, sizeof codes);
#endif
}
/// Byte k is `value` where bit k is set, else 0.
TAMIS_DETAIL_INLINE void value_where(std::uint32_t bits, std::uint8_t value, bytes32& bytes) {
#if defined(__AVX2__)
    const __m256i byte_of = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit_of = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i everywhere = _mm256_set1_epi32(static_cast<int>(bits));
    const __m256i its_bit = _mm256_and_si256(_mm256_shuffle_epi8(everywhere, byte_of), bit_of);
    bytes = (bytes32)_mm256_and_si256(_mm256_cmpeq_epi8(its_bit, bit_of),
                                      _mm256_set1_epi8(static_cast<char>(value)));
#else
    const bytes16 halves[2] = {bytes_of_bits(bits) & value, bytes_of_bits(bits >> 16) & value};
    std::memcpy(&bytes, halves, sizeof bytes);
#endif
}
/// Entries of a table by the codes 0 .. 15.
TAMIS_DETAIL_INLINE void look_up(const std::int8_t (&table)[16], bytes32& codes) {
#if defined(__AVX2__)
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    codes = (bytes32)_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries), (__m256i)codes);
#else
    for (int k = 0; k < 32; ++k) {
        codes[k] = static_cast<std::uint8_t>(table[codes[k]]);
    }
#endif
}
/// The bytes >> shift; what comes in from their neighbours is to be masked away.
TAMIS_DETAIL_INLINE void shift_bytes(bytes32& bytes, unsigned shift) {
    typedef std::uint16_t words __attribute__((vector_size(32)));
    bytes = (bytes32)((words)bytes >> static_cast<std::uint16_t>(shift));
}

/// Eight bytes, from 0 to 127 or signed, times a factor.
TAMIS_DETAIL_INLINE void eight_numbers(std::uint64_t bytes, float factor, float* out) {
#if defined(__AVX2__)
    const __m256i wide = _mm256_cvtepi8_epi32(_mm_set_epi64x(0, static_cast<long long>(bytes)));
    _mm256_storeu_ps(out, _mm256_mul_ps(_mm256_cvtepi32_ps(wide), _mm256_set1_ps(factor)));
#else
    for (std::size_t k = 0; k < 8; ++k) {
        out[k] = factor *
                 static_cast<float>(static_cast<std::int8_t>(static_cast<std::uint8_t>(bytes >> (8 * k))));
    }
#endif
}

} // namespace detail

TAMIS_END
