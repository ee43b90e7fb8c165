#pragma once

#include <tamis/format/e4m3.hpp>

TAMIS_BEGIN

/// Eight-bit floats (E4M3: see detail::e4m3) of which 128 x 128 share a scale, as DeepSeek's checkpoints have them:
/// repack_fp8_blocks makes it of codes and scales that lie apart. A row is blocks of 128 codes, each behind the two scales
/// that it may meet, since a view may begin inside a block of the tensor: the first counts for the first `split` codes. So it
/// takes 137 bytes where the checkpoint has 128. A weight is scale * code, rounded to a float. Read alone; a row is padded to
/// whole blocks.
struct fp8_blocks {
    static constexpr const char* name = "fp8_blocks";
    struct storage {
        /// The scales of the row in the two blocks that it may lie in.
        std::uint8_t scales[2][sizeof(float)];
        /// From which weight on the second scale counts.
        std::uint8_t split;
        /// E4M3.
        std::uint8_t codes[128];
    };
    static constexpr std::size_t block = 128, unit = 32, factors = 0;

    static constexpr std::size_t row_bytes(std::size_t n) {
        return (n + block - 1) / block * sizeof(storage);
    }
    static float at(const std::byte* row, std::size_t i) {
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const bool is_first = i % block < detail::byte_at(in_block, 8);
        return detail::e4m3(detail::byte_at(in_block, 9 + i % block)) *
               detail::integer_at<float>(in_block + (is_first ? 0 : 4));
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float*,
                                              detail::vec* out) {
        using detail::vec;
        const std::byte* const in_block = row + i / block * sizeof(storage);
        const std::byte* const codes = in_block + 9 + i % block;
        detail::load_e4m3(codes, out);
        detail::load_e4m3(codes + 16, out + detail::vectors_of_16);
        const std::size_t split = detail::byte_at(in_block, 8);
        if (split > i % block && split < i % block + unit) [[unlikely]] { // both scales in one unit
            std::uint32_t bits[unit];
            for (std::size_t k = 0; k < unit; ++k) {
                bits[k] = detail::integer_at<std::uint32_t>(in_block + (i % block + k < split ? 0 : 4));
            }
            float scales[unit];
            std::memcpy(scales, bits, sizeof scales);
            for (std::size_t v = 0; v < unit / vec::size; ++v) {
                out[v] = out[v] * detail::load(scales + v * vec::size);
            }
            return;
        }
        const vec scale(detail::integer_at<float>(in_block + (i % block < split ? 0 : 4)));
        for (std::size_t v = 0; v < unit / vec::size; ++v) {
            out[v] = out[v] * scale;
        }
    }
};
static_assert(sizeof(fp8_blocks::storage) == 137);

TAMIS_END
