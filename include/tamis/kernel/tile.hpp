#pragma once

#include <tamis/kernel/step.hpp>

TAMIS_BEGIN

// What the kernels of several tokens are made of. A few rows by a few columns are unpacked to floats once, into memory that
// the first cache holds, and then multiplied for each token that wants them: unpacking and reading cost what the union of the
// tokens' rows costs, products what each token alone would cost. Products know floats, and are compiled once for all formats.

namespace detail {

/// Whether the machine has 32 registers of vectors, not 16.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr bool has_32_registers = true;
#else
inline constexpr bool has_32_registers = false;
#endif

/// From so many tokens on dot products are made by tiles. Fewer are multiplied out of registers, each row once for all, which
/// takes less time as long as there are registers for it.
inline constexpr std::size_t dot_tokens_of_tiles = 8;

/// Whether weights of F are floats as they lie: there is nothing to unpack, and memory is what takes the time.
template <class F>
inline constexpr bool lies_as_floats = unit_of<F>::bytes >= 4 * unit_of<F>::weights;

/// How many tokens' sums of rows are made by tiles, not out of registers.
struct tokens_by_tiles {
    std::size_t some; // from so many on if together they want less than five eighths of their products
    std::size_t all;  // from so many on whatever they want
};
/// That of F, as measured on both sides of it. Out of registers sums go through a second cache once for the 8 rows of a pass, by
/// tiles once for 16 or 32; but tiles are written to memory first, and floats gain nothing by that. With 16 registers bytes
/// gain by tiles from eight tokens on, and codes of less than a byte already for four that want half. (Bytes are unpacked too quickly
/// for that: int8_by_row took half as long again by tiles; and halves do better out of registers for eight, by half.)
template <class F>
inline constexpr tokens_by_tiles sum_tokens_of_tiles = [] {
    if (lies_as_floats<F>) {
        return has_32_registers ? tokens_by_tiles{12, most_tokens + 1} : tokens_by_tiles{12, most_tokens};
    }
    if (has_32_registers || !takes_unpacking<F>) {
        return tokens_by_tiles{12, 12};
    }
    return tokens_by_tiles{unit_of<F>::bytes < unit_of<F>::weights ? std::size_t{4} : std::size_t{8}, 8};
}();

/// Rows by columns: a multiple of every unit.
template <std::size_t Rows, std::size_t Columns>
struct tile {
    static_assert(Columns % 64 == 0);
    static constexpr std::size_t rows = Rows, columns = Columns;
    alignas(64) float weights[Rows * Columns];

    const float* row(std::size_t k) const { return weights + k * Columns; }
};

/// Unpacks tiles of F, without the scales of rows. Numbers that units need are made for all columns of a stretch at once, and
/// a tile ahead, so that nothing waits for them.
template <class F, class Tile>
class tile_unpacker {
    using unit = unit_of<F>;
    using made = stretch_numbers<F, 1>;
    static_assert(Tile::columns % unit::weights == 0 &&
                  (unit::numbers == 0 || Tile::columns <= unit::stretch * unit::weights));
    static constexpr std::size_t stretch =
        (std::max)(Tile::columns, (std::min)(unit::stretch* unit::weights, std::size_t{512}));

  public:
    /// So many columns ahead of a tile memory is read.
    static constexpr std::size_t ahead = Tile::columns + (unit::numbers != 0 ? stretch : 0);

    /// The units from column `start` to column `end` will be taken, of rows of so many columns.
    tile_unpacker(std::size_t start, std::size_t end, std::size_t columns)
        : start_{start}, end_{end}, columns_{columns} {}

    /// Makes ready what a tile from column `begin` on needs, if it was not made with the one before.
    void ready([[maybe_unused]] const std::byte* const* rows, [[maybe_unused]] std::size_t count,
               [[maybe_unused]] std::size_t begin) {
        if constexpr (unit::numbers != 0) {
            if ((begin - start_) % stretch == 0 && begin < end_) {
                const std::size_t units = ((std::min)(begin + stretch, end_) - begin) / unit::weights;
                for (std::size_t k = 0; k < count && units != 0; ++k) {
                    made::fill(rows[k], begin / unit::weights, units, 1.0f, numbers_[k]);
                }
            }
        }
    }
    /// Unpacks columns [begin, end), with zeros behind the end of a row up to a whole unit.
    void unpack(const std::byte* const* rows, std::size_t count, std::size_t begin, std::size_t end,
                Tile& to) const {
        const std::size_t last = end / unit::weights;
        const std::size_t in_stretch = unit::numbers != 0 ? (begin - start_) % stretch / unit::weights : 0;
        for (std::size_t k = 0; k < count; ++k) {
            float* const out = to.weights + k * Tile::columns;
            const float* const numbers = made::at(&numbers_[unit::numbers != 0 ? k : 0], 0, in_stretch);
            unpack_units(rows[k], begin / unit::weights, last, numbers, out, typename unit::each_vector{});
            if (last * unit::weights < end) {
                unpack_rest(rows[k], last, end, out + (last * unit::weights - begin));
            }
        }
    }

  private:
    template <std::size_t... V>
    TAMIS_DETAIL_INLINE static void unpack_units(const std::byte* row, std::size_t from, std::size_t last,
                                                 const float* numbers, float* out,
                                                 std::index_sequence<V...> vectors) {
        constexpr std::size_t each = unit::numbers;
        for (std::size_t i = from; i < last; ++i, out += unit::weights, numbers += each) {
            vec weights[sizeof...(V)];
            load_scaled<F>(row, i, numbers, weights, vectors);
            (store(out + V * vec::size, weights[V]), ...);
        }
    }
    void unpack_rest(const std::byte* row, std::size_t last, std::size_t end, float* out) const {
        vec rest[unit::vectors];
        load_rest<F>(row, last, columns_, rest);
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            if constexpr (scaled_by_block<F>) {
                rest[v] = rest[v] * vec(F::scale(row, last * unit::weights));
            }
            store(out + v * vec::size, rest[v]);
        }
        detail::fill_n(out + (end - last * unit::weights), (last + 1) * unit::weights - end, 0.0f);
    }

    typename made::of_row numbers_[unit::numbers != 0 ? Tile::rows : 1];
    std::size_t start_, end_, columns_;
};

/// Whether so many tokens from this one on want so many eighths of a tile's rows: then the products of all rows with all of them,
/// in registers, take less time than those that are wanted, one token after the other.
inline bool together_want(std::size_t eighths, const std::size_t* wanted, std::size_t count,
                          std::size_t rows) {
    std::size_t all = 0;
    for (std::size_t t = 0; t < count; ++t) {
        all += wanted[t];
    }
    return 8 * all >= eighths * count * rows;
}

/// Where up to Most rows from place `first` on begin; returns how many there are.
template <std::size_t Most>
std::size_t memory_of_rows(const row_list& rows, std::size_t first, const std::byte* (&out)[Most]) {
    const std::size_t count = first < rows.size() ? (std::min)(rows.size() - first, Most) : 0;
    for (std::size_t k = 0; k < count; ++k) {
        out[k] = unseen(rows.memory(first + k));
    }
    return count;
}

// Folds, not loops: g++ keeps arrays with indices that vary in memory.

template <std::size_t... V>
TAMIS_DETAIL_INLINE void load_vectors(const float* from, vec (&out)[sizeof...(V)],
                                      std::index_sequence<V...>) {
    ((out[V] = load(from + V * vec::size)), ...);
}
template <std::size_t... V>
TAMIS_DETAIL_INLINE void store_vectors(const vec (&from)[sizeof...(V)], float* out,
                                       std::index_sequence<V...>) {
    (store(out + V * vec::size, from[V]), ...);
}
/// sums[v] += factor * values[v]
template <std::size_t... V>
TAMIS_DETAIL_INLINE void add_products(const vec& factor, const vec (&values)[sizeof...(V)],
                                      vec (&sums)[sizeof...(V)], std::index_sequence<V...>) {
    ((sums[V] = multiply_add(factor, values[V], sums[V])), ...);
}

/// Asks for a piece of several rows, a line at a time while products are made of what came before: asked for in one go, the lines
/// would have to wait for each other, and the products for them.
class ask_meanwhile {
  public:
    /// For bytes [begin, end) of so many rows.
    ask_meanwhile(const std::byte* const* rows, std::size_t count, std::size_t begin, std::size_t end)
        : rows_{rows},
          count_{count},
          at_{begin},
          lines_{begin < end ? count * ((end - begin + 63) / 64) : 0} {}

    /// So many steps follow, after which as much is to be asked for as is due when `done` of `all` is done.
    void share(std::size_t done, std::size_t all, std::size_t steps) {
        const std::size_t due = lines_ * done / all;
        each_ = asked_ < due ? (due - asked_ + steps - 1) / steps : 0;
        asked_ += each_ * steps;
    }
    TAMIS_DETAIL_INLINE void step() {
        for (std::size_t i = 0; i < each_; ++i) {
            prefetch(rows_[row_] + at_);
            const bool is_last = ++row_ == count_;
            row_ = is_last ? 0 : row_;
            at_ += is_last ? 64 : 0;
        }
    }

  private:
    const std::byte* const* rows_;
    std::size_t count_, at_, lines_;
    std::size_t row_ = 0, asked_ = 0, each_ = 0;
};
/// For columns [begin, end) of rows of F.
template <class F>
ask_meanwhile ask_for_columns(const std::byte* const* rows, std::size_t count, std::size_t begin,
                              std::size_t end) {
    using unit = unit_of<F>;
    return {rows, begin < end ? count : 0, F::row_bytes(0) + begin / unit::weights * unit::bytes,
            F::row_bytes(0) + (end + unit::weights - 1) / unit::weights * unit::bytes};
}

} // namespace detail

TAMIS_END
