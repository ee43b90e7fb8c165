#pragma once

#include "kernel/support.hpp"

#include <tamis/tamis.hpp>

/// All formats with integer codes.
#define FORMATS_WITH_CODES                                                                              \
    tamis::q8_0, tamis::int8_by_row, tamis::q4_0, tamis::q4_1, tamis::q5_0, tamis::q5_1, tamis::iq4_nl, \
        tamis::mxfp4, tamis::int4_groups<32>, tamis::int4_groups<128>, tamis::tq2_0, tamis::q4_k,       \
        tamis::q5_k, tamis::q6_k, tamis::q2_k, tamis::q3_k

/// Rows of any codes, whose scales and minima are numbers of moderate size: bytes that read so are kept.
template <class F>
std::vector<std::byte> moderate_rows(std::size_t rows, std::size_t columns, engine& random) {
    const std::size_t step = tamis::detail::block_of<F> == 0 ? columns : tamis::detail::block_of<F>;
    const std::size_t bytes = F::row_bytes(columns);
    const std::size_t a_block = F::row_bytes(step);
    std::vector<std::byte> all(rows * bytes);
    for (std::size_t first = 0; first < all.size(); first += a_block) {
        std::byte* const block = all.data() + first;
        for (bool moderate = false; !moderate;) {
            for (std::size_t k = 0; k < a_block; ++k) {
                block[k] = static_cast<std::byte>(random());
            }
            moderate = true;
            for (std::size_t i = 0; i < step; ++i) {
                const std::uint32_t weight = tamis::magnitude_bits(F::at(block, i));
                moderate = moderate && weight < 0x46000000u; // 2^13
            }
        }
    }
    return all;
}
