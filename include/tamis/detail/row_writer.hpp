#pragma once

#include <tamis/kernel/unpack.hpp>
#include <tamis/matrix.hpp>

#include <algorithm>

TAMIS_BEGIN

// What repack is made of: rows of a matrix in another layout or format.

namespace detail {

template <class L, class M>
inline constexpr bool transposes = !std::is_same_v<L, typename M::layout_type>;

template <class L, class M>
std::size_t repacked_rows(const M& source) {
    return transposes<L, M> ? source.columns() : source.rows();
}
template <class L, class M>
std::size_t repacked_columns(const M& source) {
    return transposes<L, M> ? source.rows() : source.columns();
}

/// The result is made of tiles. A tile's rows are what is read of a source's row at once: two cache lines of bf16. Its
/// columns are what is written at once. A band of rows goes through the source together, so that what is read next lies
/// behind what was read.
inline constexpr std::size_t tile_rows = 64, tile_columns = 128, band_rows = 256;

/// Whether a weight of F is bytes of its own.
template <class F>
constexpr bool weights_are_apart() {
    if constexpr (vectors_are_apart<F> && !scaled_by_row<F>) {
        return F::row_bytes(0) == 0 && F::row_bytes(1) == sizeof(typename F::storage) && grows_evenly<F>(1);
    }
    return false;
}
/// Whether a row of F may be packed tile_columns at a time.
template <class F>
constexpr bool packs_in_pieces() {
    if constexpr ((fast_format<F> || unit_format<F>)&&block_of<F> != whole_row) {
        return F::row_bytes(0) == 0 && F::row_bytes(block_of<F>) == sizeof(typename F::storage) &&
               tile_columns % block_of<F> == 0;
    }
    return false;
}

/// Weights on their way from format G to F: floats, ...
template <class F, class G>
struct carried {
    using cell = float;

    /// first is a multiple of tile_rows.
    static void read(const std::byte* row, std::size_t first, std::size_t n, cell* to) {
        if constexpr (unit_format<G>) {
            unpack_row<G>(row, first, first + n, to);
            return;
        }
        std::size_t i = 0;
        if constexpr (fast_format<G>) {
            for (; i + vec::size <= n; i += vec::size) {
                store(to + i, load_weights<G>(row, first + i));
            }
        }
        for (; i < n; ++i) {
            to[i] = G::at(row, first + i);
        }
    }
    static void write(const cell* from, std::size_t n, std::byte* row) { F::pack(std::span{from, n}, row); }
};
/// ... or what they are in memory.
template <class F>
    requires(weights_are_apart<F>())
struct carried<F, F> {
    struct cell {
        std::byte bytes[sizeof(typename F::storage)];
    };

    static void read(const std::byte* row, std::size_t first, std::size_t n, cell* to) {
        std::copy_n(row + first * sizeof(cell), n * sizeof(cell), reinterpret_cast<std::byte*>(to));
    }
    static void write(const cell* from, std::size_t n, std::byte* row) {
        std::copy_n(reinterpret_cast<const std::byte*>(from), n * sizeof(cell), row);
    }
};

/// Asks for memory that will be read or written soon. (Inlined always, and the builtin itself: g++ 12 takes a function
/// that does nothing else for one that does nothing.)
TAMIS_DETAIL_INLINE void ask_for([[maybe_unused]] const std::byte* p, [[maybe_unused]] std::size_t bytes) {
#if defined(__GNUC__)
    for (std::size_t b = 0; b < bytes; b += 64) {
        __builtin_prefetch(p + b);
    }
#endif
}

/// Writes rows of the result, which lie behind each other from `out` on. Several threads may do so at the same time.
template <class F, class L, class M>
class row_writer {
    using carry = carried<F, typename M::format_type>;
    static constexpr bool copies = !transposes<L, M> && std::is_same_v<F, typename M::format_type>;
    static_assert(
        packable_format<F> || copies,
        "tamis: this format is read alone, and cannot be packed: its quantiser searches. Say one that can for what is "
        "transposed, as in pack<transposed_as<q8_0>>, packed_ffn<transposed_as<q8_0>> or repack<q8_0, neuron_major>: "
        "f32, f16, bf16, int8_by_row, q8_0, q5_1, q5_0, q4_1, q4_0, mxfp4, tq2_0, or your own with a member `pack`");

  public:
    using cell = typename carry::cell;

    row_writer(const M& source, std::byte* out) : source_{source}, out_{out} {}

    std::size_t rows() const { return repacked_rows<L>(source_); }
    std::size_t row_bytes() const { return F::row_bytes(columns()); }

    /// Cells that write() takes to work in.
    std::size_t cells() const { return copies ? 0 : (transposes<L, M> ? tile_rows : 1) * stride(); }

    /// Rows [first, last); first is a multiple of tile_rows.
    void write(std::size_t first, std::size_t last, cell* tile) const {
        if constexpr (copies) {
            for (std::size_t i = first; i < last; ++i) {
                std::copy_n(source_.row(i), row_bytes(), out_ + i * row_bytes());
            }
        } else {
            std::size_t from = 0;
            do { // once without columns too, for a format with something in front of a row
                const std::size_t to = (std::min)(from + piece(), columns());
                write_columns(first, last, from, to, tile);
                from = to;
            } while (from < columns());
        }
    }

  private:
    std::size_t columns() const { return repacked_columns<L>(source_); }
    std::size_t piece() const { return packs_in_pieces<F>() ? tile_columns : columns(); }
    /// Cells from one row of a tile to the next. An odd number of cache lines: even ones share few places in a cache.
    std::size_t stride() const {
        constexpr std::size_t line = sizeof(cell) < 64 ? 64 / sizeof(cell) : 1;
        return (piece() / line / 2 * 2 + 3) * line;
    }
    std::byte* place(std::size_t row, std::size_t column) const {
        return out_ + row * row_bytes() + (F::row_bytes(column) - F::row_bytes(0));
    }

    /// Asks for a part of what the next tile reads and of what this one writes, with each column j of the result. Every
    /// row of either lies on a page of its own, where processors do not look ahead: this makes it more than twice as fast.
    TAMIS_DETAIL_INLINE void ask_ahead(std::size_t first, std::size_t last, std::size_t i, std::size_t from,
                                       std::size_t j) const {
        using G = typename M::format_type;
        const bool same_columns = i + tile_rows < last;
        const std::byte* const reads =
            source_.row(same_columns ? j : (std::min)(j + tile_columns, columns() - 1)) +
            (G::row_bytes(same_columns ? i + tile_rows : first) - G::row_bytes(0));
        ask_for(reads, G::row_bytes(tile_rows));
        if constexpr (packs_in_pieces<F>()) {
            constexpr std::size_t columns_a_row = tile_columns / tile_rows;
            constexpr std::size_t bytes = F::row_bytes(tile_columns) / columns_a_row;
            const std::size_t row = (std::min)(i + (j - from) / columns_a_row, last - 1);
            ask_for(place(row, from) + (j - from) % columns_a_row * bytes, bytes);
        }
    }

    void write_columns(std::size_t first, std::size_t last, std::size_t from, std::size_t to,
                       cell* tile) const {
        if constexpr (transposes<L, M>) {
            for (std::size_t i = first; i < last; i += tile_rows) {
                const std::size_t count = (std::min)(tile_rows, last - i);
                for (std::size_t j = from; j < to; ++j) {
                    ask_ahead(first, last, i, from, j);
                    cell line[tile_rows];
                    carry::read(source_.row(j), i, count, line);
                    for (std::size_t k = 0; k < count; ++k) {
                        tile[k * stride() + (j - from)] = line[k];
                    }
                }
                for (std::size_t k = 0; k < count; ++k) {
                    carry::write(tile + k * stride(), to - from, place(i + k, from));
                }
            }
        } else {
            for (std::size_t i = first; i < last; ++i) {
                carry::read(source_.row(i), from, to - from, tile);
                carry::write(tile, to - from, place(i, from));
            }
        }
    }

    const M& source_;
    std::byte* out_;
};

} // namespace detail

TAMIS_END
