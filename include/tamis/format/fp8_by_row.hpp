#pragma once

#include <tamis/format/e4m3.hpp>

TAMIS_BEGIN

/// Eight-bit floats (E4M3: see detail::e4m3) behind the one float that scales the row, as per-channel FP8 checkpoints have
/// them: repack_fp8_rows makes it of codes and scales that lie apart. A weight is scale * code, rounded to a float. Read
/// alone.
struct fp8_by_row {
    static constexpr const char* name = "fp8_by_row";
    using storage = std::uint8_t;
    static constexpr std::size_t block = whole_row, unit = 32, factors = 1;

    static constexpr std::size_t row_bytes(std::size_t n) { return sizeof(float) + n; }
    static float at(const std::byte* row, std::size_t i) {
        return detail::e4m3(detail::byte_at(row, sizeof(float) + i)) * detail::integer_at<float>(row);
    }
    static void unpack_factors(const std::byte* row, std::size_t, std::size_t units, float* out) {
        detail::fill_n(out, units, detail::integer_at<float>(row));
    }
    TAMIS_DETAIL_INLINE static void load_unit(const std::byte* row, std::size_t i, const float* scale,
                                              detail::vec* out) {
        detail::load_e4m3(row + sizeof(float) + i, out);
        detail::load_e4m3(row + sizeof(float) + i + 16, out + detail::vectors_of_16);
        for (std::size_t v = 0; v < unit / detail::vec::size; ++v) {
            out[v] = out[v] * detail::vec(*scale);
        }
    }
};

TAMIS_END
