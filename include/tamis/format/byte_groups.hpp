#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

/// Eight-bit codes in groups of 16 or 32, each behind a scale and a zero point: what MatMulNBits of eight bits has in three
/// tensors, and of fewer bits in groups that int4_groups has not; repack_nbits makes rows of it. A weight is scale * (q - zero)
/// with q and zero 0 .. 255, rounded to a float once. Five bytes of a group are its scale (a float) and its zero point: 10.5 or
/// 9.25 bits a weight. Read alone; a row is padded to whole groups.
template <std::size_t Group>
struct byte_groups {
    static_assert(Group == 16 || Group == 32, "tamis::byte_groups: a group is 16 or 32 weights");
    static constexpr const char* name = Group == 16 ? "byte_groups<16>" : "byte_groups<32>";
    struct storage {
        /// A float32.
        std::uint8_t scale[sizeof(float)];
        /// The zero point.
        std::uint8_t zero;
        /// Codes.
        std::uint8_t q[Group];
    };
    static constexpr std::size_t block = Group, unit = 16, factors = 0;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const group = row + i / block * sizeof(storage);
        const int step = static_cast<int>(detail::byte_at(group, 5 + i % block)) -
                         static_cast<int>(detail::byte_at(group, 4));
        return static_cast<float>(step) * detail::integer_at<float>(group);
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float*,
                                              detail::vec* out) {
        using detail::vec;
        const std::byte* const group = row + i / block * sizeof(storage);
        // q - 128 is a signed byte, and adding 128 - zero to it is exact
        detail::widen_to_vec::signed_bytes(detail::load_bytes(group + 5 + i % block) ^
                                               static_cast<std::uint8_t>(128),
                                           out);
        const vec rest(static_cast<float>(128 - static_cast<int>(group[4])));
        const vec scale(detail::integer_at<float>(group));
        for (std::size_t v = 0; v < detail::vectors_of_16; ++v) {
            out[v] = (out[v] + rest) * scale;
        }
    }
};
static_assert(sizeof(byte_groups<32>::storage) == 37);

TAMIS_END
