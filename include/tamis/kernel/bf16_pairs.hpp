#pragma once

#include <tamis/format/bf16.hpp>
#include <tamis/kernel/step.hpp>
#include <tamis/workspace.hpp>

TAMIS_DETAIL_INTRINSICS

TAMIS_BEGIN

// bf16 weights times values that are rounded to bf16, by the instruction that multiplies two pairs of them and adds both products
// to a float: dot products and sums of active rows. It takes denormals for zero, and leaves them out of its results.

namespace detail {

/// Whether this target has it.
inline constexpr bool multiplies_bf16_pairs =
#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)
    true;
#else
    false;
#endif

/// What a value becomes.
constexpr float rounded_to_bf16(float value) {
    return bits_as<float>(std::uint32_t{bf16::round(value)} << 16);
}
/// The simple loop that dot products must equal up to rounding; that of sums is sum_rows_plain over rounded values.
inline float dot_bf16_plain(const std::byte* row, std::span<const float> x) {
    float sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
        sum += bf16::at(row, j) * rounded_to_bf16(x[j]);
    }
    return sum;
}

/// Values of several tokens in bf16, padded with zeros to whole vectors, in memory of the workspace.
class bf16_values {
  public:
    static constexpr std::size_t padded(std::size_t n) { return (n + 31) / 32 * 32; }
    static std::size_t bytes(std::size_t tokens, std::size_t n) {
        return workspace_bytes_of<std::uint16_t>(tokens * padded(n));
    }

    bf16_values() = default;
    bf16_values(block<const float> x, workspace& w)
        : first_{w.take<std::uint16_t>(x.rows() * padded(x.columns())).data()}, stride_{padded(x.columns())} {
        for (std::size_t token = 0; token < x.rows(); ++token) {
            std::uint16_t* const to = first_ + token * stride_;
            bf16::pack(x.row(token), reinterpret_cast<std::byte*>(to));
            fill_n(to + x.columns(), stride_ - x.columns(), std::uint16_t{0});
        }
    }
    const std::uint16_t* operator[](std::size_t token) const { return first_ + token * stride_; }

  private:
    std::uint16_t* first_ = nullptr;
    std::size_t stride_ = 0;
};

#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)

TAMIS_DETAIL_INLINE __m512bh load_bf16(const void* p) { return (__m512bh)_mm512_loadu_si512(p); }
TAMIS_DETAIL_INLINE __m512bh load_bf16(const void* p, __mmask32 which) {
    return (__m512bh)_mm512_maskz_loadu_epi16(which, p);
}
/// The lowest `count` of 32.
inline __mmask32 first_of_32(std::size_t count) {
    return static_cast<__mmask32>((std::uint64_t{1} << count) - 1);
}

/// Memory of the rows of a pass, and what is asked for ahead.
template <std::size_t Count>
struct bf16_rows : rows_of_pass<Count> {
    using rows_of_pass<Count>::rows_of_pass, rows_of_pass<Count>::now, rows_of_pass<Count>::next;

    /// Of vectors [first, last): what lies 1 KiB behind vector i, or in the next rows.
    TAMIS_DETAIL_INLINE void ask_for(std::size_t i, std::size_t first, std::size_t last) const {
        const std::size_t ahead = (std::min)(std::size_t{16}, last - first);
        for (std::size_t k = 0; k < Count; ++k) {
            prefetch(i + ahead < last ? now[k] + (i + ahead) * 64
                                      : next[k] + (i + ahead - (last - first)) * 64);
        }
    }
};

/// sums[k][t] += 32 weights of row k times those of x[t].
template <std::size_t Tokens, std::size_t... K, std::size_t... T>
TAMIS_DETAIL_INLINE void add_bf16_dots(const __m512bh (&weights)[sizeof...(K)],
                                       const std::uint16_t* const (&x)[Tokens], std::size_t j,
                                       __m512 (&sums)[sizeof...(K)][Tokens], std::index_sequence<K...>,
                                       std::index_sequence<T...>) {
    const __m512bh values[Tokens] = {load_bf16(x[T] + j)...};
    const auto add = [&](std::size_t k) __attribute__((always_inline)) {
        ((sums[k][T] = _mm512_dpbf16_ps(sums[k][T], weights[k], values[T])), ...);
    };
    (add(K), ...);
}

template <std::size_t Tokens, std::size_t... K>
void dot_bf16_rows(const passes_of<sizeof...(K)>& passes, std::size_t pass, std::size_t columns,
                   const std::uint16_t* const (&x)[Tokens], float* const (&y)[Tokens],
                   std::index_sequence<K...> rows) {
    constexpr std::size_t count = sizeof...(K);
    constexpr auto tokens = std::make_index_sequence<Tokens>{};
    const bf16_rows<count> in_hand{passes, pass};
    __m512 sums[count][Tokens];
    for (auto& of_row : sums) {
        fill_n(of_row, Tokens, _mm512_setzero_ps());
    }
    const std::size_t last = columns / 32;
    for (std::size_t i = 0; i < last; ++i) {
        in_hand.ask_for(i, 0, last);
        const __m512bh weights[count] = {load_bf16(in_hand.now[K] + i * 64)...};
        add_bf16_dots<Tokens>(weights, x, 32 * i, sums, rows, tokens);
    }
    if (columns % 32 != 0) {
        const __mmask32 rest = first_of_32(columns % 32);
        const __m512bh weights[count] = {load_bf16(in_hand.now[K] + last * 64, rest)...};
        add_bf16_dots<Tokens>(weights, x, 32 * last, sums, rows, tokens);
    }
    for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t t = 0; t < Tokens; ++t) {
            y[t][passes.row(pass, k)] = _mm512_reduce_add_ps(sums[k][t]);
        }
    }
}

template <std::size_t Tokens, std::size_t Count>
void dot_bf16_rows(const passes_of<Count>& passes, std::size_t pass, std::size_t columns,
                   const bf16_values& x, std::size_t first, block<float> y) {
    const std::uint16_t* of_x[Tokens];
    float* of_y[Tokens];
    for (std::size_t t = 0; t < Tokens; ++t) {
        of_x[t] = x[first + t];
        of_y[t] = y.row(first + t).data();
    }
    dot_bf16_rows<Tokens>(passes, pass, columns, of_x, of_y, std::make_index_sequence<Count>{});
}

/// y[token][r] = row r . x[token] for any number of tokens: eight rows a pass, or four with four tokens.
TAMIS_DETAIL_NOINLINE inline void dot_listed_bf16_rows(const row_list& rows, std::size_t columns,
                                                       const bf16_values& x, block<float> y) {
    if (y.rows() == 1) {
        return for_each_pass(rows, [&](const auto& passes, std::size_t i) {
            dot_bf16_rows<1>(passes, i, columns, x, 0, y);
        });
    }
    for_each_pass<4>(rows, [&](const auto& passes, std::size_t i) {
        std::size_t token = 0;
        for (; token + 4 <= y.rows(); token += 4) {
            dot_bf16_rows<4>(passes, i, columns, x, token, y);
        }
        for (; token < y.rows(); ++token) {
            dot_bf16_rows<1>(passes, i, columns, x, token, y);
        }
    });
}

/// 32 columns of y plus the rows' products: pairs of rows interleaved, each pair times a pair of factors.
template <std::size_t... P>
TAMIS_DETAIL_INLINE void add_bf16_pairs(const __m512i (&rows)[2 * sizeof...(P)],
                                        const std::uint32_t (&pairs)[sizeof...(P)], __m512& first,
                                        __m512& second, std::index_sequence<P...>) {
    __m512 low = _mm512_setzero_ps();
    __m512 high = low;
    ((low = _mm512_dpbf16_ps(low, (__m512bh)_mm512_unpacklo_epi16(rows[2 * P], rows[2 * P + 1]),
                             (__m512bh)_mm512_set1_epi32(static_cast<int>(pairs[P]))),
      high = _mm512_dpbf16_ps(high, (__m512bh)_mm512_unpackhi_epi16(rows[2 * P], rows[2 * P + 1]),
                              (__m512bh)_mm512_set1_epi32(static_cast<int>(pairs[P])))),
     ...);
    const __m512i to_first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i to_second = _mm512_add_epi32(to_first, _mm512_set1_epi32(8));
    first = _mm512_add_ps(first, _mm512_permutex2var_ps(low, to_first, high));
    second = _mm512_add_ps(second, _mm512_permutex2var_ps(low, to_second, high));
}

/// Adds rows to y, columns [begin, end); begin is a multiple of 64. An odd row has zeros beside it.
template <std::size_t... K, std::size_t... P>
void add_bf16_rows(const passes_of<sizeof...(K)>& passes, std::size_t pass, const float* x, std::size_t begin,
                   std::size_t end, float* y, std::index_sequence<K...>,
                   std::index_sequence<P...> each_pair) {
    constexpr std::size_t count = sizeof...(K);
    constexpr std::size_t even = 2 * sizeof...(P);
    const bf16_rows<count> in_hand{passes, pass};
    std::uint32_t pairs[sizeof...(P)] = {};
    for (std::size_t k = 0; k < count; ++k) {
        pairs[k / 2] |= std::uint32_t{bf16::round(x[passes.row(pass, k)])} << (16 * (k % 2));
    }
    const std::size_t start = begin / 32;
    const std::size_t last = end / 32;
    for (std::size_t i = start; i < last; ++i) {
        in_hand.ask_for(i, start, last);
        const __m512i rows[even] = {_mm512_loadu_si512(in_hand.now[K] + i * 64)...};
        __m512 first = _mm512_loadu_ps(y + 32 * i);
        __m512 second = _mm512_loadu_ps(y + 32 * i + 16);
        add_bf16_pairs(rows, pairs, first, second, each_pair);
        _mm512_storeu_ps(y + 32 * i, first);
        _mm512_storeu_ps(y + 32 * i + 16, second);
    }
    if (end % 32 != 0) {
        const __mmask32 which = first_of_32(end % 32);
        const auto low = static_cast<__mmask16>(which);
        const auto high = static_cast<__mmask16>(which >> 16);
        const __m512i rows[even] = {_mm512_maskz_loadu_epi16(which, in_hand.now[K] + last * 64)...};
        __m512 first = _mm512_maskz_loadu_ps(low, y + 32 * last);
        __m512 second = _mm512_maskz_loadu_ps(high, y + 32 * last + 16);
        add_bf16_pairs(rows, pairs, first, second, each_pair);
        _mm512_mask_storeu_ps(y + 32 * last, low, first);
        _mm512_mask_storeu_ps(y + 32 * last + 16, high, second);
    }
}

/// y[j] += sum over the rows of x[row] * W[row, j], for columns [begin, end).
TAMIS_DETAIL_NOINLINE inline void sum_listed_bf16_rows(const row_list& rows, const float* x, float* y,
                                                       std::size_t begin, std::size_t end) {
    for_each_pass(rows, [&]<std::size_t Count>(const passes_of<Count>& passes, std::size_t i) {
        add_bf16_rows(passes, i, x, begin, end, y, std::make_index_sequence<Count>{},
                      std::make_index_sequence<(Count + 1) / 2>{});
    });
}

#endif

} // namespace detail

TAMIS_END

TAMIS_DETAIL_INTRINSICS_END
