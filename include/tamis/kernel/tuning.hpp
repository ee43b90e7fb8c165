#pragma once

#include <tamis/detail/config.hpp>

#include <cstddef>

TAMIS_BEGIN

// What of the kernels depends on the machine: how many rows they take in one pass, and how far ahead they ask for memory.
// No bit of a result depends on it.

/// A choice for one processor: measured once (measure_tuning), and handed to an FFN with its threads (tuned) or to a
/// kernel. What is left as it is follows the instruction set that is compiled for.
struct tuning {
    static constexpr std::size_t by_instruction_set = static_cast<std::size_t>(-1);

    /// Rows a pass, 4 or 8. Eight share more; of rows that are a multiple of 4096 bytes apart, four fit into the one set of a
    /// cache of 32 KiB and eight ways that they all fall into.
    std::size_t rows = by_instruction_set;
    /// Bytes of a row that are asked for ahead of those in hand; 0 leaves it to the processor.
    std::size_t ahead = by_instruction_set;

    friend bool operator==(const tuning&, const tuning&) = default;
};

TAMIS_END
