#pragma once

#include <tamis/kernel/code_units.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Formats whose blocks of 32 codes are sixteen bytes, low halves first (q4_0 and the like), by vectors of 64 bytes: four blocks of a
// row in one of them. So a block takes a third of the instructions that it takes alone, which is what these formats are bound by.

namespace detail {

/// Whether F's blocks are such, and this target has the vectors and the sums of four products.
template <class F>
inline constexpr bool takes_four_blocks = [] {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    return requires { F::codes::halves_at; };
#else
    return false;
#endif
}();

#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)

template <class F>
inline constexpr bool looks_up_codes = F::codes::are_signed && requires { F::table; };

template <class F>
struct four_blocks {
    using C = typename F::codes;
    static constexpr std::size_t count = 4;
    static constexpr std::size_t weights = count * block_of<F>;
    static constexpr std::size_t block_bytes = sizeof(typename F::storage);
    static constexpr std::size_t bytes = count * block_bytes;
    /// What codes() are too large by.
    static constexpr int zero = looks_up_codes<F> ? 128 : C::zero;

    /// The bytes of four blocks, a block in each 128 bits.
    TAMIS_DETAIL_INLINE static __m512i load(const std::byte* first) {
        __m512i all = _mm512_castsi128_si512(load_one(first));
        all = _mm512_inserti32x4(all, load_one(first + block_bytes), 1);
        all = _mm512_inserti32x4(all, load_one(first + 2 * block_bytes), 2);
        return _mm512_inserti32x4(all, load_one(first + 3 * block_bytes), 3);
    }
    /// The codes of their low halves, or of what was shifted there; none is negative.
    TAMIS_DETAIL_INLINE static __m512i codes(__m512i pairs) {
        const __m512i low = _mm512_and_si512(pairs, _mm512_set1_epi8(15));
        if constexpr (looks_up_codes<F>) {
            const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(F::table));
            const __m128i from_0 = _mm_xor_si128(entries, _mm_set1_epi8(-128));
            return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(from_0), low);
        } else {
            return low;
        }
    }
    TAMIS_DETAIL_INLINE static __m512i high_codes(__m512i pairs) {
        return codes(_mm512_srli_epi16(pairs, 4));
    }

  private:
    TAMIS_DETAIL_INLINE static __m128i load_one(const std::byte* block) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + C::halves_at));
    }
};

/// What is asked for while blocks [from, from + a stretch) of a pass are read, of blocks [start, last): so many blocks ahead in the same
/// rows, or in the next ones.
template <class F, std::size_t Count>
class blocks_ahead {
    static constexpr std::size_t block_bytes = four_blocks<F>::block_bytes;

  public:
    TAMIS_DETAIL_INLINE blocks_ahead(const rows_of_pass<Count>& rows, std::size_t from, std::size_t start,
                                     std::size_t last) {
        const std::size_t ahead = code_bytes_ahead((last - start) * block_bytes) / block_bytes;
        for (std::size_t k = 0; k < Count; ++k) {
            at_[k] = from + ahead < last ? rows.now[k] + (from + ahead) * block_bytes
                                         : rows.next[k] + (start + from + ahead - last) * block_bytes;
        }
    }
    /// A line of each row for the stretch's turn-th four blocks.
    template <std::size_t... K>
    TAMIS_DETAIL_INLINE void ask(std::size_t turn, std::index_sequence<K...>) const {
        (prefetch(at_[K] + 64 * turn), ...);
        if (turn == 0) { // a stretch takes a little more than four lines
            (prefetch(at_[K] + 256), ...);
        }
    }

  private:
    const std::byte* at_[Count];
};

/// For each lane, of which every four are a block's: its number among sixteen, of the blocks from `first` on.
TAMIS_DETAIL_INLINE __m512i lanes_of_blocks(std::size_t first) {
    const __m512i of_four = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return _mm512_add_epi32(of_four, _mm512_set1_epi32(static_cast<int>(first)));
}

#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
