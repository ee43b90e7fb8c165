#pragma once

#include <tamis/format/fp8_blocks.hpp>
#include <tamis/format/fp8_by_row.hpp>
#include <tamis/matrix.hpp>

#include <algorithm>
#include <span>

TAMIS_BEGIN

// FP8 checkpoints keep codes in one tensor and scales in another; a row of a format has both. So these are copied once, codes
// and scales as they are: a byte a weight, and what the formats say for scales.

/// Codes (float8_e4m3fn) with a scale for each row.
struct fp8_row_tensor {
    const void* codes;
    /// The tensor's sizes.
    std::size_t rows, columns;
    std::span<const float> scales;
    std::size_t stride = columns; ///< bytes from a row to the next
};

/// Codes of which 128 x 128 share a scale (DeepSeek's weight_scale_inv, which the codes are multiplied by), or a view of a
/// part of them: `codes` points to the view's first, `scales` to those of the whole tensor, and the view begins at
/// (first_row, first_column) of it. Neither has to be a multiple of 128, nor has the size.
struct fp8_block_tensor {
    const void* codes;
    /// The tensor's sizes.
    std::size_t rows, columns;
    const float* scales;
    std::size_t scales_stride;    ///< scales from a row of them to the next: whole columns / 128, rounded up
    std::size_t stride = columns; ///< bytes from a row of codes to the next
    /// Where in its blocks of 128 x 128 a view begins.
    std::size_t first_row = 0, first_column = 0;
};

namespace detail {

inline void need_bytes_for(std::size_t bytes, std::size_t there) {
    if (there < bytes) {
        fail_sizes("tamis: the repacked rows take %zu bytes, but the memory has %zu", bytes, there);
    }
}

template <layout L, bool Transposed>
matrix<fp8_blocks, L> write_fp8_blocks(const fp8_block_tensor& from, std::span<std::byte> memory) {
    const std::size_t rows = Transposed ? from.columns : from.rows;
    const std::size_t columns = Transposed ? from.rows : from.columns;
    const std::size_t first_row = Transposed ? from.first_column : from.first_row;
    const std::size_t first_column = Transposed ? from.first_row : from.first_column;
    need_bytes_for(rows * fp8_blocks::row_bytes(columns), memory.size());
    const auto* const codes = static_cast<const std::byte*>(from.codes);
    const auto scale = [&](std::size_t row,
                           std::size_t column) { // of a block of scales, in the result's order
        return Transposed ? from.scales[column * from.scales_stride + row]
                          : from.scales[row * from.scales_stride + column];
    };
    constexpr std::size_t block = fp8_blocks::block;
    std::byte* out = memory.data();
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; j += block, out += sizeof(fp8_blocks::storage)) {
            const std::size_t count = (std::min)(block, columns - j);
            const std::size_t split = block - first_column % block;
            const std::size_t place = (first_column + j) / block;
            const float first = scale((first_row + i) / block, place);
            const float second = split < count ? scale((first_row + i) / block, place + 1) : first;
            std::memcpy(out, &first, sizeof first);
            std::memcpy(out + 4, &second, sizeof second);
            out[8] = static_cast<std::byte>(split);
            for (std::size_t k = 0; k < block; ++k) {
                out[9 + k] = k >= count   ? std::byte{0}
                             : Transposed ? codes[(j + k) * from.stride + i]
                                          : codes[i * from.stride + j + k];
            }
        }
    }
    return {memory.data(), rows, columns};
}

} // namespace detail

/// Rows of codes behind their scales. Refuses scales that do not fit, and too little memory (rows times
/// fp8_by_row::row_bytes(columns)).
template <layout L>
matrix<fp8_by_row, L> repack_fp8_rows(const fp8_row_tensor& from, std::span<std::byte> memory) {
    detail::need("tamis::repack_fp8_rows: there are %zu rows, but %zu scales", from.rows, from.scales.size());
    const std::size_t bytes = fp8_by_row::row_bytes(from.columns);
    detail::need_bytes_for(from.rows * bytes, memory.size());
    for (std::size_t i = 0; i < from.rows; ++i) {
        std::memcpy(memory.data() + i * bytes, &from.scales[i], sizeof(float));
        std::memcpy(memory.data() + i * bytes + sizeof(float),
                    static_cast<const std::byte*>(from.codes) + i * from.stride, from.columns);
    }
    return {memory.data(), from.rows, from.columns};
}

/// Rows of the tensor in blocks with their scales. Refuses too little memory (rows times fp8_blocks::row_bytes(columns)).
template <layout L>
matrix<fp8_blocks, L> repack_fp8_blocks(const fp8_block_tensor& from, std::span<std::byte> memory) {
    return detail::write_fp8_blocks<L, false>(from, memory);
}
/// Its columns as rows: W_down as checkpoints have it becomes neuron_major, and loses nothing, since blocks are square.
template <layout L>
matrix<fp8_blocks, L> repack_fp8_blocks_transposed(const fp8_block_tensor& from,
                                                   std::span<std::byte> memory) {
    return detail::write_fp8_blocks<L, true>(from, memory);
}

TAMIS_END
