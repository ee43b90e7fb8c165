#pragma once

#include <tamis/detail/simd.hpp>
#include <tamis/format/format.hpp>
#include <tamis/kernel/tuning.hpp>

TAMIS_BEGIN

// What suits an instruction set, where a tuning leaves it open.

namespace detail {

struct kernel_traits {
    /// Whether to reckon with a first cache of 32 KiB and eight ways. What is asked for ahead of eight rows whose places
    /// agree in their last twelve bits fills a set of it, and the next line of x or y drives it out again, line by line,
    /// before it is read. Processors with AVX-512 have it too (until Ice Lake, Zen 4), but with 16 lanes four rows alone
    /// are slower elsewhere.
    static constexpr bool few_ways = vec::size < 16;
    /// Bytes asked for ahead: of formats that are read as fast as memory, and of those that take longer to unpack.
    static constexpr std::size_t ahead = 1024, ahead_unpacking = few_ways ? 2048 : 1536;
    /// The latter ask for a whole row ahead where it is not longer.
    static constexpr std::size_t whole_row_ahead = few_ways ? 3072 : 6144;
    /// Vectors of a row between two tests of a loop.
    static constexpr std::size_t vectors_in_hand = 4;
};

/// Rows a pass of pieces that are so many bytes apart.
template <class F>
constexpr std::size_t rows_a_pass(const tuning& by, std::size_t spacing) {
    if (by.rows != tuning::by_instruction_set) {
        return by.rows <= 4 ? 4 : 8;
    }
    return kernel_traits::few_ways && (unit_format<F> || spacing % 4096 == 0) ? 4 : 8;
}

} // namespace detail

TAMIS_END
