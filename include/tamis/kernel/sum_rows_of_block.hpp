#pragma once

#include <tamis/kernel/sum_rows.hpp>
#include <tamis/kernel/sum_rows_by_tiles.hpp>
#include <tamis/values.hpp>

#include <cstring>

TAMIS_BEGIN

// sum_rows for several tokens: each row is read from memory and unpacked once for all of them. A token for which a row is
// not active has a zero in its x. Few tokens are multiplied out of registers, zeros and all, which costs less than to tell
// them apart; many by tiles.

/// The simple loop that it must equal up to rounding.
template <class M, class Rows>
void sum_rows_of_block_plain(const M& w, Rows rows, block<const float> x, block<float> y) {
    for (std::size_t token = 0; token < x.rows(); ++token) {
        sum_rows_plain(w, rows, x.row(token), y.row(token));
    }
}

namespace detail {

/// Room for the tokens that may be multiplied out of registers.
template <class F>
inline constexpr std::size_t tokens_in_registers = (std::min)(sum_tokens_of_tiles<F>.all, most_tokens);

/// y[v] += sum over k of factor[k][token] * vector v of row k.
template <std::size_t Count, std::size_t Vectors, std::size_t Most, std::size_t... K>
TAMIS_DETAIL_INLINE void add_to_token(const vec (&weights)[Count][Vectors], std::size_t v,
                                      const float (&factor)[Count][Most], std::size_t token, float* y,
                                      std::index_sequence<K...>) {
    vec sum = load(y + v * vec::size);
    ((sum = multiply_add(vec(factor[K][token]), weights[K][v], sum)), ...);
    store(y + v * vec::size, sum);
}

/// The same of all vectors of a unit for two tokens at a time: a vector of weights that does not stay in a register is read once for
/// both, and a factor once for all of them. Returns the first token that is left.
template <std::size_t Count, std::size_t Most, std::size_t... K, std::size_t... V>
TAMIS_DETAIL_INLINE std::size_t add_to_pairs(const vec (&weights)[Count][sizeof...(V)],
                                             const float (&factor)[Count][Most], std::size_t tokens,
                                             float* y, std::size_t stride, std::index_sequence<K...>,
                                             std::index_sequence<V...> vectors) {
    std::size_t token = 0;
    for (; token + 2 <= tokens; token += 2) {
        float* const first = y + token * stride;
        vec sums[2][sizeof...(V)];
        load_vectors(first, sums[0], vectors);
        load_vectors(first + stride, sums[1], vectors);
        ((add_products(vec(factor[K][token]), weights[K], sums[0], vectors),
          add_products(vec(factor[K][token + 1]), weights[K], sums[1], vectors)),
         ...);
        store_vectors(sums[0], first, vectors);
        store_vectors(sums[1], first + stride, vectors);
    }
    return token;
}
/// Whether that pays for units of so many vectors: eight sums leave some of 16 registers for factors. Of 32 the weights have theirs.
constexpr bool adds_to_pairs(std::size_t vectors) {
    return !has_32_registers && vectors == 4;
}

/// y[token] += sum over k of factor[k][token] * unit i of row k, for all tokens.
template <class F, std::size_t... K, std::size_t... V>
TAMIS_DETAIL_INLINE void add_unit_to_tokens(const rows_in_hand<F, sizeof...(K)>& in_hand, std::size_t i,
                                            const float (&factor)[sizeof...(K)][tokens_in_registers<F>],
                                            const float* const (&numbers)[sizeof...(K)], std::size_t tokens,
                                            float* y, std::size_t stride, std::index_sequence<K...> rows,
                                            std::index_sequence<V...> vectors) {
    vec weights[sizeof...(K)][sizeof...(V)];
    (load_scaled<F>(in_hand.now[K], i, numbers[K], weights[K], vectors), ...);
    std::size_t token = 0;
    if constexpr (adds_to_pairs(sizeof...(V))) {
        token = add_to_pairs(weights, factor, tokens, y, stride, rows, vectors);
    }
    for (; token < tokens; ++token) {
        (add_to_token(weights, V, factor, token, y + token * stride, rows), ...);
    }
}

/// add_rest for all tokens.
template <class F, std::size_t Count>
void add_rest_to_tokens(const rows_in_hand<F, Count>& in_hand, std::size_t last, std::size_t end,
                        std::size_t columns, const float (&factor)[Count][tokens_in_registers<F>],
                        block<float> y) {
    using unit = unit_of<F>;
    vec weights[Count][unit::vectors];
    for (std::size_t k = 0; k < Count; ++k) {
        load_rest<F>(in_hand.now[k], last, columns, weights[k]);
        if constexpr (scaled_by_block<F>) {
            const vec scale(F::scale(in_hand.now[k], last * unit::weights));
            for (vec& some : weights[k]) {
                some = some * scale;
            }
        }
    }
    const std::size_t count = end - last * unit::weights;
    for (std::size_t token = 0; token < y.rows(); ++token) {
        float rest[unit::weights] = {};
        float* const out = y.row(token).data() + last * unit::weights;
        std::memcpy(rest, out, count * sizeof(float));
        for (std::size_t v = 0; v < unit::vectors; ++v) {
            add_to_token(weights, v, factor, token, rest, std::make_index_sequence<Count>{});
        }
        std::memcpy(out, rest, count * sizeof(float));
    }
}

template <class F, std::size_t Count>
void add_rows_to_tokens(const passes_of<Count>& passes, std::size_t pass, std::size_t columns,
                        block<const float> x, std::size_t begin, std::size_t end, block<float> y) {
    using unit = unit_of<F>;
    const std::size_t start = begin / unit::weights;
    const std::size_t last = end / unit::weights;
    rows_in_hand<F, Count> in_hand{passes, pass, start, last};
    const std::size_t tokens = x.rows();
    float factor[Count][tokens_in_registers<F>];
    float one[Count];
    for (std::size_t i = 0; i < Count; ++i) {
        one[i] = 1;
        for (std::size_t token = 0; token < tokens; ++token) {
            factor[i][token] = x.row(token)[passes.row(pass, i)];
            if constexpr (scaled_by_row<F>) {
                factor[i][token] *= F::scale(in_hand.now[i], 0);
            }
        }
    }
    using made = stretch_numbers<F, Count>;
    made numbers;
    numbers.ready(in_hand.now, start, last, one);
    for (std::size_t from = start; from < last; from += unit::stretch) {
        const std::size_t to = (std::min)(from + unit::stretch, last);
        in_hand.look_ahead(from);
        const auto now = numbers.turn();
        numbers.ready(in_hand.now, to, last, one);
        for (std::size_t i = from; i < to; ++i) {
            if ((i - from) % unit::a_line == 0) {
                in_hand.ask_for(i);
            }
            const float* of_unit[Count];
            for (std::size_t r = 0; r < Count; ++r) {
                of_unit[r] = made::at(now, r, i - from);
            }
            add_unit_to_tokens<F>(in_hand, i, factor, of_unit, tokens, y.row(0).data() + i * unit::weights,
                                  y.stride(), std::make_index_sequence<Count>{},
                                  typename unit::each_vector{});
        }
    }
    if (last * unit::weights < end) {
        add_rest_to_tokens<F>(in_hand, last, end, columns, factor, y);
    }
}

/// Whether the rows of these tokens are multiplied by tiles: see sum_tokens_of_tiles.
template <class F>
bool sums_by_tiles(const row_list& rows, block<const float> x) {
    constexpr tokens_by_tiles from = sum_tokens_of_tiles<F>;
    if (x.rows() < from.some || x.rows() >= from.all) {
        return x.rows() >= from.all;
    }
    std::size_t wanted = 0;
    for (std::size_t token = 0; token < x.rows(); ++token) {
        const float* const of_token = x.row(token).data();
        for (std::size_t k = 0; k < rows.size(); ++k) {
            wanted += magnitude_bits(of_token[rows[k]]) != 0;
        }
    }
    return 8 * wanted < 5 * rows.size() * x.rows();
}

/// sum_rows_of_block of a format, whatever the matrix.
template <class F>
TAMIS_DETAIL_NOINLINE void sum_listed_rows_of_block(const row_list& rows, std::size_t columns,
                                                    block<const float> x, block<float> y, std::size_t begin,
                                                    std::size_t end) {
    if (sums_by_tiles<F>(rows, x)) {
        return sum_rows_by_tiles<F>(rows, columns, x, y, begin, end);
    }
    for_each_pass(rows, [&](const auto& passes, std::size_t i) {
        add_rows_to_tokens<F>(passes, i, columns, x, begin, end, y);
    });
}

} // namespace detail

/// y[token][j] += sum over the rows of x[token][row] * W[row, j], for the columns j in [begin, end) (begin a multiple of
/// 64) and up to most_tokens tokens.
template <class M, class Rows>
void sum_rows_of_block(const M& w, Rows rows, block<const float> x, block<float> y, std::size_t begin,
                       std::size_t end) {
    if (x.rows() == 1) {
        sum_rows(w, rows, x.row(0), y.row(0), begin, end);
    } else if (x.rows() != 0) {
        x = detail::unseen(x);
        y = detail::unseen(y);
        detail::sum_listed_rows_of_block<typename M::format_type>(detail::row_list{w, rows}, w.columns(), x,
                                                                  y, begin, end);
    }
}

TAMIS_END
