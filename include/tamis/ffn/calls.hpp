#pragma once

#include <tamis/ffn/linear.hpp>

#include <algorithm>
#include <type_traits>

TAMIS_BEGIN

namespace detail {

/// Float vectors of the caller as spans; anything else is refused with the way out.
template <class V>
auto float_span(V&& v) {
    const auto view = view_of(v);
    static_assert(
        std::is_same_v<std::remove_cv_t<view_element<decltype(view)>>, float> && requires { view.data(); },
        "tamis: an FFN takes and gives contiguous floats (activations stay float32); convert other types first");
    return view;
}

struct prefill_access;

} // namespace detail

/// The calls that every FFN has: y = FFN(x) for one token or a block of them, with the caller's threads (none: the calling
/// one) and with an observer (none: nothing is shown). All return what was read of the weights.
///
/// x and y are contiguous floats of width() and may not overlap; a block has a token a row. The workspace has
/// workspace_bytes(). Tokens of a block share readings of the weights, up to most_tokens at a time, as far as the workspace
/// goes: workspace_bytes(threads, tokens) is enough for so many, workspace_bytes(threads) for one by one. With several, a
/// row that any of them wants is read once, and an observer sees the sites of all of them one after the other. Results do
/// not depend on the number of threads, and on the number of tokens only by rounding.
template <class Ffn>
class ffn_calls {
  public:
    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, workspace w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }

    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, workspace w, const Executor& threads, Observer&& see = {}) const {
        const std::size_t width = self().width();
        if constexpr (std::is_convertible_v<X&, block<const float>>) {
            const block<const float> in = x;
            const block<float> out = y;
            return run_block<detail::by_rows>(in, out, w, threads, see);
        } else {
            const auto in = detail::float_span(x);
            const auto out = detail::float_span(y);
            static_assert(!std::is_const_v<std::remove_reference_t<decltype(out[0])>>,
                          "tamis: an FFN's y is read-only");
            detail::need("tamis: an FFN's x needs %zu entries, got %zu", width, in.size());
            detail::need("tamis: an FFN's y needs %zu entries, got %zu", width, out.size());
            return self().template run<detail::by_rows>({in.data(), 1, width}, {out.data(), 1, width}, w,
                                                        threads, see, 0);
        }
    }

    /// Bytes of workspace that a call needs, for so many tokens that share readings.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return workspace_bytes_with<detail::by_rows>(threads, tokens);
    }

  protected:
    template <class Products, class Executor>
    std::size_t workspace_bytes_with(const Executor& threads, std::size_t tokens) const {
        return self().template bytes_for<Products>(std::clamp<std::size_t>(tokens, 1, Products::most_tokens),
                                                   width_of(threads));
    }

    /// A block, as many tokens at a time as the products take and the workspace has room for.
    template <class Products, class Executor, class Observer>
    traffic run_block(block<const float> x, block<float> y, workspace w, const Executor& threads,
                      Observer& see) const {
        detail::need("tamis: an FFN's x needs %zu columns, got %zu", self().width(), x.columns());
        detail::need("tamis: an FFN's y needs %zu columns, got %zu", self().width(), y.columns());
        detail::need("tamis: an FFN's y needs %zu rows, got %zu", x.rows(), y.rows());
        std::size_t together = (std::min)(x.rows(), Products::most_tokens);
        while (together > 1 && workspace_bytes_with<Products>(threads, together) > w.bytes_left()) {
            --together;
        }
        traffic total;
        for (std::size_t first = 0; first < x.rows(); first += together) {
            const std::size_t tokens = (std::min)(together, x.rows() - first);
            total += self().template run<Products>({x.row(first).data(), tokens, x.columns(), x.stride()},
                                                   {y.row(first).data(), tokens, y.columns(), y.stride()}, w,
                                                   threads, see, first);
        }
        return total;
    }

  private:
    const Ffn& self() const { return static_cast<const Ffn&>(*this); }
    friend struct detail::prefill_access;
};

TAMIS_END
