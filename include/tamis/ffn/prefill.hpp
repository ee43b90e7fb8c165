#pragma once

#include <tamis/ffn/calls.hpp>
#include <tamis/kernel/unpack.hpp>

#include <Eigen/Core>

TAMIS_BEGIN

// Many tokens at once: dense products by Eigen, with the masks applied to the values. With so many tokens nearly every row
// is wanted by one of them, and arithmetic is what takes time, not memory. The header needs Eigen and is not part of
// <tamis/tamis.hpp>.

namespace detail {

/// The product of linear.hpp's interface, by Eigen's: weights are unpacked to floats a panel at a time.
template <class F, bool RowsAreOutputs>
class dense_product : public done_in_parts {
    using M = any_layout<F>;
    static constexpr std::size_t panel_rows = 256;
    static constexpr std::size_t panel_columns = 512;
    static constexpr std::size_t panel_bytes = panel_rows * panel_columns * sizeof(float);

  public:
    dense_product(const M& w, block<const float> in, const active_set&, std::span<const float> bias,
                  block<float> out)
        : w_{w}, in_{in}, bias_{bias}, out_{out} {}

    static std::size_t bytes(const M&, std::size_t, std::size_t width) { return width * panel_bytes; }

    std::size_t prepare(std::size_t width, workspace& w) {
        parts_ = width;
        panels_ = w.take<float>(width * panel_rows * panel_columns);
        return parts_;
    }
    void run_all() const { run(0); }
    /// A run of the outputs.
    void run(std::size_t part) const {
        constexpr std::size_t step = RowsAreOutputs ? panel_rows : panel_columns;
        const std::size_t outputs = RowsAreOutputs ? w_.rows() : w_.columns();
        const std::size_t steps = (outputs + step - 1) / step;
        for (std::size_t i = steps * part / parts_; i < steps * (part + 1) / parts_; ++i) {
            compute(i * step, (std::min)((i + 1) * step, outputs),
                    panels_.data() + part * panel_rows * panel_columns);
        }
    }
    void finish(std::size_t) const {
        for (std::size_t token = 0; token < out_.rows() && !bias_.empty(); ++token) {
            for (std::size_t j = 0; j < bias_.size(); ++j) {
                out_.row(token)[j] += bias_[j];
            }
        }
    }
    std::uint64_t bytes_of_weights() const { return bytes_of_all(w_); }

  private:
    using matrix_map = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                                  0, Eigen::OuterStride<>>;
    using result_map = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0,
                                  Eigen::OuterStride<>>;
    static Eigen::Index index(std::size_t i) { return static_cast<Eigen::Index>(i); }

    /// Outputs [from, to) of all tokens.
    void compute(std::size_t from, std::size_t to, float* panel) const {
        const std::size_t tokens = in_.rows();
        result_map out(out_.row(0).data() + from, index(tokens), index(to - from),
                       Eigen::OuterStride<>(index(out_.stride())));
        out.setZero();
        const std::size_t inputs = RowsAreOutputs ? w_.columns() : w_.rows();
        constexpr std::size_t step = RowsAreOutputs ? panel_columns : panel_rows;
        for (std::size_t k = 0; k < inputs; k += step) {
            const std::size_t end = (std::min)(k + step, inputs);
            const matrix_map in(in_.row(0).data() + k, index(tokens), index(end - k),
                                Eigen::OuterStride<>(index(in_.stride())));
            if constexpr (RowsAreOutputs) {
                for (std::size_t row = from; row < to; ++row) {
                    unpack(w_, row, k, end, panel + (row - from) * panel_columns);
                }
                const matrix_map weights(panel, index(to - from), index(end - k),
                                         Eigen::OuterStride<>(index(panel_columns)));
                out.noalias() += in * weights.transpose();
            } else {
                for (std::size_t row = k; row < end; ++row) {
                    unpack(w_, row, from, to, panel + (row - k) * panel_columns);
                }
                const matrix_map weights(panel, index(end - k), index(to - from),
                                         Eigen::OuterStride<>(index(panel_columns)));
                out.noalias() += in * weights;
            }
        }
    }

    M w_;
    block<const float> in_;
    std::span<const float> bias_;
    block<float> out_;
    std::size_t parts_ = 1;
    std::span<float> panels_{};
};

using by_dense = products_by<dense_product, 512>;

struct prefill_access {
    template <class Ffn, class X, class Y, class Executor, class Observer>
    static traffic run(const ffn_calls<Ffn>& ffn, X& x, Y& y, const call_memory& w, const Executor& threads,
                       Observer& see) {
        const auto in = call_end_of<true>(x);
        const auto out = call_end_of<false>(y);
        using in_type = decltype(in);
        using out_type = decltype(out);
        static_assert(in_type::is_block && out_type::is_block, "tamis: prefill takes blocks of tokens");
        static_assert(out_type::writes, "tamis: an FFN's y is read-only");
        if constexpr (in_type::is_right && out_type::is_right && out_type::writes) {
            return ffn.template run_block<by_dense>(in, out, w, threads, see);
        } else { // it was said why
            return {};
        }
    }
    template <class Ffn, class Executor>
    static std::size_t bytes(const ffn_calls<Ffn>& ffn, const Executor& threads, std::size_t tokens) {
        return ffn.template workspace_bytes_with<by_dense>(threads, tokens);
    }
};

} // namespace detail

/// y = FFN(x) for a block of many tokens (x and y as a call takes blocks), up to 512 at a time: the same masks as ffn(x, y, ...) makes and the same values up
/// to rounding, by dense products that read all of the weights once for all of these tokens. It pays from about 50 tokens
/// on, of any format (bench: ffn/prefill); below, ffn(x, y, ...) is quicker, though it reads them once for 16. Workspace:
/// prefill_workspace_bytes, of all the tokens or of those in tokens_at_a_time. Eigen allocates for itself, and should be left one thread (no -fopenmp, or threads of OpenMP).
template <class Ffn, class X, class Y, executor Executor = serial, class Observer = no_observer>
traffic prefill(const Ffn& ffn, X&& x, Y&& y, const detail::call_memory& w, const Executor& threads = {},
                Observer&& see = {}) {
    return detail::prefill_access::run(ffn, x, y, w, threads, see);
}

/// Bytes of workspace for a block of so many tokens, or for so many at a time.
template <class Ffn, executor Executor = serial>
std::size_t prefill_workspace_bytes(const Ffn& ffn, std::size_t tokens, const Executor& threads = {}) {
    return detail::prefill_access::bytes(ffn, threads, tokens);
}

TAMIS_END
