#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Four-bit integers in groups of 32, 64 or 128, each behind a scale and a zero point: what AWQ, GPTQ and ONNX's MatMulNBits
/// have in three tensors, of which repack_awq, repack_gptq, repack_gptq_v2 and repack_matmul_nbits make rows, codes and
/// scales as they are. A weight is scale * (q - zero) with q = 0 .. 15 and zero = 0 .. 16: exact where the scale was a
/// binary16, else rounded to a float. Each 32 codes lie in the order of q4_0. Five bytes of a group are its scale (a float)
/// and its zero point: 5.25, 4.625 or 4.31 bits a weight. Read alone; a row is padded to whole groups.
template <std::size_t Group>
struct int4_groups {
    static_assert(Group == 32 || Group == 64 || Group == 128,
                  "tamis::int4_groups: a group is 32, 64 or 128 weights");
    static constexpr const char* name = Group == 32   ? "int4_groups<32>"
                                        : Group == 64 ? "int4_groups<64>"
                                                      : "int4_groups<128>";
    struct storage {
        /// A float32.
        std::uint8_t scale[sizeof(float)];
        /// The zero point.
        std::uint8_t zero;
        /// Codes, two a byte.
        std::uint8_t q[Group / 2];
    };
    static constexpr std::size_t block = Group, unit = 32, factors = 0;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const group = row + i / block * sizeof(storage);
        const unsigned pair = detail::byte_at(group, 5 + i % block / 32 * 16 + i % 16);
        const unsigned q = i % 32 < 16 ? pair & 15u : pair >> 4;
        const auto step = static_cast<std::int8_t>(static_cast<std::uint8_t>(q - detail::byte_at(group, 4)));
        return static_cast<float>(step) * detail::integer_at<float>(group);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float*,
                                              detail::vec* out) {
        const std::byte* const group = row + i / block * sizeof(storage);
        const auto scale = detail::integer_at<float>(group);
        const auto zero = static_cast<std::uint8_t>(group[4]);
        const detail::bytes16 q = detail::load_bytes(group + 5 + i % block / 2);
        detail::scaled_bytes((q & 15) - zero, scale, out);
        detail::scaled_bytes((q >> 4) - zero, scale, out + detail::vectors_of_16);
    }
    struct codes : detail::signed_codes<32, 32> {
        static int at(const std::byte* row, std::size_t i) {
            const std::byte* const group = row + i / block * sizeof(storage);
            const unsigned pair = detail::byte_at(group, 5 + i % block / 32 * 16 + i % 16);
            const unsigned q = i % 32 < 16 ? pair & 15u : pair >> 4;
            return static_cast<std::int8_t>(static_cast<std::uint8_t>(q - detail::byte_at(group, 4)));
        }
        TAMIS_DETAIL_INLINE static void load(const std::byte* row, std::size_t i, detail::bytes32* out) {
            const std::byte* const group = row + i / block * sizeof(storage);
            detail::load_halves(group + 5 + i % block / 2, *out);
            *out -= static_cast<std::uint8_t>(group[4]);
        }
        static void numbers(const std::byte* row, std::size_t i, std::size_t runs, float* scales, float*) {
            for (std::size_t r = 0; r < runs; ++r) {
                scales[r] = detail::integer_at<float>(row + (i + 32 * r) / block * sizeof(storage));
            }
        }
    };
};
static_assert(sizeof(int4_groups<32>::storage) == 21);

TAMIS_END
