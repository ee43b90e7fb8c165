#pragma once

#include <tamis/ffn/calls.hpp>
#include <tamis/kernel/dense_panels.hpp>

TAMIS_BEGIN

// Many tokens at once: dense products, with the masks applied to the values. With so many tokens nearly every row is wanted by
// one of them, and arithmetic is what takes time, not memory.

namespace detail {

/// The product of linear.hpp's interface, dense: weights are unpacked to floats a piece at a time, once for all tokens.
template <class F, bool RowsAreOutputs>
class dense_product : public done_in_parts {
    using M = any_layout<F>;
    using panels = dense_panels<M, RowsAreOutputs>;

  public:
    dense_product(const M& w, block<const float> in, const active_set&, std::span<const float> bias,
                  block<float> out)
        : w_{w}, in_{in}, bias_{bias}, out_{out} {}

    static std::size_t bytes(const M&, std::size_t, std::size_t width) {
        return workspace_bytes_of<float>(width * 2 * panels::floats);
    }

    std::size_t prepare(std::size_t width, workspace& w) {
        parts_ = width;
        memory_ = w.take<float>(width * 2 * panels::floats);
        return parts_;
    }
    void run_all() const { run(0); }
    /// A run of the outputs: products of a piece while the next one is unpacked.
    void run(std::size_t part) const {
        const std::size_t blocks = (outputs() + piece_outputs - 1) / piece_outputs;
        const order pieces{*this, blocks * part / parts_, blocks * (part + 1) / parts_};
        const std::size_t calls = calls_of_piece(piece_outputs, out_.rows()) + 1;
        float* memory = memory_.data() + part * 2 * panels::floats;
        float* other = memory + panels::floats;
        begin_sums(pieces.first() * piece_outputs, (std::min)(pieces.last() * piece_outputs, outputs()));
        panels now{w_, pieces[0], memory, 1};
        now.fill_rest();
        for (std::size_t i = 0; i < pieces.size() && out_.rows() != 0; ++i) {
            panels next{w_, pieces[i + 1], other, calls};
            const piece p = pieces[i];
            multiply_piece(now,
                           {p.end - p.begin, in_.row(0).data() + p.begin, in_.stride(),
                            out_.row(0).data() + p.from, out_.stride()},
                           p.to - p.from, out_.rows(), [&] { return next.fill_part(); });
            next.fill_rest();
            now = next;
            std::swap(memory, other);
        }
    }
    void finish(std::size_t) const {}
    std::uint64_t bytes_of_weights() const { return bytes_of_all(w_); }

  private:
    std::size_t outputs() const { return RowsAreOutputs ? w_.rows() : w_.columns(); }
    std::size_t inputs() const { return RowsAreOutputs ? w_.columns() : w_.rows(); }
    /// The pieces of blocks [first, last) of outputs, one after the other, inputs ascending; none behind the last. Where rows are inputs,
    /// a few blocks are taken side by side: a row's next weights lie in a page that is known by then.
    class order {
        static constexpr std::size_t side_by_side = RowsAreOutputs ? 1 : 4;

      public:
        order(const dense_product& of, std::size_t first, std::size_t last)
            : outputs_{of.outputs()},
              inputs_{of.inputs()},
              first_{first},
              last_{last},
              deep_{(inputs_ + piece_inputs - 1) / piece_inputs} {}

        std::size_t first() const { return first_; }
        std::size_t last() const { return last_; }
        std::size_t size() const { return (last_ - first_) * deep_; }
        piece operator[](std::size_t i) const {
            if (i >= size()) {
                return {};
            }
            const std::size_t block = first_ + i / (side_by_side * deep_) * side_by_side;
            const std::size_t side = (std::min)(side_by_side, last_ - block);
            const std::size_t within = i % (side_by_side * deep_);
            const std::size_t begin = within / side * piece_inputs;
            const std::size_t from = (block + within % side) * piece_outputs;
            return {begin, (std::min)(begin + piece_inputs, inputs_), from,
                    (std::min)(from + piece_outputs, outputs_)};
        }

      private:
        std::size_t outputs_, inputs_, first_, last_, deep_;
    };
    /// The bias, or zero.
    void begin_sums(std::size_t from, std::size_t to) const {
        for (std::size_t token = 0; token < out_.rows() && from < to; ++token) {
            float* const sums = out_.row(token).data() + from;
            if (bias_.empty()) {
                detail::fill_n(sums, to - from, 0.0f);
            } else {
                detail::copy_n(bias_.data() + from, to - from, sums);
            }
        }
    }

    M w_;
    block<const float> in_;
    std::span<const float> bias_;
    block<float> out_;
    std::size_t parts_ = 1;
    std::span<float> memory_{};
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

/// y = FFN(x) for a block of many tokens (x and y as a call takes blocks), up to 512 at a time: the same masks as ffn(x, y, ...)
/// makes and the same values up to rounding, by dense products that read all of the weights once for all of these tokens. It pays
/// from about 50 tokens on, of any format (bench: ffn/prefill); below, ffn(x, y, ...) is quicker, though it reads them once for
/// 16. Workspace: prefill_workspace_bytes, of all the tokens or of those in tokens_at_a_time.
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
