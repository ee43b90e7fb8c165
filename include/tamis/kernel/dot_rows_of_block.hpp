#pragma once

#include <tamis/kernel/dot_rows.hpp>
#include <tamis/kernel/dot_rows_by_tiles.hpp>
#include <tamis/values.hpp>

TAMIS_BEGIN

// dot_rows for several tokens: each row is read from memory once for all of them. Few tokens are multiplied out of
// registers, whether or not they want a row, which costs less than to tell them apart; many by tiles.

namespace detail {

/// 0 where a token's mask leaves one of the rows out.
template <class Rows>
void leave_out(const Rows& rows, token_masks masks, block<float> y) {
    for (std::size_t token = 0; token < y.rows() && !masks.all(); ++token) {
        for (std::size_t k = 0; k < rows.size(); ++k) {
            if (!masks.wants(token, rows[k])) {
                y.row(token)[rows[k]] = 0;
            }
        }
    }
}

} // namespace detail

/// The simple loop that it must equal up to rounding.
template <class M, class Rows>
void dot_rows_of_block_plain(const M& w, Rows rows, block<const float> x, block<float> y,
                             token_masks masks = {}) {
    for (std::size_t token = 0; token < x.rows(); ++token) {
        dot_rows_plain(w, rows, x.row(token), y.row(token));
    }
    detail::leave_out(rows, masks, y);
}

namespace detail {

/// sums[token][k] += unit i of row k times that of x[token], for Tokens tokens.
template <class F, std::size_t Tokens, std::size_t... K, std::size_t... V>
TAMIS_DETAIL_INLINE void multiply_unit_with_tokens(const rows_in_hand<F, sizeof...(K)>& in_hand,
                                                   std::size_t i, const float* const (&numbers)[sizeof...(K)],
                                                   const float* x, std::size_t stride,
                                                   vec (&sums)[Tokens][sizeof...(K)],
                                                   std::index_sequence<K...>,
                                                   std::index_sequence<V...> vectors) {
    vec weights[sizeof...(K)][sizeof...(V)];
    (load_scaled<F>(in_hand.now[K], i, numbers[K], weights[K], vectors), ...);
    for (std::size_t token = 0; token < Tokens; ++token) {
        for (std::size_t v = 0; v < sizeof...(V); ++v) {
            const vec values = load(x + token * stride + v * vec::size);
            ((sums[token][K] = multiply_add(weights[K][v], values, sums[token][K])), ...);
        }
    }
}

template <class F, std::size_t Tokens, std::size_t Count>
void multiply_rows_with_tokens(const passes_of<Count>& passes, std::size_t pass, block<const float> x,
                               block<float> y, std::size_t first_token) {
    using unit = unit_of<F>;
    const std::size_t last = x.columns() / unit::weights;
    rows_in_hand<F, Count> in_hand{passes, pass, 0, last};
    float one[Count];
    detail::fill_n(one, Count, 1.0f);
    vec sums[Tokens][Count];
    for (auto& of_token : sums) {
        detail::fill_n(of_token, Count, vec(0.0f));
    }
    using made = stretch_numbers<F, Count>;
    made numbers;
    numbers.ready(in_hand.now, 0, last, one);
    for (std::size_t from = 0; from < last; from += unit::stretch) {
        const std::size_t to = (std::min)(from + unit::stretch, last);
        in_hand.look_ahead(from);
        const auto now = numbers.turn();
        numbers.ready(in_hand.now, to, last, one);
        for (std::size_t i = from; i < to; ++i) {
            if (first_token == 0 && (i - from) % unit::a_line == 0) {
                in_hand.ask_for(i);
            }
            const float* of_unit[Count];
            for (std::size_t k = 0; k < Count; ++k) {
                of_unit[k] = made::at(now, k, i - from);
            }
            multiply_unit_with_tokens<F, Tokens>(in_hand, i, of_unit,
                                                 x.row(first_token).data() + i * unit::weights, x.stride(),
                                                 sums, std::make_index_sequence<Count>{},
                                                 typename unit::each_vector{});
        }
    }
    for (std::size_t token = 0; token < Tokens; ++token) {
        const auto of_token = x.row(first_token + token);
        for (std::size_t k = 0; k < Count; ++k) {
            float total = sum(sums[token][k]);
            if constexpr (scaled_by_row<F>) {
                total *= F::scale(in_hand.now[k], 0);
            }
            for (std::size_t j = last * unit::weights; j < x.columns(); ++j) {
                total += F::at(in_hand.now[k], j) * of_token[j];
            }
            y.row(first_token + token)[passes.row(pass, k)] = total;
        }
    }
}

/// dot_rows_of_block of a format, whatever the matrix; x has its columns.
template <class F>
TAMIS_DETAIL_NOINLINE void dot_listed_rows_of_block(const row_list& rows, block<const float> x,
                                                    block<float> y, token_masks masks) {
    if (x.rows() >= dot_tokens_of_tiles) {
        return dot_rows_by_tiles<F>(rows, x, y, masks);
    }
    for_each_pass<4>(rows, [&](const auto& passes, std::size_t i) {
        std::size_t token = 0;
        for (; token + 4 <= x.rows(); token += 4) {
            multiply_rows_with_tokens<F, 4>(passes, i, x, y, token);
        }
        if (token + 2 <= x.rows()) {
            multiply_rows_with_tokens<F, 2>(passes, i, x, y, token);
            token += 2;
        }
        if (token < x.rows()) {
            multiply_rows_with_tokens<F, 1>(passes, i, x, y, token);
        }
    });
    leave_out(rows, masks, y);
}

} // namespace detail

/// y[token][r] = row r . x[token] for the rows and up to most_tokens tokens; 0 where a token's mask leaves a row out.
template <class M, class Rows>
void dot_rows_of_block(const M& w, Rows rows, block<const float> x, block<float> y, token_masks masks = {}) {
    if (x.rows() == 1) {
        dot_rows(w, rows, x.row(0), y.row(0));
        return detail::leave_out(rows, masks, y);
    }
    x = detail::unseen(x);
    y = detail::unseen(y);
    detail::dot_listed_rows_of_block<typename M::format_type>(detail::row_list{w, rows}, x, y, masks);
}

TAMIS_END
