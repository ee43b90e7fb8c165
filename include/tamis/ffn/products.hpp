#pragma once

#include <tamis/ffn/linear.hpp>

TAMIS_BEGIN

// Several products on the caller's threads at once, and which product is taken for a matrix.

namespace detail {

/// For products of which nothing is left to be added up when their parts are done, and whose kernels no tuning speaks of. (None
/// may leave the question open: sums would be lost.)
struct done_in_parts {
    static void tune(const tuning&) {}
    static constexpr std::size_t floats_to_add() { return 0; }
    static void add_up(std::size_t, std::size_t) {}
};

/// Adds up what the threads summed by themselves: by all of them where it takes longer than waking them, which they are
/// asked to do once more then.
template <class Executor, class... Products>
void add_up_products(const Executor& threads, std::size_t width, const Products&... products) {
    const std::size_t pieces = (products.floats_to_add() + ...) < 64 * 1024 ? 1 : width;
    if (pieces == 1) {
        (products.add_up(0, 1), ...);
    } else {
        run_each(threads, pieces, [&](std::size_t piece) { (products.add_up(piece, pieces), ...); });
    }
}

/// Products that do not wait for each other, together.
template <class Executor, class... Products>
void run_products(const Executor& threads, workspace w, traffic& read, Products... products) {
    const std::size_t width = width_of(threads);
    (products.tune(tuning_of(threads)), ...);
    const std::size_t parts[] = {products.prepare(width, w)...};
    std::size_t all = 0;
    for (const std::size_t count : parts) {
        all += count;
    }
    if (width == 1) {
        (products.run_all(), ...);
    } else {
        run_each(threads, all, [&](std::size_t part) {
            std::size_t which = 0;
            std::size_t first = 0;
            const auto run = [&](const auto& p) {
                if (part >= first && part < first + parts[which]) {
                    p.run(part - first);
                }
                first += parts[which++];
            };
            (run(products), ...);
        });
        add_up_products(threads, width, products...);
    }
    (products.finish(width), ...);
    ((read.bytes_read += products.bytes_of_weights()), ...);
}

/// A product whose format and layout are known at run time: see listed_product.hpp.
template <class Formats, template <class, bool> class Product>
class listed_product;

/// How an FFN multiplies: by a product class for each format. Which rows are read follows from the layout.
template <template <class, bool> class Product, std::size_t MostTokens>
struct products_by {
    static constexpr std::size_t most_tokens = MostTokens;

    /// Gate or up: x to neurons.
    template <class M>
    static auto up(const M& w, block<const float> x, const active_set& inputs, const active_set& neurons,
                   std::span<const float> bias, block<float> out) {
        if constexpr (laid_at_run_time<M>) {
            const bool by_outputs = up_rows_are_outputs(w);
            return listed<M>{w, by_outputs, x, by_outputs ? neurons : inputs, bias, out};
        } else {
            constexpr bool by_outputs = up_rows_are_outputs<M>();
            return of<M, by_outputs>{without_layout(w), x, by_outputs ? neurons : inputs, bias, out};
        }
    }
    /// Down: the intermediate to the output.
    template <class M>
    static auto down(const M& w, block<const float> intermediate, const active_set& neurons,
                     std::span<const float> bias, block<float> out) {
        if constexpr (laid_at_run_time<M>) {
            const bool by_outputs = down_rows_are_outputs(w);
            return listed<M>{w, by_outputs, intermediate, by_outputs ? active_set{} : neurons, bias, out};
        } else {
            constexpr bool by_outputs = down_rows_are_outputs<M>();
            return of<M, by_outputs>{without_layout(w), intermediate, by_outputs ? active_set{} : neurons,
                                     bias, out};
        }
    }
    template <class M>
    static std::size_t up_bytes(const M& w, std::size_t tokens, std::size_t threads) {
        if constexpr (laid_at_run_time<M>) {
            return listed<M>::bytes(w, up_rows_are_outputs(w), tokens, threads);
        } else {
            return of<M, up_rows_are_outputs<M>()>::bytes(without_layout(w), tokens, threads);
        }
    }
    template <class M>
    static std::size_t down_bytes(const M& w, std::size_t tokens, std::size_t threads) {
        if constexpr (laid_at_run_time<M>) {
            return listed<M>::bytes(w, down_rows_are_outputs(w), tokens, threads);
        } else {
            return of<M, down_rows_are_outputs<M>()>::bytes(without_layout(w), tokens, threads);
        }
    }

  private:
    template <class M, bool RowsAreOutputs>
    using of = Product<typename M::format_type, RowsAreOutputs>;
    template <class M>
    using listed = listed_product<typename M::formats_type, Product>;
};

/// By the kernels that read active rows alone.
using by_rows = products_by<product, most_tokens>;

} // namespace detail

TAMIS_END
