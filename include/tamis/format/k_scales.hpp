#pragma once

#include <tamis/format/codes.hpp>
#include <tamis/format/integer_codes.hpp>

TAMIS_BEGIN

// What q4_k and q5_k share: an f16 scale and an f16 minimum in front of twelve bytes that hold a scale and a minimum of six
// bits for each of the eight runs of 32 weights in a block.

namespace detail {

/// Weight i of a block is scale * q - minimum; both are exact products.
struct k_run {
    float scale, minimum;
};
inline k_run k_run_at(const std::byte* block, std::size_t run) {
    const std::byte* const six = block + 4;
    const std::size_t j = run % 4;
    const unsigned scale =
        run < 4 ? byte_at(six, j) & 63u : (byte_at(six, j + 8) & 15u) | (byte_at(six, j) >> 6) << 4;
    const unsigned minimum =
        run < 4 ? byte_at(six, j + 4) & 63u : byte_at(six, j + 8) >> 4 | (byte_at(six, j + 4) >> 6) << 4;
    return {f16::at(block, 0) * static_cast<float>(static_cast<int>(scale)),
            f16::at(block, 1) * static_cast<float>(static_cast<int>(minimum))};
}

/// For `pairs` pairs of runs from pair `first` of a row on: two scales, and two minima less than zero.
inline void k_factors(const std::byte* row, std::size_t block_bytes, std::size_t first, std::size_t pairs,
                      float* out) {
    for (std::size_t done = 0; done < pairs;) {
        const std::byte* const block = row + (first + done) / 4 * block_bytes;
        const auto a = integer_at<std::uint32_t>(block + 4);
        const auto b = integer_at<std::uint32_t>(block + 8);
        const auto c = integer_at<std::uint32_t>(block + 12);
        const std::uint32_t scales[2] = {a & 0x3f3f3f3fu, (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u)};
        const std::uint32_t minima[2] = {b & 0x3f3f3f3fu, (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u)};
        const four_factors by{f16::at(block, 0), -f16::at(block, 1)};
        for (std::size_t p = (first + done) % 4; p < 4 && done < pairs; ++p, ++done, out += 4) {
            const auto shift = static_cast<unsigned>(16 * (p % 2));
            by.times((scales[p / 2] >> shift & 0xffffu) | (minima[p / 2] >> shift) << 16, out);
        }
    }
}

/// The scales of `runs` runs (of whole blocks), and the minima less than zero.
inline void k_numbers(const std::byte* block, std::size_t block_bytes, std::size_t runs, float* scales,
                      float* offsets) {
    for (std::size_t r = 0; r < runs; r += 8, block += block_bytes) {
        const auto a = integer_at<std::uint32_t>(block + 4);
        const auto b = integer_at<std::uint32_t>(block + 8);
        const auto c = integer_at<std::uint32_t>(block + 12);
        const std::uint64_t high_scales = (c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u);
        const std::uint64_t high_minima = (c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u);
        eight_numbers((a & 0x3f3f3f3fu) | high_scales << 32, f16::at(block, 0), scales + r);
        eight_numbers((b & 0x3f3f3f3fu) | high_minima << 32, -f16::at(block, 1), offsets + r);
    }
}

} // namespace detail

TAMIS_END
