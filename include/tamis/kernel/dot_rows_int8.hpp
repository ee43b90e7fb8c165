#pragma once

#include <tamis/kernel/code_units.hpp>
#include <tamis/kernel/dot_halves_int8.hpp>
#include <tamis/kernel/int8_tile.hpp>
#include <tamis/kernel/int8_values.hpp>
#include <tamis/kernel/step.hpp>

TAMIS_BEGIN

// Dot products of active rows with values in blocks of eight-bit integers, for formats whose codes are integers: products and
// their sum over a block are exact, and scaled once a block. Rows that are not listed are not read. Each product is summed in
// one order, whichever rows and tokens are taken with it.

namespace detail {

/// The values that a unit is multiplied with, of several tokens, and what is taken off for the codes' zero.
template <class F, std::size_t Tokens>
struct int8_unit {
    static constexpr std::size_t vectors = code_units<F>::vectors;
    bytes32 x[Tokens][vectors];
    ints8 zero[Tokens][vectors];

    TAMIS_DETAIL_INLINE int8_unit(const int8_vector (&from)[Tokens], std::size_t i) {
        load(from, i, std::make_index_sequence<Tokens * vectors>{});
    }

  private:
    template <std::size_t... Place>
    TAMIS_DETAIL_INLINE void load(const int8_vector (&from)[Tokens], std::size_t i,
                                  std::index_sequence<Place...>) {
        (load_one(from[Place / vectors], i + Place % vectors * 32, x[Place / vectors][Place % vectors],
                  zero[Place / vectors][Place % vectors]),
         ...);
    }
    TAMIS_DETAIL_INLINE static void load_one(const int8_vector& from, std::size_t i, bytes32& codes,
                                             ints8& off) {
        using C = typename F::codes;
        from.load(i, codes);
        if constexpr (C::are_signed) {
            dot_of_128(codes, off);
        } else if constexpr (C::zero != 0) {
            constexpr auto zero_code = static_cast<std::uint8_t>(C::zero);
            dot_unsigned<C::zero>(bytes32{} + zero_code, codes, off);
        }
    }
};

/// sum += codes times x, scaled.
template <class F>
TAMIS_DETAIL_INLINE void add_codes(const bytes32& codes, const bytes32& x, const ints8& zero,
                                   const float* scales, floats8& sum) {
    using C = typename F::codes;
    ints8 products;
    if constexpr (C::are_signed) {
        dot_signed(codes, x, zero, products);
    } else {
        dot_unsigned<C::most>(codes, x, products);
        if constexpr (C::zero != 0) {
            products -= zero;
        }
    }
    floats8 by;
    if constexpr (run_of_codes<F> == 16) {
        set_halves(scales[0], scales[1], by);
    } else {
        set_lanes(scales[0], by);
    }
    add_product(products, by, sum);
}

template <class F, std::size_t Count, std::size_t Tokens>
class int8_dots {
    using C = typename F::codes;
    using unit = code_units<F>;
    static constexpr std::size_t vectors = unit::vectors;
    using each_row = std::make_index_sequence<Count>;
    using each_product = std::make_index_sequence<Tokens * vectors>;
    using sums_type = floats8[Count][Tokens];

  public:
    TAMIS_DETAIL_INLINE static void multiply(const passes_of<Count>& passes, std::size_t pass,
                                             std::size_t columns, const int8_vector (&x)[Tokens],
                                             float* const (&y)[Tokens]) {
        const std::size_t last =
            unit::scaled ? (columns + unit::weights - 1) / unit::weights : columns / unit::weights;
        const rows_of_pass<Count> rows{passes, pass};
        const std::size_t ahead =
            (std::min)(int8_bytes_ahead(passes.rows, last * unit::bytes) / unit::bytes, last);
        sums_type sums;
        floats8 offsets[Count][Tokens];
        for (std::size_t k = 0; k < Count; ++k) {
            for (std::size_t t = 0; t < Tokens; ++t) {
                sums[k][t] = offsets[k][t] = floats8{};
            }
        }
        for (std::size_t from = 0; from < last; from += unit::a_stretch) {
            const std::size_t to = (std::min)(from + unit::a_stretch, last);
            const std::byte* ask[Count];
            for (std::size_t k = 0; k < Count; ++k) {
                ask[k] = from + ahead < last ? rows.now[k] + ahead * unit::bytes
                                             : rows.next[k] - (last - ahead) * unit::bytes;
            }
            float scales[unit::scaled ? Count : 1][Tokens][unit::runs_a_stretch];
            if constexpr (unit::scaled) {
                for (std::size_t k = 0; k < Count; ++k) {
                    make_scales(rows.now[k], from, to, x, scales[k], offsets[k]);
                }
            } else {
                for (std::size_t t = 0; t < Tokens; ++t) {
                    copy_n(x[t].scales + from * unit::runs, unit::runs_a_stretch, scales[0][t]);
                }
            }
            stretch(rows.now, ask, from, to, x, scales, sums, each_row{});
        }
        finish(passes, pass, columns, rows.now, x, sums, offsets, y);
    }

  private:
    /// Those of a row times x's, and what its offsets add.
    TAMIS_DETAIL_INLINE static void make_scales(const std::byte* row, std::size_t from, std::size_t to,
                                                const int8_vector (&x)[Tokens],
                                                float (&scales)[Tokens][unit::runs_a_stretch],
                                                floats8 (&offsets)[Tokens]) {
        constexpr std::size_t most = unit::runs_a_stretch;
        float of_row[most];
        float off[most];
        const std::size_t runs = (to - from) * unit::runs;
        C::numbers(row, from * unit::weights, runs, of_row, off);
        for (std::size_t r = runs; r < most && C::has_offset; ++r) {
            off[r] = 0;
        }
        for (std::size_t t = 0; t < Tokens; ++t) {
            const float* const of_x = x[t].scales + from * unit::runs;
            const float* const sums = x[t].sums + from * unit::runs;
            for (std::size_t r = 0; r < most; r += 8) {
                floats8 a, b;
                load_lanes(of_row + r, a);
                load_lanes(of_x + r, b);
                store_lanes(scales[t] + r, a * b);
                if constexpr (C::has_offset) {
                    load_lanes(off + r, a);
                    load_lanes(sums + r, b);
                    add_product(a, b, offsets[t]);
                }
            }
        }
    }

    template <std::size_t... K>
    TAMIS_DETAIL_INLINE static void stretch(
        const std::byte* const (&now)[Count], const std::byte* const (&ask)[Count], std::size_t from,
        std::size_t to, const int8_vector (&x)[Tokens],
        const float (&scales)[unit::scaled ? Count : 1][Tokens][unit::runs_a_stretch], sums_type& total,
        std::index_sequence<K...>) {
        sums_type sums;
        (copy_sums(total[K], sums[K], std::make_index_sequence<Tokens>{}), ...);
        for (std::size_t i = from; i < to; ++i) {
            if ((i - from) % unit::a_line == 0) {
                (prefetch(ask[K] + i * unit::bytes), ...);
            }
            const int8_unit<F, Tokens> values{x, i * unit::weights};
            (add_row(now[K], i, values, scales[unit::scaled ? K : 0], (i - from) * unit::runs, sums[K],
                     each_product{}),
             ...);
        }
        (copy_sums(sums[K], total[K], std::make_index_sequence<Tokens>{}), ...);
    }
    template <std::size_t... T>
    TAMIS_DETAIL_INLINE static void copy_sums(const floats8 (&from)[Tokens], floats8 (&to)[Tokens],
                                              std::index_sequence<T...>) {
        ((to[T] = from[T]), ...);
    }
    template <std::size_t... Place>
    TAMIS_DETAIL_INLINE static void add_row(const std::byte* row, std::size_t i,
                                            const int8_unit<F, Tokens>& values,
                                            const float (&scales)[Tokens][unit::runs_a_stretch],
                                            std::size_t r, floats8 (&sums)[Tokens],
                                            std::index_sequence<Place...>) {
        bytes32 codes[vectors];
        C::load(row, i * unit::weights, codes);
        constexpr std::size_t runs = unit::runs / vectors;
        (add_codes<F>(codes[Place % vectors], values.x[Place / vectors][Place % vectors],
                      values.zero[Place / vectors][Place % vectors],
                      scales[Place / vectors] + r + Place % vectors * runs, sums[Place / vectors]),
         ...);
    }

    TAMIS_DETAIL_INLINE static void finish(const passes_of<Count>& passes, std::size_t pass,
                                           std::size_t columns, const std::byte* const (&now)[Count],
                                           const int8_vector (&x)[Tokens], sums_type& sums,
                                           const floats8 (&offsets)[Count][Tokens],
                                           float* const (&y)[Tokens]) {
        for (std::size_t k = 0; k < Count; ++k) {
            for (std::size_t t = 0; t < Tokens; ++t) {
                if constexpr (C::has_offset) {
                    sums[k][t] += offsets[k][t];
                }
                float total = sum_of_lanes(sums[k][t]);
                if constexpr (!unit::scaled) { // one scale for all, and no padding behind the row
                    const std::size_t first = columns / 32 * 32;
                    int products = 0;
                    for (std::size_t j = first; j < columns; ++j) {
                        products += unseen_byte(C::at(now[k], j)) * x[t].codes[j];
                    }
                    total += first < columns ? x[t].scales[first / 32] * static_cast<float>(products) : 0.0f;
                    total *= F::scale(now[k], 0);
                }
                y[t][passes.row(pass, k)] = total;
            }
        }
    }
};

/// Some tokens from `first` on.
template <class F, std::size_t Count, std::size_t Tokens>
void dot_rows_with_tokens(const passes_of<Count>& passes, std::size_t pass, std::size_t columns,
                          const int8_values& x, std::size_t first, block<float> y) {
    int8_vector of_x[Tokens];
    float* of_y[Tokens];
    for (std::size_t t = 0; t < Tokens; ++t) {
        of_x[t] = x[first + t];
        of_y[t] = y.row(first + t).data();
    }
    int8_dots<F, Count, Tokens>::multiply(passes, pass, columns, of_x, of_y);
}

/// Rows a pass of one token: as many as there are registers for.
inline constexpr std::size_t int8_rows_a_pass = kernel_traits::few_ways ? 4 : 8;

/// y[token][r] = row r . x[token] for the rows of a format and any number of tokens: eight rows a pass, or four where there are few
/// registers; four rows with four tokens (two where there are few registers). Formats that are multiplied by tiles take tokens one by one here: several of
/// them are dot_tokens_int8.hpp's.
template <class F>
TAMIS_DETAIL_NOINLINE void dot_listed_rows_int8(const row_list& rows, std::size_t columns,
                                                const int8_values& x, block<float> y) {
    if (dots_by_int8_tiles<F> || y.rows() == 1) {
        return for_each_pass<int8_rows_a_pass>(rows, [&]<std::size_t Count>(const passes_of<Count>& passes, std::size_t i) {
            for (std::size_t token = 0; token < y.rows(); ++token) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
                if constexpr (takes_four_blocks<F>) {
                    dot_halves_int8<F>(passes, i, columns, x[token], y.row(token).data());
                    continue;
                }
#endif
                dot_rows_with_tokens<F, Count, 1>(passes, i, columns, x, token, y);
            }
        });
    }
    if constexpr (!dots_by_int8_tiles<F>) {
#if defined(__AVX512VL__)
        constexpr std::size_t most = 4;
#else
        constexpr std::size_t most = 2;
#endif
        for_each_pass<4>(rows, [&]<std::size_t Count>(const passes_of<Count>& passes, std::size_t i) {
            std::size_t token = 0;
            for (; token + most <= y.rows(); token += most) {
                dot_rows_with_tokens<F, Count, most>(passes, i, columns, x, token, y);
            }
            for (; token < y.rows(); ++token) {
                dot_rows_with_tokens<F, Count, 1>(passes, i, columns, x, token, y);
            }
        });
    }
}

} // namespace detail

TAMIS_END
