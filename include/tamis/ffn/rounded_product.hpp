#pragma once

#include <tamis/ffn/products.hpp>

TAMIS_BEGIN

/// Which products of a format are made otherwise than by floats on this target: where a row of the matrix is an output, and where
/// it is an input.
struct product_forms {
    bool rows_are_outputs, rows_are_inputs; ///< each: otherwise than by floats

    friend constexpr bool operator==(const product_forms&, const product_forms&) = default;
};

namespace detail {

/// linear.hpp's product where a row is an output, with values that are rounded once for all rows.
template <class F, class Kernel>
class rounded_dot_product : public done_in_parts {
    using M = any_layout<F>;

  public:
    rounded_dot_product(const M& w, block<const float> in, const active_set& rows,
                        std::span<const float> bias, block<float> out)
        : floats_{w, in, rows, bias, out}, w_{w}, in_{in}, rows_{rows}, out_{out} {}

    static std::size_t bytes(const M& w, std::size_t tokens, std::size_t) {
        return Kernel::bytes(tokens, w.columns());
    }
    std::size_t prepare(std::size_t width, workspace& w) {
        values_ = Kernel::round(in_, w);
        parts_ = floats_.prepare(width, w);
        return parts_;
    }
    void run(std::size_t part) const {
        const std::size_t count = rows_.count(w_.rows());
        const auto edge = [&](std::size_t i) { return i == parts_ ? count : count * i / parts_ / 8 * 8; };
        with_rows(rows_, w_.rows(), edge(part), edge(part + 1), [&](auto rows) {
            Kernel::dot(row_list{w_, rows}, w_.columns(), values_, out_);
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
    typename Kernel::values values_;
    std::size_t parts_ = 1;
};

} // namespace detail

TAMIS_END
