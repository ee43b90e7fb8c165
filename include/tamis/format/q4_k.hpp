#pragma once

#include <tamis/format/integer_codes.hpp>
#include <tamis/format/k_scales.hpp>

#include <utility>

TAMIS_BEGIN

/// Four-bit integers in blocks of 256, of which each run of 32 has a scale and a minimum of six bits: ggml's Q4_K. A weight
/// is (d * s) * q - (dmin * m) with q = 0 .. 15; the products are exact, the difference is rounded once. It is read alone:
/// ggml's quantiser searches. Rows are whole blocks.
struct q4_k {
    static constexpr const char* name = "q4_k";
    struct storage {
        std::uint16_t d, dmin;
        std::uint8_t scales[12];
        /// The low four bits, two codes a byte.
        std::uint8_t q[128];
    };
    static constexpr std::size_t block = 256, unit = 64, factors = 4;
    static constexpr bool whole_blocks = true;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::size_t run = i % block / 32;
        const unsigned pair = detail::byte_at(in_block, 16 + run / 2 * 32 + i % 32);
        const unsigned q = run % 2 == 0 ? pair & 15u : pair >> 4;
        const detail::k_run by = detail::k_run_at(in_block, run);
        return by.scale * static_cast<float>(static_cast<int>(q)) - by.minimum;
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::k_factors<true>(row, sizeof(storage), i / unit, units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* by,
                                              detail::vec* out) {
        visit_unit(
            row, i,
            by, [&](auto v, const detail::vec& weights) __attribute__((always_inline)) { out[v] = weights; });
    }
    /// each(v, vector v of the unit), one pair after the other: few are in registers at a time.
    template <class Each>
    TAMIS_DETAIL_INLINE static void visit_unit(const std::byte* row, std::size_t i, const float* by,
                                               Each&& each) {
        visit_pairs(row + i / block * sizeof(storage) + 16 + i % block / 2, by, each,
                    std::make_index_sequence<32 / detail::vec::size>{});
    }
    struct codes : detail::unsigned_codes<64, 32, 15> {
        static constexpr bool has_offset = true;
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const in_block = row + i / block * sizeof(storage);
            const unsigned pair = detail::byte_at(in_block, 16 + i % block / 64 * 32 + i % 32);
            return static_cast<int>(i % 64 < 32 ? pair & 15u : pair >> 4);
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_32(row + i / block * sizeof(storage) + 16 + i % block / 2, out[0]);
            out[1] = out[0];
            detail::shift_bytes(out[1], 4);
            out[0] &= 15;
            out[1] &= 15;
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales,
                            float* offsets) {
            detail::k_numbers(row + i / block * sizeof(storage), sizeof(storage), runs, scales, offsets);
        }
    };

  private:
    template <class Each, std::size_t... V>
    TAMIS_DETAIL_INLINE static void visit_pairs(const std::byte* q, const float* by, Each& each,
                                                std::index_sequence<V...>) {
        using detail::vec;
        const detail::affine_of_halves both{vec(by[0]), vec(by[2]), vec(by[1]), vec(by[3])};
        vec low, high;
        ((detail::affine_halves(q + V * vec::size, both, low, high),
          each(std::integral_constant<std::size_t, V>{}, low),
          each(std::integral_constant<std::size_t, V + sizeof...(V)>{}, high)),
         ...);
    }
};
static_assert(sizeof(q4_k::storage) == 144);

TAMIS_END
