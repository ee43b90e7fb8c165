#pragma once

#include <tamis/ffn/rounded_product.hpp>
#include <tamis/kernel/dot_tokens_int8.hpp>
#include <tamis/kernel/rounds_to_zero.hpp>
#include <tamis/kernel/sum_column_blocks_int8.hpp>
#include <tamis/kernel/sum_rows_int8.hpp>

TAMIS_BEGIN

/// Which products of a format are made of eight-bit integers on this target; the others stay as they are without.
template <weight_format F>
inline constexpr product_forms int8_products{detail::has_codes<F> && detail::multiplies_bytes,
                                             detail::sums_int8<F>};

namespace detail {

/// Dot products in integers: what their values are made into, and the kernel.
template <class F>
struct int8_dot_kernel {
    using values = int8_dot_values<F>;

    static std::size_t bytes(std::size_t tokens, std::size_t n) { return values::bytes(tokens, n); }
    static values round(block<const float> x, workspace& w) { return {x, w}; }
    static void dot(const row_list& rows, std::size_t columns, const values& x, block<float> y) {
        x.dot(rows, columns, y);
    }
};

/// Sums of rows: those of entries that round to zero are not read, and of a block's tokens none is multiplied by its own.
template <class F>
class int8_sum_product {
    using M = any_layout<F>;
    using sums = product<added_in_int8<F>, false>;

  public:
    int8_sum_product(const M& w, block<const float> in, const active_set& rows, std::span<const float> bias,
                     block<float> out)
        : sums_{as_added(w), in, rows, bias, out}, w_{w}, in_{in}, rows_{rows}, bias_{bias}, out_{out} {}

    static std::size_t bytes(const M& w, std::size_t tokens, std::size_t width) {
        return sums::bytes(as_added(w), tokens, width) + workspace_bytes_of<std::uint32_t>(w.rows()) +
               workspace_bytes_of<std::uint32_t>((w.rows() + 31) / 32) +
               (tokens == 1 ? 0 : bytes_of_rows(tokens, w.rows()));
    }
    void tune(const tuning& by) {
        by_ = by;
        sums_.tune(by);
    }
    std::size_t prepare(std::size_t width, workspace& w) {
        const std::size_t n = w_.rows();
        const auto indices = w.take<std::uint32_t>(n);
        const auto kept = w.take<std::uint32_t>((n + 31) / 32);
        const std::size_t tokens = in_.rows();
        const block<float> rounded = take_rows(w, tokens == 1 ? 0 : tokens, n);
        for (std::size_t b = 0; b < kept.size(); ++b) {
            kept[b] = 0;
            for (std::size_t token = 0; token < tokens; ++token) {
                const auto values = in_.row(token).subspan(32 * b, (std::min)(n - 32 * b, std::size_t{32}));
                const std::uint32_t bits = kept_of_block(values);
                kept[b] |= bits;
                for (std::size_t k = 0; k < values.size() && tokens != 1; ++k) {
                    rounded.row(token)[32 * b + k] = (bits >> k & 1u) != 0 ? values[k] : 0.0f;
                }
            }
        }
        if (tokens != 1) {
            in_ = rounded;
        }
        std::size_t count = 0;
        if (rows_.all) {
            for (std::size_t b = 0; b < kept.size(); ++b) {
                for (std::uint32_t bits = kept[b]; bits != 0; bits &= bits - 1) {
                    indices[count++] = static_cast<std::uint32_t>(32 * b + lowest_bit(bits));
                }
            }
        } else {
            for (const std::uint32_t i : rows_.indices) {
                indices[count] = i;
                count += kept[i / 32] >> i % 32 & 1u;
            }
        }
        if (count != rows_.count(n)) {
            rows_ = {false, indices.first(count)};
        }
        sums_ = sums{as_added(w_), in_, rows_, bias_, out_};
        sums_.tune(by_);
        return sums_.prepare(width, w);
    }
    void run(std::size_t part) const { sums_.run(part); }
    void run_all() const { sums_.run_all(); }
    std::size_t floats_to_add() const { return sums_.floats_to_add(); }
    void add_up(std::size_t piece, std::size_t pieces) const { sums_.add_up(piece, pieces); }
    void finish(std::size_t width) const { sums_.finish(width); }
    std::uint64_t bytes_of_weights() const { return sums_.bytes_of_weights(); }

  private:
    static any_layout<added_in_int8<F>> as_added(const M& w) {
        return {w.row(0), w.rows(), w.columns(), w.stride_bytes()};
    }

    sums sums_;
    M w_;
    block<const float> in_;
    active_set rows_;
    std::span<const float> bias_;
    block<float> out_;
    tuning by_{};
};

template <class F, bool RowsAreOutputs>
struct int8_product_of {
    using type = product<F, RowsAreOutputs>;
};
template <class F>
    requires(int8_products<F>.rows_are_outputs)
struct int8_product_of<F, true> {
    using type = rounded_dot_product<F, int8_dot_kernel<F>>;
};
template <has_codes F>
struct int8_product_of<F, false> {
    using type = int8_sum_product<F>;
};
template <column_blocked F>
struct int8_product_of<F, false> {
    using type = int8_sum_product<F>;
};
template <class F, bool RowsAreOutputs>
using int8_product = typename int8_product_of<F, RowsAreOutputs>::type;

using by_int8 = products_by<int8_product, most_tokens>;

} // namespace detail

TAMIS_END
