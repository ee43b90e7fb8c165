#pragma once

#include <tamis/column_blocks.hpp>
#include <tamis/executor.hpp>

#include <algorithm>

TAMIS_BEGIN

// A matrix whose rows are outputs, in blocks along the inputs, becomes one whose rows are inputs, in blocks down the columns: the
// same codes and scales in other places.

/// Bytes of `source` turned.
template <class M>
std::size_t turned_bytes(const M& source) {
    using to = column_blocks<typename M::format_type>;
    const std::size_t blocks = (source.columns() + to::block - 1) / to::block;
    return blocks * to::number_bytes(source.rows()) + source.columns() * to::row_bytes(source.rows());
}

namespace detail {

/// Turns blocks [first, last) of a matrix's inputs; several threads may do so at the same time.
template <turnable_format F>
class block_turner {
    using to = column_blocks<F>;
    using codes = column_codes<F>;

  public:
    template <class M>
    block_turner(const M& source, std::byte* out)
        : source_{source.row(0)},
          stride_{source.stride_bytes()},
          outputs_{source.rows()},
          inputs_{source.columns()},
          out_{out} {}

    std::size_t blocks() const { return (inputs_ + to::block - 1) / to::block; }

    void turn(std::size_t first, std::size_t last) const {
        for (std::size_t j = 0; j < outputs_; j += to::unit) { // a column's blocks lie behind each other
            for (std::size_t b = first; b < last; ++b) {
                turn_tile(b, j, (std::min)(to::unit, outputs_ - j));
            }
        }
    }

  private:
    /// A block's columns from j on.
    void turn_tile(std::size_t b, std::size_t j, std::size_t count) const {
        std::uint8_t tile[to::block][to::unit] = {};
        std::byte* const block = out_ + b * to::block_bytes(outputs_);
        constexpr std::size_t apart = codes::number_bytes > 2 ? 2 : codes::number_bytes;
        for (std::size_t n = 0; n < codes::number_bytes; n += apart) {
            std::byte numbers[to::unit * apart] = {};
            for (std::size_t k = 0; k < count; ++k) {
                std::memcpy(numbers + k * apart, from(b, j + k) + n, apart);
            }
            std::memcpy(block + (n / apart * to::padded(outputs_) + j) * apart, numbers, sizeof numbers);
        }
        for (std::size_t k = 0; k < count; ++k) {
            const std::byte* const q = from(b, j + k) + codes::number_bytes;
            for (std::size_t i = 0; i < to::block; ++i) {
                tile[i][k] = static_cast<std::uint8_t>(code(q, i));
            }
        }
        const std::size_t rows = (std::min)(to::block, inputs_ - b * to::block);
        for (std::size_t i = 0; i < rows; ++i) {
            put(tile[i], block + to::number_bytes(outputs_) + i * to::row_bytes(outputs_), j);
        }
    }
    const std::byte* from(std::size_t b, std::size_t j) const {
        return source_ + j * stride_ + b * sizeof(typename F::storage);
    }
    static unsigned code(const std::byte* q, std::size_t i) {
        if constexpr (codes::bits == 8) {
            return byte_at(q, i);
        } else if constexpr (codes::bits == 5) {
            return five_bits_at(q, i);
        } else {
            return i < 16 ? byte_at(q, i) & 15u : byte_at(q, i - 16) >> 4;
        }
    }
    /// Sixty-four codes to their place in a row.
    void put(const std::uint8_t (&from)[to::unit], std::byte* row, std::size_t j) const {
        if constexpr (codes::bits == 8) {
            std::memcpy(row + j, from, sizeof from);
        } else {
            for (std::size_t k = 0; k < 32; ++k) {
                row[j / 2 + k] = static_cast<std::byte>((from[k] & 15u) | (from[k + 32] & 15u) << 4);
            }
            if constexpr (codes::bits == 5) {
                for (std::size_t k = 0; k < 8; ++k) {
                    unsigned bits = 0;
                    for (std::size_t i = 0; i < 8; ++i) {
                        bits |= (from[8 * k + i] >> 4 & 1u) << i;
                    }
                    row[to::padded(outputs_) / 2 + j / 8 + k] = static_cast<std::byte>(bits);
                }
            }
        }
    }

    const std::byte* source_;
    std::size_t stride_, outputs_, inputs_;
    std::byte* out_;
};

/// All blocks, in rounds of tasks; shown(bytes) is called after each round.
template <class L, class M, executor E, class Shown>
matrix<column_blocks<typename M::format_type>, L> turn_all(const M& source, std::byte* out, const E& threads,
                                                           Shown&& shown) {
    using F = typename M::format_type;
    constexpr std::size_t of_a_task = 16;
    const block_turner<F> turner{source, out};
    const std::size_t blocks = turner.blocks();
    const std::size_t tasks = (blocks + of_a_task - 1) / of_a_task;
    const matrix<column_blocks<F>, L> result{out, source.columns(), source.rows()};
    std::size_t done = 0;
    for (std::size_t task = 0; task < tasks; task += width_of(threads)) {
        const std::size_t count = (std::min)(std::size_t{width_of(threads)}, tasks - task);
        threads.run(count, [&](std::size_t k) {
            turner.turn((task + k) * of_a_task, (std::min)((task + k + 1) * of_a_task, blocks));
        });
        const std::size_t rows = (std::min)((task + count) * of_a_task * std::size_t{32}, result.rows());
        const std::size_t bytes =
            matrix<column_blocks<F>, L>{out, rows, source.rows(), result.stride_bytes()}.bytes();
        shown(bytes - done);
        done = bytes;
    }
    return result;
}

} // namespace detail

/// Writes `source`, whose rows are outputs (W_down output_major; W_gate or W_up neuron_major), into `memory` as a matrix whose rows
/// are inputs, in layout L: the same weights, bit for bit. Blocks of 32 rows go to the caller's threads.
///     aligned_memory memory{turned_bytes(down)};
///     const auto by_neurons = turn<neuron_major>(down, memory.bytes());
/// Refuses too little memory. Allocates nothing. The memory may not be the source's.
template <class L, class M, executor E = serial>
    requires(turnable_format<typename M::format_type>)
matrix<column_blocks<typename M::format_type>, L> turn(const M& source, std::span<std::byte> memory,
                                                       const E& threads = {}) {
    static_assert(!std::is_same_v<L, typename M::layout_type> && !std::is_same_v<L, output_major>,
                  "tamis::turn: rows that are outputs become rows that are inputs: W_down to neuron_major, "
                  "W_gate and W_up to input_major");
    const std::size_t bytes = turned_bytes(source);
    if (memory.size() < bytes) {
        fail_sizes("tamis::turn: the result takes %zu bytes, but the memory has %zu", bytes, memory.size());
    }
    return detail::turn_all<L>(source, memory.data(), threads, [](std::size_t) {});
}

TAMIS_END
