#pragma once

#include <tamis/kernel/tile.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

// Dot products for many tokens, by tiles. A token's list of the rows that it wants is what is multiplied for it; four tokens
// that want half of the rows are taken together. Each product is summed in one and the same order, whatever is taken with it.

/// The masks of several tokens over the rows of a matrix; without words every token wants every row.
struct token_masks {
    const std::uint64_t* words = nullptr;
    std::size_t stride = 0; // words from a token's mask to the next

    constexpr bool all() const { return words == nullptr; }
    constexpr bool wants(std::size_t token, std::size_t row) const {
        return all() || ((words[token * stride + row / 64] >> (row % 64)) & 1) != 0;
    }
};

namespace detail {

/// 16 KiB of floats.
using dot_tile = tile<has_32_registers ? 16 : 15, 256>;

/// Sums of the products of a tile's rows with all tokens' values, a vector for each, and which are wanted.
class tile_sums {
  public:
    void begin(std::size_t rows) {
        rows_ = rows;
        detail::fill_n(count_, most_tokens, std::size_t{0});
    }
    /// A token wants row k.
    void want(std::size_t token, std::size_t k) {
        store(sums_[token] + k * vec::size, vec(0.0f));
        wanted_[token][count_[token]++] = k;
    }
    /// Decides which fours of tokens are taken together: what they do not want is then summed too, and left.
    void join(std::size_t tokens) {
        joined_ = 0;
        for (std::size_t token = 0; token < tokens;) {
            if (token + 4 > tokens || !together_want(4, count_ + token, 4, rows_)) {
                ++token;
                continue;
            }
            joined_ |= 1u << token;
            for (std::size_t end = token + 4; token < end; ++token) {
                detail::fill_n(sums_[token], rows_ * vec::size, 0.0f);
            }
        }
    }
    bool are_joined(std::size_t token) const { return (joined_ >> token & 1u) != 0; }
    std::size_t rows() const { return rows_; }
    std::span<const std::size_t> wanted(std::size_t token) const { return {wanted_[token], count_[token]}; }
    float* of(std::size_t token) { return sums_[token]; }

  private:
    std::size_t rows_;
    unsigned joined_ = 0; // a bit for the first of four tokens
    std::size_t count_[most_tokens];
    std::size_t wanted_[most_tokens][dot_tile::rows];
    alignas(64) float sums_[most_tokens][dot_tile::rows * vec::size];
};

/// Rows that are multiplied at a time, with one token or with four.
inline constexpr std::size_t rows_with_one = 8, rows_with_four = has_32_registers ? 4 : 3;

/// sums[row] += row . x for the rows named and so many vectors.
template <std::size_t... K>
TAMIS_DETAIL_INLINE void multiply_some(const dot_tile& w, const std::size_t* rows, std::size_t columns,
                                       const float* x, float* sums, std::index_sequence<K...>) {
    const float* const weights[] = {w.row(rows[K])...};
    vec sum[] = {load(sums + rows[K] * vec::size)...};
    for (std::size_t j = 0; j < columns; j += vec::size) {
        const vec values = load(x + j);
        ((sum[K] = multiply_add(load(weights[K] + j), values, sum[K])), ...);
    }
    (store(sums + rows[K] * vec::size, sum[K]), ...);
}
template <std::size_t Most>
TAMIS_DETAIL_INLINE void multiply_wanted(const dot_tile& w, std::span<const std::size_t> rows,
                                         std::size_t columns, const float* x, float* sums,
                                         ask_meanwhile& ask) {
    std::size_t k = 0;
    for (; k + Most <= rows.size(); k += Most) {
        ask.step();
        multiply_some(w, rows.data() + k, columns, x, sums, std::make_index_sequence<Most>{});
    }
    if constexpr (Most > 1) {
        multiply_wanted<Most / 2>(w, rows.subspan(k), columns, x, sums, ask);
    }
}
TAMIS_DETAIL_NOINLINE inline void multiply_tile_with_token(const dot_tile& w, std::size_t columns,
                                                           const float* x, tile_sums& sums, std::size_t token,
                                                           ask_meanwhile& ask) {
    multiply_wanted<rows_with_one>(w, sums.wanted(token), columns, x, sums.of(token), ask);
}

/// sums[token][row] += row . x[token] for a few rows from the first on and several tokens.
template <std::size_t... K, std::size_t... T>
TAMIS_DETAIL_INLINE void multiply_all(const float* weights, std::size_t columns, const float* x,
                                      std::size_t stride, float* sums, std::index_sequence<K...> rows,
                                      std::index_sequence<T...>) {
    constexpr std::size_t of_token = dot_tile::rows * vec::size;
    vec sum[sizeof...(T)][sizeof...(K)];
    (load_vectors(sums + T * of_token, sum[T], rows), ...);
    for (std::size_t j = 0; j < columns; j += vec::size) {
        const vec row[] = {load(weights + K * dot_tile::columns + j)...};
        (add_products(load(x + T * stride + j), row, sum[T], rows), ...);
    }
    (store_vectors(sum[T], sums + T * of_token, rows), ...);
}
template <std::size_t Most>
TAMIS_DETAIL_INLINE void multiply_rows_with_four(const dot_tile& w, std::size_t columns, const float* x,
                                                 std::size_t stride, float* sums, std::size_t rows,
                                                 ask_meanwhile& ask, std::size_t k = 0) {
    for (; k + Most <= rows; k += Most) {
        ask.step();
        multiply_all(w.row(k), columns, x, stride, sums + k * vec::size, std::make_index_sequence<Most>{},
                     std::make_index_sequence<4>{});
    }
    if constexpr (Most > 1) {
        multiply_rows_with_four<Most / 2>(w, columns, x, stride, sums, rows, ask, k);
    }
}
TAMIS_DETAIL_NOINLINE inline void multiply_tile_with_four(const dot_tile& w, std::size_t columns,
                                                          const float* x, std::size_t stride, tile_sums& sums,
                                                          std::size_t token, ask_meanwhile& ask) {
    multiply_rows_with_four<rows_with_four>(w, columns, x, stride, sums.of(token), sums.rows(), ask);
}

/// y[token][r] = row r . x[token] for the rows, and 0 where a token's mask leaves one out.
template <class F>
void dot_rows_by_tiles(const row_list& rows, block<const float> x, block<float> y, token_masks masks) {
    constexpr std::size_t whole = (std::max)(unit_of<F>::weights, vec::size);
    const std::size_t last = x.columns() / whole * whole;
    dot_tile weights;
    tile_sums sums;
    tile_unpacker<F, dot_tile> unpacker{0, last, x.columns()};
    const std::byte* memory[2][dot_tile::rows];
    std::size_t side = 0;
    std::size_t count = memory_of_rows(rows, 0, memory[0]);
    unpacker.ready(memory[0], count, 0);
    for (std::size_t first = 0; count != 0; first += dot_tile::rows, side = 1 - side) {
        const std::byte* const* const now = memory[side];
        const std::byte* const* const after = memory[1 - side];
        const std::size_t count_after = memory_of_rows(rows, first + dot_tile::rows, memory[1 - side]);
        sums.begin(count);
        for (std::size_t token = 0; token < x.rows(); ++token) {
            for (std::size_t k = 0; k < count; ++k) {
                if (masks.wants(token, rows[first + k])) {
                    sums.want(token, k);
                }
            }
        }
        sums.join(x.rows());
        for (std::size_t j = 0; j < last; j += dot_tile::columns) {
            const std::size_t to = (std::min)(j + dot_tile::columns, last);
            unpacker.unpack(now, count, j, to, weights);
            const std::size_t next = to < last ? to : 0;
            const std::byte* const* const next_rows = to < last ? now : after;
            const std::size_t next_count = to < last ? count : count_after;
            unpacker.ready(next_rows, next_count, next);
            ask_meanwhile ask =
                ask_for_columns<F>(next_rows, next_count, next, (std::min)(next + dot_tile::columns, last));
            for (std::size_t token = 0; token < x.rows();) {
                const float* const values = x.row(token).data() + j;
                const std::size_t together = sums.are_joined(token) ? 4 : 1;
                const std::size_t passes =
                    together == 4 ? count / rows_with_four : sums.wanted(token).size() / rows_with_one;
                ask.share(token + together, x.rows(), (std::max)(passes, std::size_t{1}));
                if (together == 4) {
                    multiply_tile_with_four(weights, to - j, values, x.stride(), sums, token, ask);
                } else {
                    multiply_tile_with_token(weights, to - j, values, sums, token, ask);
                }
                token += together;
            }
        }
        for (std::size_t token = 0; token < x.rows(); ++token) {
            const auto out = y.row(token);
            const auto in = x.row(token);
            for (std::size_t k = 0; k < count; ++k) {
                const std::size_t row = rows[first + k];
                float total = 0;
                if (masks.wants(token, row)) {
                    total = sum(load(sums.of(token) + k * vec::size));
                    if constexpr (scaled_by_row<F>) {
                        total *= F::scale(now[k], 0);
                    }
                    for (std::size_t i = last; i < in.size(); ++i) {
                        total += F::at(now[k], i) * in[i];
                    }
                }
                out[row] = total;
            }
        }
        count = count_after;
    }
}

} // namespace detail

TAMIS_END
