#pragma once

#include <tamis/ffn/ffn_in.hpp>
#include <tamis/ffn/rounded_product.hpp>
#include <tamis/kernel/bf16_pairs.hpp>
#include <tamis/kernel/sum_rows_of_block.hpp>

TAMIS_BEGIN

/// Which products of a format are made of pairs of bf16 on this target; the others stay as they are without.
template <weight_format F>
inline constexpr product_forms bf16_products{std::is_same_v<F, bf16> && detail::multiplies_bf16_pairs,
                                             std::is_same_v<F, bf16>&& detail::multiplies_bf16_pairs};

namespace detail {

template <class F, bool RowsAreOutputs>
struct bf16_product_of {
    using type = product<F, RowsAreOutputs>;
};

#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)

struct bf16_dot_kernel {
    using values = bf16_values;

    static std::size_t bytes(std::size_t tokens, std::size_t n) { return bf16_values::bytes(tokens, n); }
    static bf16_values round(block<const float> x, workspace& w) { return {x, w}; }
    static void dot(const row_list& rows, std::size_t columns, const bf16_values& x, block<float> y) {
        dot_listed_bf16_rows(rows, columns, x, y);
    }
};
template <>
struct bf16_product_of<bf16, true> {
    using type = rounded_dot_product<bf16, bf16_dot_kernel>;
};

/// bf16 whose rows are added by pairs: what a product takes for it.
struct added_by_pairs : bf16 {};
template <>
struct bf16_product_of<bf16, false> {
    class type : public product<added_by_pairs, false> {
        using base = product<added_by_pairs, false>;
        static any_layout<added_by_pairs> as_added(const any_layout<bf16>& w) {
            return {w.row(0), w.rows(), w.columns(), w.stride_bytes()};
        }

      public:
        type(const any_layout<bf16>& w, block<const float> in, const active_set& rows,
             std::span<const float> bias, block<float> out)
            : base{as_added(w), in, rows, bias, out} {}
        static std::size_t bytes(const any_layout<bf16>& w, std::size_t tokens, std::size_t width) {
            return base::bytes(as_added(w), tokens, width);
        }
    };
};

#endif

template <class F, bool RowsAreOutputs>
using bf16_product = typename bf16_product_of<F, RowsAreOutputs>::type;
using by_bf16 = products_by<bf16_product, most_tokens>;

} // namespace detail

#if defined(__AVX512BF16__) && defined(__AVX512BW__) && defined(__AVX512VL__)
/// sum_rows by pairs.
template <class L, class Rows>
void sum_rows(const matrix<detail::added_by_pairs, L>& w, Rows rows, std::span<const float> x,
              std::span<float> y, std::size_t begin, std::size_t end, const tuning& = {}) {
    const matrix<bf16, L> as_it_is{w.row(0), w.rows(), w.columns(), w.stride_bytes()};
    detail::sum_listed_bf16_rows(detail::row_list{as_it_is, rows}, x.data(), y.data(), begin, end);
}
/// sum_rows_of_block of one: several tokens have each row unpacked once, by floats.
template <class L, class Rows>
void sum_rows_of_block(const matrix<detail::added_by_pairs, L>& w, Rows rows, block<const float> x,
                       block<float> y, std::size_t begin, std::size_t end) {
    if (x.rows() == 1) {
        sum_rows(w, rows, x.row(0), y.row(0), begin, end);
    } else {
        sum_rows_of_block(matrix<bf16, L>{w.row(0), w.rows(), w.columns(), w.stride_bytes()}, rows, x, y,
                          begin, end);
    }
}
#endif

/// An FFN or a projection (as in_int8 takes them) whose bf16 matrices are multiplied by values rounded to bf16 where the machine
/// has an instruction for that (AVX512_BF16), which takes denormals for zero: by at most 2^-9 of each value. Elsewhere, and for
/// other formats, it is what it was without: bf16_products<F> tells.
///
///     const auto quick = in_bf16{ffn};
template <class Held>
class in_bf16 : public detail::ffn_in<detail::by_bf16, Held, in_bf16<Held>> {
    using base = detail::ffn_in<detail::by_bf16, Held, in_bf16>;

  public:
    /// Borrows an FFN that has a name, keeps one that has none.
    explicit in_bf16(Held&& ffn TAMIS_LIFETIMEBOUND) : base{std::forward<Held>(ffn)} {}
};
template <class Ffn>
in_bf16(Ffn&&) -> in_bf16<Ffn>;

TAMIS_END
