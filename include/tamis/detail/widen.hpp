#pragma once

#include <tamis/detail/bytes.hpp>
#include <tamis/detail/simd.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// Vectors of floats from what takes fewer bits in memory. xsimd has no widening of small lanes in all of its versions, and
// of a plain loop over a vector's lanes g++ makes, where it does not unroll it (-O2), a store a lane and a load that has
// to wait for all of them: several times slower than no vectors at all. So what each instruction set has for it stands
// here, a struct for each width of register:
//     bf16, f16 (IEEE binary16, exactly; NaN comes out quiet), int8   // vec::size of them at p as floats
//     nibbles                                                        // the low and the high halves of bytes, less 8
//     halves                                                         // the same as they are, 0 .. 15
//     signed_bytes                                                   // sixteen bytes that are in a register

namespace detail {

/// For instruction sets that are not named: the compiler's own vectors.
template <class Vector>
struct widening {
    template <class Element>
    struct own { // an alias template would lose the attribute
        typedef Element lanes __attribute__((vector_size(sizeof(Element) * Vector::size)));
    };
    using words = typename own<std::uint32_t>::lanes;
    using integers = typename own<std::int32_t>::lanes;
    using floats = typename own<float>::lanes;

    static Vector bf16(const void* p) {
        words bits;
        load_words<std::uint16_t>(p, bits);
        return from(bits << 16);
    }
    static Vector f16(const void* p) {
        words bits;
        load_words<std::uint16_t>(p, bits);
        const words rest = bits & 0x7fffu;
        const words large = (rest << 13) + (112u << 23) + ((words)(rest > 0x7bffu) & (112u << 23));
        const words quiet = (words)(rest > 0x7c00u) & 0x400000u;
        const words is_small = (words)(rest < 0x400u);
        const floats tiny = __builtin_convertvector((integers)rest, floats) * 0x1p-24f;
        return from(((bits & 0x8000u) << 16) | ((words)tiny & is_small) | ((large | quiet) & ~is_small));
    }
    static Vector int8(const void* p) {
        words bits;
        load_words<std::uint8_t>(p, bits);
        return from(__builtin_convertvector((integers)(bits << 24) >> 24, floats));
    }
    static void nibbles(const void* p, Vector& low, Vector& high) {
        words bytes;
        load_words<std::uint8_t>(p, bytes);
        low = from(__builtin_convertvector((integers)(bytes & 15u) - 8, floats));
        high = from(__builtin_convertvector((integers)(bytes >> 4) - 8, floats));
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        words bytes;
        load_words<std::uint8_t>(p, bytes);
        low = from(__builtin_convertvector((integers)(bytes & 15u), floats));
        high = from(__builtin_convertvector((integers)(bytes >> 4), floats));
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        std::byte in_memory[16];
        std::memcpy(in_memory, &bytes, sizeof in_memory);
        for (std::size_t v = 0; v < 16 / Vector::size; ++v) {
            out[v] = int8(in_memory + v * Vector::size);
        }
    }

  private:
    // By reference: g++ warns of vectors as results that no register of the machine holds.
    template <class Element>
    static void load_words(const void* p, words& out) {
        typename own<Element>::lanes elements;
        std::memcpy(&elements, p, sizeof elements);
        out = __builtin_convertvector(elements, words);
    }
    template <class Lanes>
    static Vector from(const Lanes& lanes) {
        float values[Vector::size];
        std::memcpy(values, &lanes, sizeof values);
        return Vector::load_unaligned(values);
    }
};

#if defined(__SSE2__)
/// Four lanes: all that the x86-64 baseline has.
struct widening_by_four {
    static __m128i four_bytes(const void* p) {
        int word;
        std::memcpy(&word, p, sizeof word);
        return _mm_cvtsi32_si128(word);
    }
    static __m128i four_halves(const void* p) { return _mm_loadl_epi64(static_cast<const __m128i*>(p)); }

    static __m128 bf16(const void* p) {
        return _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), four_halves(p)));
    }
    /// In integers, but for denormals, which a float holds as normal numbers: as f16::widen.
    static __m128 f16(const void* p) {
        const __m128i bits = _mm_unpacklo_epi16(four_halves(p), _mm_setzero_si128());
        const __m128i rest = _mm_and_si128(bits, _mm_set1_epi32(0x7fff));
        const __m128i sign = _mm_slli_epi32(_mm_xor_si128(bits, rest), 16);
        const __m128i step = _mm_set1_epi32(112 << 23);
        const __m128i is_infinite = _mm_cmpgt_epi32(rest, _mm_set1_epi32(0x7bff)); // or NaN
        const __m128i is_nan = _mm_cmpgt_epi32(rest, _mm_set1_epi32(0x7c00));
        const __m128i is_small = _mm_cmpgt_epi32(_mm_set1_epi32(0x400), rest);
        const __m128i tiny = _mm_castps_si128(_mm_mul_ps(_mm_cvtepi32_ps(rest), _mm_set1_ps(0x1p-24f)));
        __m128i large = _mm_add_epi32(_mm_slli_epi32(rest, 13), step);
        large = _mm_add_epi32(large, _mm_and_si128(is_infinite, step));
        large = _mm_or_si128(large, _mm_and_si128(is_nan, _mm_set1_epi32(0x400000)));
        const __m128i magnitude =
            _mm_or_si128(_mm_and_si128(is_small, tiny), _mm_andnot_si128(is_small, large));
        return _mm_castsi128_ps(_mm_or_si128(sign, magnitude));
    }
    static __m128 int8(const void* p) {
#if defined(__SSE4_1__)
        return _mm_cvtepi32_ps(_mm_cvtepi8_epi32(four_bytes(p)));
#else
        const __m128i none = _mm_setzero_si128();
        const __m128i upper = _mm_unpacklo_epi16(none, _mm_unpacklo_epi8(none, four_bytes(p)));
        return _mm_cvtepi32_ps(_mm_srai_epi32(upper, 24));
#endif
    }
    static void nibbles(const void* p, __m128& low, __m128& high) {
        const __m128i bytes = four_words(p);
        const __m128i eight = _mm_set1_epi32(8);
        low = _mm_cvtepi32_ps(_mm_sub_epi32(_mm_and_si128(bytes, _mm_set1_epi32(15)), eight));
        high = _mm_cvtepi32_ps(_mm_sub_epi32(_mm_srli_epi32(bytes, 4), eight));
    }
    static void halves(const void* p, __m128& low, __m128& high) {
        const __m128i bytes = four_words(p);
        low = _mm_cvtepi32_ps(_mm_and_si128(bytes, _mm_set1_epi32(15)));
        high = _mm_cvtepi32_ps(_mm_srli_epi32(bytes, 4));
    }

  private:
    /// Four bytes without signs.
    static __m128i four_words(const void* p) {
#if defined(__SSE4_1__)
        return _mm_cvtepu8_epi32(four_bytes(p));
#else
        const __m128i none = _mm_setzero_si128();
        return _mm_unpacklo_epi16(_mm_unpacklo_epi8(four_bytes(p), none), none);
#endif
    }
};
template <class Vector>
    requires requires(__m128 lanes) { Vector(lanes); }
struct widening<Vector> {
    static Vector bf16(const void* p) { return Vector(widening_by_four::bf16(p)); }
    static Vector f16(const void* p) { return Vector(widening_by_four::f16(p)); }
    static Vector int8(const void* p) { return Vector(widening_by_four::int8(p)); }
    static void nibbles(const void* p, Vector& low, Vector& high) {
        __m128 lows, highs;
        widening_by_four::nibbles(p, lows, highs);
        low = Vector(lows);
        high = Vector(highs);
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        __m128 lows, highs;
        widening_by_four::halves(p, lows, highs);
        low = Vector(lows);
        high = Vector(highs);
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        std::byte in_memory[16];
        std::memcpy(in_memory, &bytes, sizeof in_memory);
        for (std::size_t v = 0; v < 4; ++v) {
            out[v] = int8(in_memory + 4 * v);
        }
    }
};
#endif

#if defined(__AVX__)
/// Eight lanes. AVX without AVX2 has no integers of that width: twice four.
template <class Vector>
    requires requires(__m256 lanes) { Vector(lanes); }
struct widening<Vector> {
    using four = widening_by_four;

    static __m256 joined(__m128 first, __m128 second) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(first), second, 1);
    }
    static const std::byte* at(const void* p, std::size_t bytes) {
        return static_cast<const std::byte*>(p) + bytes;
    }
#if defined(__AVX2__)
    static Vector bf16(const void* p) {
        const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
        return Vector(_mm256_castsi256_ps(_mm256_slli_epi32(words, 16)));
    }
    static Vector int8(const void* p) {
        const __m128i bytes = _mm_loadl_epi64(static_cast<const __m128i*>(p));
        return Vector(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
    }
    static void nibbles(const void* p, Vector& low, Vector& high) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
        const __m256i eight = _mm256_set1_epi32(8);
        const __m256i lows = _mm256_and_si256(bytes, _mm256_set1_epi32(15));
        low = Vector(_mm256_cvtepi32_ps(_mm256_sub_epi32(lows, eight)));
        high = Vector(_mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(bytes, 4), eight)));
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(static_cast<const __m128i*>(p)));
        low = Vector(_mm256_cvtepi32_ps(_mm256_and_si256(bytes, _mm256_set1_epi32(15))));
        high = Vector(_mm256_cvtepi32_ps(_mm256_srli_epi32(bytes, 4)));
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        const auto all = (__m128i)bytes;
        out[0] = Vector(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(all)));
        out[1] = Vector(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(all, all))));
    }
#else
    static Vector bf16(const void* p) { return Vector(joined(four::bf16(p), four::bf16(at(p, 8)))); }
    static Vector int8(const void* p) { return Vector(joined(four::int8(p), four::int8(at(p, 4)))); }
    static void nibbles(const void* p, Vector& low, Vector& high) {
        __m128 lows[2], highs[2];
        four::nibbles(p, lows[0], highs[0]);
        four::nibbles(at(p, 4), lows[1], highs[1]);
        low = Vector(joined(lows[0], lows[1]));
        high = Vector(joined(highs[0], highs[1]));
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        __m128 lows[2], highs[2];
        four::halves(p, lows[0], highs[0]);
        four::halves(at(p, 4), lows[1], highs[1]);
        low = Vector(joined(lows[0], lows[1]));
        high = Vector(joined(highs[0], highs[1]));
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        std::byte in_memory[16];
        std::memcpy(in_memory, &bytes, sizeof in_memory);
        out[0] = int8(in_memory);
        out[1] = int8(in_memory + 8);
    }
#endif
    static Vector f16(const void* p) {
#if defined(__F16C__)
        return Vector(_mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i*>(p))));
#else
        return Vector(joined(four::f16(p), four::f16(at(p, 8))));
#endif
    }
};
#endif

#if defined(__AVX512F__)
/// Sixteen lanes.
template <class Vector>
    requires requires(__m512 lanes) { Vector(lanes); }
struct widening<Vector> {
    static Vector bf16(const void* p) {
        const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
        return Vector(_mm512_castsi512_ps(_mm512_slli_epi32(words, 16)));
    }
    static Vector f16(const void* p) {
        return Vector(_mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p))));
    }
    static Vector int8(const void* p) {
        const __m128i bytes = _mm_loadu_si128(static_cast<const __m128i*>(p));
        return Vector(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
    }
    /// A permutation looks at four bits of an index: it is table and mask in one.
    static void nibbles(const void* p, Vector& low, Vector& high) {
        const __m512 table = _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
        low = Vector(_mm512_permutexvar_ps(bytes, table));
        high = Vector(_mm512_permutexvar_ps(_mm512_srli_epi32(bytes, 4), table));
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(static_cast<const __m128i*>(p)));
        low = Vector(_mm512_cvtepi32_ps(_mm512_and_si512(bytes, _mm512_set1_epi32(15))));
        high = Vector(_mm512_cvtepi32_ps(_mm512_srli_epi32(bytes, 4)));
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        *out = Vector(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)bytes)));
    }
};
#endif

#if defined(__ARM_NEON) && defined(__aarch64__) && !defined(__AARCH64EB__)
/// Four lanes of 64-bit ARM. (What g++ makes of the vectors above takes three to ten times as many instructions.)
template <class Vector>
    requires requires(float32x4_t lanes) { Vector(lanes); }
struct widening<Vector> {
    static Vector bf16(const void* p) {
        return Vector(vreinterpretq_f32_u32(vshll_n_u16(loaded<uint16x4_t>(p), 16)));
    }
    static Vector f16(const void* p) { return Vector(vcvt_f32_f16(loaded<float16x4_t>(p))); }
    static Vector int8(const void* p) { return four_signed(four_bytes(p)); }
    static void nibbles(const void* p, Vector& low, Vector& high) {
        const uint8x8_t bytes = four_bytes(p);
        const uint8x8_t eight = vdup_n_u8(8);
        low = four_signed(vsub_u8(vand_u8(bytes, vdup_n_u8(15)), eight));
        high = four_signed(vsub_u8(vshr_n_u8(bytes, 4), eight));
    }
    static void halves(const void* p, Vector& low, Vector& high) {
        const uint8x8_t bytes = four_bytes(p);
        low = four_signed(vand_u8(bytes, vdup_n_u8(15)));
        high = four_signed(vshr_n_u8(bytes, 4));
    }
    static void signed_bytes(const bytes16& bytes, Vector* out) {
        const auto all = loaded<int8x16_t>(&bytes);
        const int16x8_t first = vmovl_s8(vget_low_s8(all));
        const int16x8_t second = vmovl_high_s8(all);
        out[0] = Vector(vcvtq_f32_s32(vmovl_s16(vget_low_s16(first))));
        out[1] = Vector(vcvtq_f32_s32(vmovl_high_s16(first)));
        out[2] = Vector(vcvtq_f32_s32(vmovl_s16(vget_low_s16(second))));
        out[3] = Vector(vcvtq_f32_s32(vmovl_high_s16(second)));
    }

  private:
    template <class Register>
    static Register loaded(const void* p) { // at any address
        Register all;
        std::memcpy(&all, p, sizeof all);
        return all;
    }
    static uint8x8_t four_bytes(const void* p) {
        return vreinterpret_u8_u32(vdup_n_u32(loaded<std::uint32_t>(p)));
    }
    static Vector four_signed(uint8x8_t bytes) {
        return Vector(vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(bytes))))));
    }
};
#endif

using widen_to_vec = widening<vec>;

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
