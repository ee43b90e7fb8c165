#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/kernel/tile.hpp>
#include <tamis/values.hpp>

#include <cstring>
#include <type_traits>

TAMIS_BEGIN

// The sum of rows for many tokens, by tiles. A token's list of a tile's rows with more than a zero in its x is what is
// multiplied for it; several tokens that want five eighths of the rows are taken together. Each entry of y sums its rows in ascending
// order: no bit of it depends on the other tokens, nor on how columns are divided.

namespace detail {

/// 16 KiB of floats. Floats as they lie are taken in longer pieces: of 32 rows that are a multiple of a page apart the lines that are
/// asked for ahead would drive each other out of a first cache; in one of few ways those of bytes and halves do so too.
template <class F>
inline constexpr bool takes_long_pieces =
    lies_as_floats<F> || (kernel_traits::few_ways && unit_of<F>::bytes >= unit_of<F>::weights);
template <class F>
using sum_tile = std::conditional_t<takes_long_pieces<F>, tile<16, 256>, tile<32, 128>>;

/// Tokens that are multiplied with all rows of a tile in registers, at most; six only where there are sixteen of those.
inline constexpr std::size_t most_together = has_32_registers ? 4 : 6;

/// The factors of a tile's rows for all tokens, and for each token which of them are not zero.
template <class Tile>
class tile_factors {
  public:
    /// Those of so many rows of F from place `first` on: x times the row's scale.
    template <class F>
    void take(const row_list& rows, std::size_t first, const std::byte* const* memory, std::size_t count,
              block<const float> x) {
        rows_ = count;
        std::size_t places[Tile::rows];
        float scales[Tile::rows];
        for (std::size_t k = 0; k < count; ++k) {
            places[k] = rows[first + k];
            scales[k] = 1;
            if constexpr (scaled_by_row<F>) {
                scales[k] = F::scale(memory[k], 0);
            }
        }
        for (std::size_t token = 0; token < x.rows(); ++token) {
            const float* const from = x.row(token).data();
            std::size_t wanted = 0;
            for (std::size_t k = 0; k < count; ++k) {
                const float factor = from[places[k]];
                factors_[token][k] = factor * scales[k];
                wanted_[token][wanted] = static_cast<std::uint8_t>(k);
                wanted += magnitude_bits(factor) != 0; // -ffast-math would drop a NaN
            }
            count_[token] = wanted;
        }
    }
    std::size_t rows() const { return rows_; }
    std::span<const std::uint8_t> wanted(std::size_t token) const { return {wanted_[token], count_[token]}; }
    const float* of_token(std::size_t token) const { return factors_[token]; }
    /// How many tokens from this one on are taken together: six or four where that is quicker, or one.
    std::size_t together(std::size_t token, std::size_t tokens) const {
        const std::size_t left = tokens - token;
        const bool six = most_together == 6 && (left == 6 || left == 10 || left >= 12);
        const std::size_t count = six ? 6 : 4;
        return left >= count && together_want(5, count_ + token, count, rows_) ? count : 1;
    }

  private:
    std::size_t rows_;
    std::size_t count_[most_tokens];
    alignas(64) float factors_[most_tokens][Tile::rows];
    std::uint8_t wanted_[most_tokens][Tile::rows + 1]; // one is written behind the last
};

/// y += the rows of a tile that a token wants, for so many vectors of its columns.
template <class Tile, std::size_t... V>
TAMIS_DETAIL_INLINE void add_wanted(const float* weights, const tile_factors<Tile>& factors,
                                    std::size_t token, float* y, std::index_sequence<V...>) {
    vec sum[] = {load(y + V * vec::size)...};
    const float* const of_token = factors.of_token(token);
    for (const std::size_t k : factors.wanted(token)) {
        const vec factor(of_token[k]);
        const float* const row = weights + k * Tile::columns;
        ((sum[V] = multiply_add(factor, load(row + V * vec::size), sum[V])), ...);
    }
    (store(y + V * vec::size, sum[V]), ...);
}

/// The same of all rows of a tile for several tokens.
template <class Tile, std::size_t... V, std::size_t... T>
TAMIS_DETAIL_INLINE void add_all(const float* weights, const tile_factors<Tile>& factors, std::size_t token,
                                 float* y, std::size_t stride, std::index_sequence<V...> vectors,
                                 std::index_sequence<T...>) {
    vec sums[sizeof...(T)][sizeof...(V)];
    (load_vectors(y + T * stride, sums[T], vectors), ...);
    for (std::size_t k = 0; k < factors.rows(); ++k) {
        vec row[sizeof...(V)];
        load_vectors(weights + k * Tile::columns, row, vectors);
        (add_products(vec(factors.of_token(token + T)[k]), row, sums[T], vectors), ...);
    }
    (store_vectors(sums[T], y + T * stride, vectors), ...);
}

/// f(column, vectors) for the whole vectors of so many columns: Most at a time, and the rest by fewer.
template <std::size_t Most, class F>
TAMIS_DETAIL_INLINE std::size_t for_each_vectors(std::size_t columns, F&& f, std::size_t from = 0) {
    for (; from + Most * vec::size <= columns; from += Most * vec::size) {
        f(from, std::make_index_sequence<Most>{});
    }
    if constexpr (Most > 1) {
        return for_each_vectors<Most / 2>(columns, f, from);
    } else {
        return from;
    }
}

/// The columns of a tile that are no whole vector, of a token: by way of a vector.
template <class Tile>
void add_last_columns(const float* weights, const tile_factors<Tile>& factors, std::size_t token, float* y,
                      std::size_t count) {
    float rest[vec::size] = {};
    std::memcpy(rest, y, count * sizeof(float));
    add_wanted(weights, factors, token, rest, std::make_index_sequence<1>{});
    std::memcpy(y, rest, count * sizeof(float));
}

/// Vectors of columns in registers for one token, four or six: twelve sums, or sixteen, are as many as products in flight.
constexpr std::size_t vectors_of_tokens(std::size_t tokens) {
    return tokens == 1 ? 8 : has_32_registers ? 4 : tokens == 4 ? 3 : 2;
}

/// y[token] += the tile's rows, times the factors of one token or of four.
template <class Tile>
TAMIS_DETAIL_NOINLINE void add_tile_to_token(const Tile& w, std::size_t columns,
                                             const tile_factors<Tile>& factors, std::size_t token, float* y,
                                             ask_meanwhile& ask) {
    const std::size_t done =
        for_each_vectors<vectors_of_tokens(1)>(columns, [&](std::size_t j, auto vectors) {
            ask.step();
            add_wanted(w.weights + j, factors, token, y + j, vectors);
        });
    if (done < columns) {
        add_last_columns(w.weights + done, factors, token, y + done, columns - done);
    }
}
template <std::size_t Tokens, class Tile>
TAMIS_DETAIL_NOINLINE void add_tile_to_several(const Tile& w, std::size_t columns,
                                               const tile_factors<Tile>& factors, std::size_t token, float* y,
                                               std::size_t stride, ask_meanwhile& ask) {
    const std::size_t done = for_each_vectors<vectors_of_tokens(Tokens)>(columns, [&](std::size_t j,
                                                                                      auto vectors) {
        ask.step();
        add_all(w.weights + j, factors, token, y + j, stride, vectors, std::make_index_sequence<Tokens>{});
    });
    for (std::size_t t = 0; t < Tokens && done < columns; ++t) {
        add_last_columns(w.weights + done, factors, token + t, y + t * stride + done, columns - done);
    }
}

/// Columns that are summed at a time. While rows of floats go through a second cache, it would lose the sums of many columns: as
/// many as all tokens' sums have of a MiB. Shorter formats leave room, and do best with long rows.
template <class F>
constexpr std::size_t strip_columns(std::size_t tokens, std::size_t columns) {
    return lies_as_floats<F> ? (std::size_t{1} << 18) / tokens / 512 * 512 : columns;
}

/// y[token] += the rows times x[token], in columns [begin, end) of so many.
template <class F>
void sum_rows_by_tiles(const row_list& rows, std::size_t columns, block<const float> x, block<float> y,
                       std::size_t begin, std::size_t end) {
    using tile_type = sum_tile<F>;
    constexpr std::size_t wide = tile_type::columns, high = tile_type::rows;
    tile_type weights;
    tile_factors<tile_type> factors;
    const std::byte* memory[2][high];
    std::size_t side = 0;
    std::size_t count = memory_of_rows(rows, 0, memory[0]);
    const std::size_t strip = strip_columns<F>(x.rows(), end - begin);
    const auto end_of_strip = [&](std::size_t from) { return (std::min)(from + strip, end); };
    for (std::size_t from = begin; from < end && count != 0; from += strip) {
        for (std::size_t first = 0; first < rows.size(); first += high, side = 1 - side) {
            const std::byte* const* const now = memory[side];
            const std::byte* const* const after = memory[1 - side];
            factors.template take<F>(rows, first, now, count, x);
            const bool is_last = first + high >= rows.size(); // behind it comes the next strip
            const std::size_t count_after =
                memory_of_rows(rows, is_last ? 0 : first + high, memory[1 - side]);
            const std::size_t begin_after = is_last ? end_of_strip(from) : from;
            const std::size_t end_after = end_of_strip(begin_after);
            const std::size_t to_strip = end_of_strip(from);
            tile_unpacker<F, tile_type> unpacker{from, to_strip, columns};
            unpacker.ready(now, count, from);
            for (std::size_t j = from; j < to_strip; j += wide) {
                const std::size_t to = (std::min)(j + wide, to_strip);
                unpacker.unpack(now, count, j, to, weights);
                unpacker.ready(now, count, to);
                const std::size_t next = j + unpacker.ahead;
                ask_meanwhile ask =
                    next < to_strip
                        ? ask_for_columns<F>(now, count, next, (std::min)(next + wide, to_strip))
                        : ask_for_columns<F>(after, count_after,
                                             begin_after + (next - to_strip) / wide * wide,
                                             (std::min)(begin_after + (next - to_strip) / wide * wide + wide,
                                                        end_after));
                for (std::size_t token = 0; token < x.rows();) {
                    float* const out = y.row(token).data() + j;
                    const std::size_t together = factors.together(token, x.rows());
                    const std::size_t vectors = vectors_of_tokens(together);
                    ask.share(token + together, x.rows(),
                              (std::max)((to - j) / (vectors * vec::size), std::size_t{1}));
                    if (together == 1) {
                        add_tile_to_token(weights, to - j, factors, token, out, ask);
                    } else if (most_together == 4 || together == 4) {
                        add_tile_to_several<4>(weights, to - j, factors, token, out, y.stride(), ask);
                    } else {
                        add_tile_to_several<most_together>(weights, to - j, factors, token, out, y.stride(),
                                                           ask);
                    }
                    token += together;
                }
            }
            count = count_after;
        }
    }
}

} // namespace detail

TAMIS_END
