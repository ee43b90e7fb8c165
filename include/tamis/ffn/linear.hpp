#pragma once

#include <tamis/executor.hpp>
#include <tamis/ffn/observer.hpp>
#include <tamis/ffn/weights.hpp>
#include <tamis/kernel/dot_rows_of_block.hpp>
#include <tamis/kernel/sum_rows_of_block.hpp>
#include <tamis/workspace.hpp>

#include <algorithm>

TAMIS_BEGIN

// Products of a matrix with a block of tokens on the caller's threads. The rows that are read are divided into runs, since
// long runs are what memory is read best in. A sum of rows is divided by what there is to read, never by threads: each run
// is summed by itself and the sums are added in order, so that no bit depends on the number of threads.

namespace detail {

/// The rows of a matrix that are read: all, or the active ones as indices.
struct active_set {
    bool all = true;
    std::span<const std::uint32_t> indices{};
    token_masks masks{}; // which of them each token wants, where tokens differ

    std::size_t count(std::size_t rows) const { return all ? rows : indices.size(); }
};

/// Calls f with places [from, to) of an active set over n rows.
template <class F>
void with_rows(const active_set& active, std::size_t n, std::size_t from, std::size_t to, F&& f) {
    if (active.all) {
        f(all_rows{n}.part(from, to - from));
    } else {
        f(active_rows{active.indices}.part(from, to - from));
    }
}

/// A matrix for which the layout has been decided: a product knows whether rows are outputs, and is compiled once a format.
template <class F>
using any_layout = matrix<F, neuron_major>;
template <class M>
auto without_layout(const M& w) {
    return any_layout<typename M::format_type>{w.row(0), w.rows(), w.columns(), w.stride_bytes()};
}

/// Floats from a token's row to the next in the workspace: an odd number of cache lines. Even ones share few places in a
/// cache: with a width that is a multiple of 1024, a sum of rows for 16 tokens took 1.6 times as long.
constexpr std::size_t row_stride(std::size_t n) {
    constexpr std::size_t line = workspace_alignment / sizeof(float);
    return ((n + line - 1) / line | 1) * line;
}

/// Rows of floats in the workspace, each at a cache line.
inline std::size_t bytes_of_rows(std::size_t tokens, std::size_t n) {
    return tokens * row_stride(n) * sizeof(float);
}
inline block<float> take_rows(workspace& w, std::size_t tokens, std::size_t n) {
    const std::size_t stride = row_stride(n);
    return {w.take<float>(tokens * stride).data(), tokens, n, stride};
}

/// Runs that a sum of rows is divided into: 1, 2, 4 or 8, which as many threads share evenly. Each has a sum of its own, which
/// is added to the others': so a run reads 24 times as many bytes as that takes, from 128 KiB on, and a MiB at most.
constexpr std::size_t sum_runs(std::uint64_t bytes, std::size_t columns) {
    const std::uint64_t of_a_run =
        std::clamp<std::uint64_t>(std::uint64_t{columns} * sizeof(float) * 24, 1 << 17, 1 << 20);
    const std::uint64_t runs = bytes / of_a_run;
    return runs >= 8 ? 8 : runs >= 4 ? 4 : runs >= 2 ? 2 : 1;
}

/// out = W in + bias for a block of tokens. Only active rows of W are read. Where rows are inputs, entries of `in` that are
/// not active have to be 0; where they are outputs, those that are not active become 0.
template <class F, bool RowsAreOutputs>
class product {
    using M = any_layout<F>;
    static_assert(!(RowsAreOutputs && counts_bytes<M>),
                  "tamis: column_blocks are for matrices whose rows are inputs: W_gate and W_up by inputs "
                  "(input_major), W_down by neurons (neuron_major)");

  public:
    product(const M& w, block<const float> in, const active_set& rows, std::span<const float> bias,
            block<float> out)
        : w_{w}, in_{in}, rows_{rows}, bias_{bias}, out_{out} {}

    /// Workspace for products with this matrix, for so many tokens and threads.
    static std::size_t bytes(const M& w, std::size_t tokens, std::size_t width) {
        const std::size_t runs = RowsAreOutputs ? 1 : sum_runs(bytes_of_all(w), w.columns());
        return (std::min)(runs - 1, width == 1 ? std::size_t{1} : runs) * buffer_bytes(w, tokens);
    }

    void tune(const tuning& by) { by_ = by; }
    /// Takes memory and divides the work; tells into how many parts.
    std::size_t prepare(std::size_t width, workspace& w) {
        const std::size_t count = rows_.count(w_.rows());
        if constexpr (RowsAreOutputs) { // a few parts a thread, so that none waits long for the last
            runs_ = width == 1 ? 1 : std::clamp<std::size_t>(count / 16, 1, 4 * width);
            columns_ = 1;
        } else {
            // tiles take a column's rows one after the other, whoever takes them: nothing is gained by sums of runs
            runs_ =
                in_.rows() >= sum_tokens_of_tiles<F>.some ? 1 : sum_runs(bytes_of_weights(), w_.columns());
            columns_ = std::clamp<std::size_t>((width + runs_ - 1) / runs_, 1,
                                               (std::max)(std::size_t{1}, (w_.columns() + 1023) / 1024));
            buffers_ = w.take<float>((std::min)(runs_ - 1, width == 1 ? std::size_t{1} : runs_) *
                                     buffer_bytes(w_, in_.rows()) / sizeof(float));
        }
        return runs_ * columns_;
    }
    /// One part of the work: any order, any thread.
    void run(std::size_t part) const {
        if constexpr (RowsAreOutputs) {
            const std::size_t count = rows_.count(w_.rows());
            const auto edge = [&](std::size_t i) { return i == runs_ ? count : count * i / runs_ / 8 * 8; };
            with_rows(rows_, w_.rows(), edge(part), edge(part + 1), [&](auto rows) {
                if (in_.rows() == 1) {
                    dot_rows(w_, rows, in_.row(0), out_.row(0), by_);
                } else {
                    dot_rows_of_block(w_, rows, in_, out_, rows_.masks);
                }
            });
        } else {
            const std::size_t piece = part % columns_;
            const auto edge = [&](std::size_t i) {
                return i == columns_ ? w_.columns() : w_.columns() * i / columns_ / 64 * 64;
            };
            sum_run(part / columns_, sum_of(part / columns_), edge(piece), edge(piece + 1));
        }
    }
    /// All parts by one thread, which needs memory for one run's sums alone.
    void run_all() const {
        if constexpr (RowsAreOutputs) {
            run(0);
        } else {
            for (std::size_t i = 0; i < runs_; ++i) {
                const block<float> sum = sum_of(std::min<std::size_t>(i, 1));
                sum_run(i, sum, 0, w_.columns());
                if (i != 0) {
                    add(sum, 0, w_.columns());
                }
            }
        }
    }
    /// Floats of the sums of runs that are still to be added up when all parts of several threads are done.
    std::size_t floats_to_add() const {
        return RowsAreOutputs ? 0 : (runs_ - 1) * out_.rows() * w_.columns();
    }
    /// One piece of that, of so many: any order, any thread.
    void add_up(std::size_t piece, std::size_t pieces) const {
        if constexpr (!RowsAreOutputs) {
            const auto edge = [&](std::size_t i) {
                return i == pieces ? w_.columns() : w_.columns() * i / pieces / 64 * 64;
            };
            for (std::size_t i = 1; i < runs_; ++i) {
                add(sum_of(i), edge(piece), edge(piece + 1));
            }
        }
    }
    /// What is left when all parts are done, and added up.
    void finish(std::size_t) const {
        if constexpr (RowsAreOutputs) {
            if (!rows_.all) {
                return finish_listed();
            }
        }
        for (std::size_t token = 0; token < out_.rows() && !bias_.empty(); ++token) {
            for (std::size_t j = 0; j < bias_.size(); ++j) {
                out_.row(token)[j] += bias_[j];
            }
        }
    }

    std::uint64_t bytes_of_weights() const {
        const std::size_t count = rows_.count(w_.rows());
        std::uint64_t bytes = std::uint64_t{count} * w_.row_bytes();
        if constexpr (counts_bytes<M>) {
            with_rows(rows_, w_.rows(), 0, count, [&](auto rows) { bytes = w_.bytes_of(rows); });
        }
        return bytes;
    }

  private:
    static std::size_t buffer_stride(const M& w) { return row_stride(w.columns()); }
    static std::size_t buffer_bytes(const M& w, std::size_t tokens) {
        return tokens * buffer_stride(w) * sizeof(float);
    }

    /// Where run i is summed: the first in place.
    block<float> sum_of(std::size_t i) const {
        const std::size_t stride = buffer_stride(w_);
        return i == 0 ? out_
                      : block<float>{buffers_.data() + (i - 1) * in_.rows() * stride, in_.rows(),
                                     w_.columns(), stride};
    }
    void sum_run(std::size_t i, block<float> sum, std::size_t begin, std::size_t end) const {
        for (std::size_t token = 0; token < sum.rows(); ++token) {
            const auto part = sum.row(token).subspan(begin, end - begin);
            detail::fill_n(part.data(), part.size(), 0.0f);
        }
        const std::size_t count = rows_.count(w_.rows());
        constexpr std::size_t step = counts_bytes<M> ? 32 : 8; // what shares scales is best read at once
        const auto edge = [&](std::size_t k) { return k == runs_ ? count : count * k / runs_ / step * step; };
        with_rows(rows_, w_.rows(), edge(i), edge(i + 1), [&](auto rows) {
            if (rows.size() != 0 && in_.rows() == 1) {
                sum_rows(w_, rows, in_.row(0), sum.row(0), begin, end, by_);
            } else if (rows.size() != 0) {
                sum_rows_of_block(w_, rows, in_, sum, begin, end);
            }
        });
    }
    void add(block<float> sum, std::size_t begin, std::size_t end) const {
        for (std::size_t token = 0; token < out_.rows(); ++token) {
            float* const to = out_.row(token).data();
            const float* const from = sum.row(token).data();
            for (std::size_t j = begin; j < end; ++j) {
                to[j] += from[j];
            }
        }
    }
    /// Outputs that are not listed were not written.
    void finish_listed() const {
        for (std::size_t token = 0; token < out_.rows(); ++token) {
            const auto out = out_.row(token);
            std::size_t next = 0;
            for (const std::uint32_t i : rows_.indices) {
                detail::fill_n(out.data() + next, i - next, 0.0f);
                next = i + std::size_t{1};
                out[i] += bias_.empty() ? 0.0f : bias_[i];
            }
            detail::fill_n(out.data() + next, out.size() - next, 0.0f);
        }
    }

    M w_;
    block<const float> in_;
    active_set rows_;
    std::span<const float> bias_;
    block<float> out_;
    std::size_t runs_ = 1, columns_ = 1;
    std::span<float> buffers_{};
    tuning by_{};
};

} // namespace detail

TAMIS_END
