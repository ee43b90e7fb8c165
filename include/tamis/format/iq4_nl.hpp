#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Four-bit codes for the sixteen numbers of a table, in blocks of 32 with an f16 scale in front: ggml's IQ4_NL, in the order
/// of q4_0. A weight is scale * table[q], exactly. It is read alone: ggml's quantiser searches. A row is padded to whole
/// blocks.
struct iq4_nl {
    static constexpr const char* name = "iq4_nl";
    struct storage {
        std::uint16_t scale;
        std::uint8_t q[16];
    };
    static constexpr std::size_t block = 32, unit = 32, factors = 1;
    /// What the codes mean, before the scale.
    static constexpr std::int8_t table[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                              1,    13,   25,  38,  53,  69,  89,  113};

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const unsigned pair = detail::byte_at(in_block, 2 + i % 16);
        return f16::at(in_block, 0) * static_cast<float>(table[i % block < 16 ? pair & 15u : pair >> 4]);
    }
    static void unpack_factors(const std::byte* row, std::size_t i, std::size_t units, float* out) {
        detail::scales_of_units(row + i / block * sizeof(storage), sizeof(storage), units, out);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* scale,
                                              detail::vec* out) {
        detail::looked_up_halves(row + i / block * sizeof(storage) + 2, table, *scale, out);
    }
    struct codes : detail::in_halves<2, detail::signed_codes<32, 32>> {
        static constexpr int reach = 127;
        static int at(const std::byte* row, std::size_t i) {
            const unsigned pair = detail::byte_at(row, i / block * sizeof(storage) + 2 + i % 16);
            return table[i % block < 16 ? pair & 15u : pair >> 4];
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            detail::load_halves(row + i / block * sizeof(storage) + 2, *out);
            detail::look_up(table, *out);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            detail::scales_of_blocks(row + i / block * sizeof(storage), sizeof(storage), runs, 1.0f, scales);
        }
    };
};
static_assert(sizeof(iq4_nl::storage) == 18);

TAMIS_END
