#pragma once

#include <tamis/detail/in_use.hpp>
#include <tamis/detail/memory.hpp>
#include <tamis/ffn/linear.hpp>

#include <algorithm>
#include <type_traits>

TAMIS_BEGIN

/// Memory for a call that takes fewer tokens of a block at a time than it could; each group reads the weights again:
///     ffn(x, y, tokens_at_a_time{4, memory}, threads); // with memory of ffn.workspace_bytes(threads, 4)
struct tokens_at_a_time {
    std::size_t tokens;
    workspace memory;
};

namespace detail {

/// What a call works in: a workspace, and how many tokens at a time are asked for (as many as the products take).
struct call_memory {
    template <class W>
        requires std::is_convertible_v<W, workspace>
    call_memory(W&& w) : memory(std::forward<W>(w)) {}
    call_memory(const tokens_at_a_time& few)
        : memory{few.memory}, tokens{few.tokens == 0 ? std::size_t{1} : few.tokens} {}

    workspace memory;
    std::size_t tokens = ~std::size_t{0};
};

/// Float vectors of the caller as spans; anything else is refused with the way out.
template <class V>
auto float_span(V&& v) {
    const auto view = view_of(v);
    static_assert(
        std::is_same_v<std::remove_cv_t<view_element<decltype(view)>>, float> && requires { view.data(); },
        "tamis: an FFN takes and gives contiguous floats (activations stay float32); convert other types first");
    return view;
}

template <class T>
byte_rows bytes_of_block(const block<T>& b) {
    return {b.row(0).data(), b.rows(), b.columns() * sizeof(T), b.stride() * sizeof(T)};
}

/// Refuses memory that a call can not work on.
inline void need_apart(block<const float> x, block<float> y, const workspace& w) {
    const byte_rows in = bytes_of_block(x);
    const byte_rows out = bytes_of_block(y);
    if (overlap(in, out)) {
        fail("tamis: an FFN's x and y overlap: give y memory of its own");
    }
    const std::span<const std::byte> memory = w.memory_left();
    if (overlap(in, memory.data(), memory.size()) || overlap(out, memory.data(), memory.size())) {
        fail("tamis: an FFN's workspace overlaps its x or y: give it memory of its own");
    }
}

struct prefill_access;

} // namespace detail

/// The calls that every FFN has: y = FFN(x) for one token or a block of them, with the caller's threads (none: the calling
/// one) and with an observer (none: nothing is shown). All return what was read of the weights.
///
/// x and y are contiguous floats of width() and may not overlap; a block has a token a row. Tokens of a block share readings
/// of the weights, up to most_tokens at a time: a row that any of them wants is read once, and an observer sees the sites of
/// all of them one after the other. A call needs workspace_bytes(threads, tokens), so that none takes them one by one unasked;
/// tokens_at_a_time asks. Results do not depend on the number of threads, and on the number of tokens only by rounding.
/// Refuses what overlaps, and too small a workspace. One workspace serves one call at a time: TAMIS_CHECKED tells.
template <class Ffn>
class ffn_calls {
  public:
    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, detail::call_memory w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }

    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, detail::call_memory w, const Executor& threads,
                       Observer&& see = {}) const {
        constexpr bool is_block = std::is_convertible_v<X&, block<const float>>;
        static_assert(is_block == std::is_convertible_v<Y&, block<const float>>,
                      "tamis: an FFN's x and y are two vectors of floats or two blocks of them");
        constexpr bool sees = observer<std::remove_reference_t<Observer>>;
        static_assert(sees, "tamis: an observer is callable with a const tamis::sighting&");
        if constexpr (!Ffn::is_right || !sees) { // it was said why
            return {};
        } else if constexpr (is_block) {
            constexpr bool writes = std::is_convertible_v<Y&, block<float>>;
            static_assert(writes, "tamis: an FFN's y is read-only");
            if constexpr (writes) {
                return run_block<detail::by_rows>(x, y, w, threads, see);
            }
        } else {
            const std::size_t width = self().width();
            const auto in = detail::float_span(x);
            const auto out = detail::float_span(y);
            constexpr bool writes = !std::is_const_v<std::remove_reference_t<decltype(out[0])>>;
            static_assert(writes, "tamis: an FFN's y is read-only");
            detail::need("tamis: an FFN's x needs %zu entries, got %zu", width, in.size());
            detail::need("tamis: an FFN's y needs %zu entries, got %zu", width, out.size());
            if constexpr (writes) {
                return run_block<detail::by_rows>({in.data(), 1, width}, {out.data(), 1, width}, w, threads,
                                                  see);
            }
        }
    }

    /// Bytes of workspace that a call needs, for a block of so many tokens or for so many at a time.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return workspace_bytes_with<detail::by_rows>(threads, tokens);
    }

    // Calls that are nearly right, and what is wrong with them.

    template <class X, class Y>
    traffic operator()(X&&, Y&&) const {
        static_assert(detail::never<X>,
                      "tamis: an FFN allocates nothing, so it needs memory to work in: "
                      "ffn(x, y, memory), with owned_workspace memory{ffn.workspace_bytes()}");
        return {};
    }
    template <class X, class Y, class Third, class... More>
        requires(!std::is_convertible_v<Third, detail::call_memory>)
    traffic operator()(X&&, Y&&, Third&&, More&&...) const {
        static_assert(!executor<std::remove_cvref_t<Third>>,
                      "tamis: memory comes before threads: ffn(x, y, memory, threads, observer)");
        static_assert(executor<std::remove_cvref_t<Third>>,
                      "tamis: an FFN's third argument is its memory: a workspace, an owned_workspace, or "
                      "tokens_at_a_time");
        return {};
    }
    template <class X, class Y, class Observer, class Executor>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&&, Y&&, detail::call_memory, Observer&&, Executor&&) const {
        static_assert(
            detail::never<X>,
            "tamis: threads (a tamis::executor) come before the observer: ffn(x, y, memory, threads, "
            "observer)");
        return {};
    }

  protected:
    template <class Products, class Executor>
    std::size_t workspace_bytes_with(const Executor& threads, std::size_t tokens) const {
        if constexpr (Ffn::is_right) {
            return self().template bytes_for<Products>(std::clamp<std::size_t>(tokens, 1,
                                                                               Products::most_tokens),
                                                       width_of(threads));
        } else {
            return 0;
        }
    }

    /// A block, as many tokens at a time as the products take and are asked for.
    template <class Products, class Executor, class Observer>
    traffic run_block(block<const float> x, block<float> y, const detail::call_memory& w,
                      const Executor& threads, Observer& see) const {
        detail::need("tamis: an FFN's x needs %zu columns, got %zu", self().width(), x.columns());
        detail::need("tamis: an FFN's y needs %zu columns, got %zu", self().width(), y.columns());
        detail::need("tamis: an FFN's y needs %zu rows, got %zu", x.rows(), y.rows());
        detail::need_apart(x, y, w.memory);
        const std::size_t together = (std::min)({x.rows(), Products::most_tokens, w.tokens});
        const std::size_t bytes = workspace_bytes_with<Products>(threads, together);
        if (bytes > w.memory.bytes_left() && together != 0) {
            fail_sizes(
                "tamis::workspace: this call needs %zu bytes (workspace_bytes(threads, tokens); for "
                "prefill prefill_workspace_bytes), got %zu; fewer tokens at a time need less: "
                "tokens_at_a_time{1, memory}",
                bytes, w.memory.bytes_left());
        }
        [[maybe_unused]] const detail::in_use held{w.memory.memory_left()};
        traffic total;
        for (std::size_t first = 0; first < x.rows(); first += together) {
            const std::size_t tokens = (std::min)(together, x.rows() - first);
            total += self().template run<Products>({x.row(first).data(), tokens, x.columns(), x.stride()},
                                                   {y.row(first).data(), tokens, y.columns(), y.stride()},
                                                   w.memory, threads, see, first);
        }
        return total;
    }

  private:
    const Ffn& self() const { return static_cast<const Ffn&>(*this); }
    friend struct detail::prefill_access;
};

TAMIS_END
