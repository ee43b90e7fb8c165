#pragma once

#include <tamis/ffn/linear.hpp>
#include <tamis/kernel/dot_rows_int8.hpp>
#include <tamis/kernel/rounds_to_zero.hpp>
#include <tamis/kernel/sum_rows_int8.hpp>

TAMIS_BEGIN

/// Which products of a format are made of eight-bit integers on this target: where a row of the matrix is an output, and where it
/// is an input. The others stay as they are without.
struct product_forms {
    bool rows_are_outputs, rows_are_inputs;

    friend constexpr bool operator==(const product_forms&, const product_forms&) = default;
};
template <weight_format F>
inline constexpr product_forms int8_products{detail::has_codes<F> && detail::multiplies_bytes,
                                             detail::sums_int8<F>};

namespace detail {

/// linear.hpp's product in integers, where a row is an output: the values are rounded once for all rows.
template <class F>
class int8_dot_product {
    using M = any_layout<F>;

  public:
    int8_dot_product(const M& w, block<const float> in, const active_set& rows, std::span<const float> bias,
                     block<float> out)
        : floats_{w, in, rows, bias, out}, w_{w}, in_{in}, rows_{rows}, out_{out} {}

    static std::size_t bytes(const M& w, std::size_t tokens, std::size_t) {
        return int8_values::bytes(tokens, w.columns(), run_of_codes<F>);
    }
    std::size_t prepare(std::size_t width, workspace& w) {
        values_ = int8_values{in_, run_of_codes<F>, w};
        parts_ = floats_.prepare(width, w);
        return parts_;
    }
    void run(std::size_t part) const {
        const std::size_t count = rows_.count(w_.rows());
        const auto edge = [&](std::size_t i) { return i == parts_ ? count : count * i / parts_ / 8 * 8; };
        with_rows(rows_, w_.rows(), edge(part), edge(part + 1), [&](auto rows) {
            dot_listed_rows_int8<F>(row_list{w_, rows}, w_.columns(), values_, out_);
        });
    }
    void run_all() const { run(0); }
    void finish(std::size_t width) const { floats_.finish(width); }
    std::uint64_t bytes_of_weights() const { return floats_.bytes_of_weights(); }

  private:
    product<F, true> floats_;
    M w_;
    block<const float> in_;
    active_set rows_;
    block<float> out_;
    int8_values values_;
    std::size_t parts_ = 1;
};

/// The same where a row is an input: those of entries that round to zero are not read.
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
               workspace_bytes_of<std::uint32_t>((w.rows() + 31) / 32);
    }
    std::size_t prepare(std::size_t width, workspace& w) {
        const std::size_t n = w_.rows();
        const auto indices = w.take<std::uint32_t>(n);
        const auto kept = w.take<std::uint32_t>((n + 31) / 32);
        for (std::size_t b = 0; b < kept.size(); ++b) {
            kept[b] = 0;
            for (std::size_t token = 0; token < in_.rows(); ++token) {
                kept[b] |=
                    kept_of_block(in_.row(token).subspan(32 * b, (std::min)(n - 32 * b, std::size_t{32})));
            }
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
            sums_ = sums{as_added(w_), in_, rows_, bias_, out_};
        }
        return sums_.prepare(width, w);
    }
    void run(std::size_t part) const { sums_.run(part); }
    void run_all() const { sums_.run_all(); }
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
};

template <class F, bool RowsAreOutputs>
struct int8_product_of {
    using type = product<F, RowsAreOutputs>;
};
template <class F>
    requires(int8_products<F>.rows_are_outputs)
struct int8_product_of<F, true> {
    using type = int8_dot_product<F>;
};
template <has_codes F>
struct int8_product_of<F, false> {
    using type = int8_sum_product<F>;
};
template <class F, bool RowsAreOutputs>
using int8_product = typename int8_product_of<F, RowsAreOutputs>::type;

using by_int8 = products_by<int8_product, most_tokens>;

} // namespace detail

TAMIS_END
