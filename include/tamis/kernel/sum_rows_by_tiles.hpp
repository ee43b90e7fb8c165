#pragma once

#include <tamis/detail/inlined.hpp>
#include <tamis/kernel/tile.hpp>
#include <tamis/values.hpp>

#include <cstring>

TAMIS_BEGIN

// The sum of rows for many tokens, by tiles. A token's list of a tile's rows with more than a zero in its x is what is
// multiplied for it; four tokens that want five eighths of the rows are taken together. Each entry of y sums its rows in ascending
// order: no bit of it depends on the other tokens, nor on how columns are divided.

namespace detail {

/// 16 KiB of floats.
using sum_tile = tile<32, 128>;

/// The factors of a tile's rows for all tokens, and for each token which of them are not zero.
class tile_factors {
  public:
    void begin(std::size_t rows) {
        rows_ = rows;
        detail::fill_n(count_, most_tokens, std::size_t{0});
    }
    /// Those of row k: x times the scale of the row.
    void add(std::size_t k, block<const float> x, std::size_t row, float scale) {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            const float factor = x.row(token)[row];
            factors_[k][token] = factor * scale;
            wanted_[token][count_[token]] = static_cast<std::uint8_t>(k);
            count_[token] += (bits_as<std::uint32_t>(factor) << 1) != 0; // -ffast-math would drop a NaN
        }
    }
    std::size_t rows() const { return rows_; }
    std::span<const std::uint8_t> wanted(std::size_t token) const { return {wanted_[token], count_[token]}; }
    const float* of_row(std::size_t k) const { return factors_[k]; }
    /// Whether the four tokens from this one on are quicker together.
    bool are_joined(std::size_t token, std::size_t tokens) const {
        return four_want(5, count_, token, tokens, rows_);
    }

  private:
    std::size_t rows_;
    std::size_t count_[most_tokens];
    alignas(64) float factors_[sum_tile::rows][most_tokens];
    std::uint8_t wanted_[most_tokens][sum_tile::rows + 1]; // one is written behind the last
};

/// y += the rows of a tile that a token wants, for so many vectors of its columns.
template <std::size_t... V>
TAMIS_DETAIL_INLINE void add_wanted(const float* weights, const tile_factors& factors, std::size_t token,
                                    float* y, std::index_sequence<V...>) {
    vec sum[] = {load(y + V * vec::size)...};
    for (const std::size_t k : factors.wanted(token)) {
        const vec factor(factors.of_row(k)[token]);
        const float* const row = weights + k * sum_tile::columns;
        ((sum[V] = multiply_add(factor, load(row + V * vec::size), sum[V])), ...);
    }
    (store(y + V * vec::size, sum[V]), ...);
}

/// The same of all rows of a tile for several tokens.
template <std::size_t... V, std::size_t... T>
TAMIS_DETAIL_INLINE void add_all(const float* weights, const tile_factors& factors, std::size_t token,
                                 float* y, std::size_t stride, std::index_sequence<V...> vectors,
                                 std::index_sequence<T...>) {
    vec sums[sizeof...(T)][sizeof...(V)];
    (load_vectors(y + T * stride, sums[T], vectors), ...);
    for (std::size_t k = 0; k < factors.rows(); ++k) {
        vec row[sizeof...(V)];
        load_vectors(weights + k * sum_tile::columns, row, vectors);
        const float* const of_row = factors.of_row(k) + token;
        (add_products(vec(of_row[T]), row, sums[T], vectors), ...);
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
inline void add_last_columns(const float* weights, const tile_factors& factors, std::size_t token, float* y,
                             std::size_t count) {
    float rest[vec::size] = {};
    std::memcpy(rest, y, count * sizeof(float));
    add_wanted(weights, factors, token, rest, std::make_index_sequence<1>{});
    std::memcpy(y, rest, count * sizeof(float));
}

/// y[token] += the tile's rows, times the factors of one token or of four.
TAMIS_DETAIL_NOINLINE inline void add_tile_to_token(const sum_tile& w, std::size_t columns,
                                                    const tile_factors& factors, std::size_t token,
                                                    float* y) {
    const std::size_t done = for_each_vectors<8>(columns, [&](std::size_t j, auto vectors) {
        add_wanted(w.weights + j, factors, token, y + j, vectors);
    });
    if (done < columns) {
        add_last_columns(w.weights + done, factors, token, y + done, columns - done);
    }
}
TAMIS_DETAIL_NOINLINE inline void add_tile_to_four(const sum_tile& w, std::size_t columns,
                                                   const tile_factors& factors, std::size_t token, float* y,
                                                   std::size_t stride) {
    constexpr std::size_t most = has_32_registers ? 4 : 2;
    const std::size_t done = for_each_vectors<most>(columns, [&](std::size_t j, auto vectors) {
        add_all(w.weights + j, factors, token, y + j, stride, vectors, std::make_index_sequence<4>{});
    });
    for (std::size_t t = 0; t < 4 && done < columns; ++t) {
        add_last_columns(w.weights + done, factors, token + t, y + t * stride + done, columns - done);
    }
}

/// y[token] += the rows times x[token], in columns [begin, end) of so many.
template <class F>
void sum_rows_by_tiles(const row_list& rows, std::size_t columns, block<const float> x, block<float> y,
                       std::size_t begin, std::size_t end) {
    sum_tile weights;
    tile_factors factors;
    const std::byte* memory[2][sum_tile::rows];
    std::size_t side = 0;
    std::size_t count = memory_of_rows(rows, 0, memory[0]);
    for (std::size_t first = 0; count != 0; first += sum_tile::rows, side = 1 - side) {
        const std::byte* const* const now = memory[side];
        const std::byte* const* const after = memory[1 - side];
        const std::size_t count_after = memory_of_rows(rows, first + sum_tile::rows, memory[1 - side]);
        factors.begin(count);
        for (std::size_t k = 0; k < count; ++k) {
            float scale = 1;
            if constexpr (scaled_by_row<F>) {
                scale = F::scale(now[k], 0);
            }
            factors.add(k, x, rows[first + k], scale);
        }
        tile_unpacker<F, sum_tile> unpacker{begin, end, columns};
        unpacker.ready(now, count, begin);
        for (std::size_t j = begin; j < end; j += sum_tile::columns) {
            const std::size_t to = (std::min)(j + sum_tile::columns, end);
            unpacker.unpack(now, count, j, to, weights);
            unpacker.ready(now, count, to);
            ask_meanwhile<F> ask =
                to < end
                    ? ask_meanwhile<F>{now, count, to, (std::min)(to + sum_tile::columns, end)}
                    : ask_meanwhile<F>{after, count_after, begin, (std::min)(begin + sum_tile::columns, end)};
            for (std::size_t token = 0; token < x.rows();) {
                float* const out = y.row(token).data() + j;
                const std::size_t together = factors.are_joined(token, x.rows()) ? 4 : 1;
                ask(token + together, x.rows());
                if (together == 4) {
                    add_tile_to_four(weights, to - j, factors, token, out, y.stride());
                } else {
                    add_tile_to_token(weights, to - j, factors, token, out);
                }
                token += together;
            }
        }
        count = count_after;
    }
}

} // namespace detail

TAMIS_END
