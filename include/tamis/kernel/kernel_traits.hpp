#pragma once

#include <tamis/detail/simd.hpp>
#include <tamis/kernel/tuning.hpp>

TAMIS_BEGIN

// What suits an instruction set, where a tuning leaves it open.

namespace detail {

#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool is_x86 = true;
#else
inline constexpr bool is_x86 = false;
#endif

struct kernel_traits {
    /// Whether to reckon with a first cache of 32 KiB and eight ways. What is asked for ahead of eight rows whose places
    /// agree in their last twelve bits fills a set of it, and the next line of x or y drives it out again, line by line,
    /// before it is read. Processors with AVX-512 have it too (until Ice Lake, Zen 4), but with 16 lanes four rows alone
    /// are slower elsewhere.
    static constexpr bool few_ways = vec::size < 16;
    /// Whether more than 64 lines that were asked for and are not read yet cost a third of the rate, as on Zen 3. Eight rows ask for no
    /// more than 48 then, which is enough to hide the way to memory.
    static constexpr bool few_in_flight = few_ways && is_x86;
    /// Bytes asked for ahead: of formats that are read as fast as memory, and of those that take longer to unpack.
    static constexpr std::size_t ahead = few_in_flight ? 384 : 1024, ahead_unpacking = few_ways ? 2048 : 1536;
    /// The latter ask for a whole row ahead where it is not longer.
    static constexpr std::size_t whole_row_ahead = few_ways ? 3072 : 6144;
    /// Vectors of a row between two tests of a loop.
    static constexpr std::size_t vectors_in_hand = 4;
};

} // namespace detail

TAMIS_END
