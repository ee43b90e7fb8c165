#pragma once

#include <tamis/kernel/dot_rows_int8.hpp>
#include <tamis/kernel/int8_tile.hpp>
#include <tamis/kernel/int8_tokens.hpp>

TAMIS_BEGIN

// Dot products of rows with several tokens in eight-bit integers, by tiles: codes are unpacked and turned into registers once, and
// all tokens run over them. What a token's product is does not depend on the other tokens, nor on which rows are taken.

namespace detail {

/// What makes the codes of F unsigned.
template <class F>
inline constexpr int int8_tile_zero = F::codes::are_signed ? 128 : F::codes::zero;

#if defined(__AVX2__)

/// Scales or offsets of a stretch of runs, a vector of all rows for each.
template <class F>
struct tile_numbers {
    static constexpr std::size_t most = code_units<F>::runs_a_stretch;
    alignas(64) float of[most][int8_tile_rows];

    /// Of numbers row by row.
    TAMIS_DETAIL_INLINE void turn(const float (&rows)[int8_tile_rows][most], std::size_t runs) {
        for (std::size_t r = 0; r < runs; r += 8) {
            const auto load = [&](std::size_t k, bytes32 & out) __attribute__((always_inline)) {
                load_32(reinterpret_cast<const std::byte*>(rows[k] + r), out);
            };
            const int8_tile eight{load};
            for (std::size_t c = 0; c < 8; ++c) {
                std::memcpy(of[r + c], &eight.of[c], sizeof eight.of[c]);
            }
        }
    }
};

template <class F>
class int8_tile_dots {
    using C = typename F::codes;
    using unit = code_units<F>;
    static constexpr std::size_t rows = int8_tile_rows, stretch = unit::a_stretch;
    static constexpr std::size_t runs_of_block = int8_block / run_of_codes<F>;
    static constexpr std::size_t vectors_of_run = 8 / runs_of_block;

  public:
    /// y[token][row] for the rows from place `first` on.
    static void multiply(const row_list& list, std::size_t first, std::size_t columns, const int8_tokens& x,
                         block<float> y) {
        const std::size_t last =
            unit::scaled ? (columns + unit::weights - 1) / unit::weights : columns / unit::weights;
        const std::size_t ahead = (std::min)(std::size_t{1024} / unit::bytes, last);
        const std::byte* now[rows];
        const std::byte* next[rows];
        for (std::size_t k = 0; k < rows; ++k) {
            now[k] = unseen(list.memory((std::min)(first + k, list.size() - 1)));
            next[k] = list.memory((std::min)(first + rows + k, list.size() - 1));
        }
        alignas(64) float sums[most_tokens][rows];
        fill_n(sums[0], x.size() * rows, 0.0f);
        tile_numbers<F> scales, offsets;
        for (std::size_t from = 0; from < last; from += stretch) {
            const std::size_t to = (std::min)(from + stretch, last);
            if constexpr (unit::scaled) {
                make_numbers(now, from, to, scales, offsets);
            }
            const std::byte* ask[rows];
            for (std::size_t k = 0; k < rows; ++k) {
                ask[k] = from + ahead < last ? now[k] + ahead * unit::bytes
                                             : next[k] - (last - ahead) * unit::bytes;
            }
            for (std::size_t i = from; i < to; ++i) {
                if ((i - from) % unit::a_line == 0) {
                    for (std::size_t k = 0; k < rows; ++k) {
                        prefetch(ask[k] + i * unit::bytes);
                    }
                }
                add_unit(now, i, (i - from) * unit::runs, scales, offsets, x, sums,
                         std::make_index_sequence<unit::vectors>{});
            }
        }
        finish(list, first, columns, now, x, sums, y);
    }

  private:
    TAMIS_DETAIL_NOINLINE static void make_numbers(const std::byte* const (&now)[rows], std::size_t from,
                                                   std::size_t to, tile_numbers<F>& scales,
                                                   tile_numbers<F>& offsets) {
        constexpr std::size_t most = unit::runs_a_stretch;
        const std::size_t runs = (to - from) * unit::runs;
        float of_row[rows][most];
        float off[C::has_offset ? rows : 1][most];
        for (std::size_t k = 0; k < rows; ++k) {
            C::numbers(now[k], from * unit::weights, runs, of_row[k], off[C::has_offset ? k : 0]);
        }
        scales.turn(of_row, runs);
        if constexpr (C::has_offset) {
            offsets.turn(off, runs);
        }
    }
    template <std::size_t... V>
    TAMIS_DETAIL_INLINE static void add_unit(const std::byte* const (&now)[rows], std::size_t i,
                                             std::size_t r, const tile_numbers<F>& scales,
                                             const tile_numbers<F>& offsets, const int8_tokens& x,
                                             float (&sums)[most_tokens][rows], std::index_sequence<V...>) {
        (add_block<V>(now, i, r + V * runs_of_block, scales, offsets, x, sums,
                      std::make_index_sequence<runs_of_block>{}),
         ...);
    }
    /// Block V of a unit: unpacked and turned once, then times each token's.
    template <std::size_t V, std::size_t... R>
    TAMIS_DETAIL_INLINE static void add_block(const std::byte* const (&now)[rows], std::size_t i,
                                              std::size_t r, const tile_numbers<F>& scales,
                                              const tile_numbers<F>& offsets, const int8_tokens& x,
                                              float (&sums)[most_tokens][rows], std::index_sequence<R...>) {
        const auto load = [&](std::size_t k, bytes32 & out) __attribute__((always_inline)) {
            bytes32 codes[unit::vectors];
            C::load(now[k], i * unit::weights, codes);
            out = codes[V];
        };
        int8_tile w{load};
        if constexpr (C::are_signed) {
            w.flip_signs();
        }
        const int8_tokens_block values = x[i * unit::vectors + V];
        tile_floats scale[runs_of_block];
        tile_floats offset[runs_of_block];
        ((scale[R] = offset[R] = tile_of(0.0f)), ...);
        if constexpr (unit::scaled) {
            ((scale[R] = tile_load(scales.of[r + R])), ...);
            if constexpr (C::has_offset) {
                ((offset[R] = tile_load(offsets.of[r + R])), ...);
            }
        }
        const std::size_t tokens = x.size();
        for (std::size_t t = 0; t < tokens; ++t) {
            tile_floats sum = tile_load(sums[t]);
            const tile_floats of_token = tile_of(values.scales[t]);
            (add_run<R>(w, values, t + R * tokens, t, of_token, scale[R], offset[R], sum), ...);
            tile_store(sums[t], sum);
        }
    }
    template <std::size_t R>
    TAMIS_DETAIL_INLINE static void add_run(const int8_tile& w, const int8_tokens_block& values,
                                            std::size_t place, std::size_t t, tile_floats of_token,
                                            tile_floats scale, tile_floats offset, tile_floats& sum) {
        const tile_floats products = tile_floats_of(
            tile_dots<C::most, R * vectors_of_run>(w, values.codes + t * int8_block, values.zeros[place],
                                                   std::make_index_sequence<vectors_of_run>{}));
        if constexpr (unit::scaled) {
            sum = tile_add(tile_product(products, of_token), scale, sum);
        } else {
            sum = tile_add(products, of_token, sum);
        }
        if constexpr (C::has_offset) {
            sum = tile_add(tile_of(values.sums[place]), offset, sum);
        }
    }

    static void finish(const row_list& list, std::size_t first, std::size_t columns,
                       const std::byte* const (&now)[rows], const int8_tokens& x,
                       const float (&sums)[most_tokens][rows], block<float> y) {
        const std::size_t count = (std::min)(rows, list.size() - first);
        for (std::size_t t = 0; t < x.size(); ++t) {
            for (std::size_t k = 0; k < count; ++k) {
                float total = sums[t][k];
                if constexpr (!unit::scaled) { // one scale for all, and no padding behind the row
                    const std::size_t done = columns / int8_block * int8_block;
                    if (done < columns) {
                        const int8_tokens_block values = x[done / int8_block];
                        int products = 0;
                        for (std::size_t j = done; j < columns; ++j) {
                            products +=
                                unseen_byte(C::at(now[k], j)) * values.codes[t * int8_block + j - done];
                        }
                        total += values.scales[t] * static_cast<float>(products);
                    }
                    total *= F::scale(now[k], 0);
                }
                y.row(t)[list[first + k]] = total;
            }
        }
    }
};

/// y[token][r] = row r . x[token] for the rows of a format that dots_by_int8_tiles says it of.
template <class F>
TAMIS_DETAIL_NOINLINE void dot_listed_rows_int8(const row_list& rows, std::size_t columns,
                                                const int8_tokens& x, block<float> y) {
    for (std::size_t first = 0; first < rows.size(); first += int8_tile_rows) {
        int8_tile_dots<F>::multiply(rows, first, columns, x, y);
    }
}

#endif

/// The values of a call's tokens as its dot products take them: one token's, or several side by side where there are tiles.
template <class F>
class int8_dot_values {
  public:
    static std::size_t bytes(std::size_t tokens, std::size_t n) {
        return beside(tokens) ? int8_tokens::bytes(tokens, n, run_of_codes<F>)
                              : int8_values::bytes(tokens, n, run_of_codes<F>);
    }
    int8_dot_values() = default;
    int8_dot_values(block<const float> x, workspace& w) {
        if (beside(x.rows())) {
            beside_ = int8_tokens{x, run_of_codes<F>, int8_tile_zero<F>, w};
        } else {
            apart_ = int8_values{x, run_of_codes<F>, w};
        }
    }
    void dot(const row_list& rows, std::size_t columns, block<float> y) const {
        if constexpr (dots_by_int8_tiles<F>) {
            if (beside(y.rows())) {
                return dot_listed_rows_int8<F>(rows, columns, beside_, y);
            }
        }
        dot_listed_rows_int8<F>(rows, columns, apart_, y);
    }

  private:
    static constexpr bool beside(std::size_t tokens) { return dots_by_int8_tiles<F> && tokens > 1; }

    int8_values apart_;
    int8_tokens beside_;
};

} // namespace detail

TAMIS_END
