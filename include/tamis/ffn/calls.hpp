#pragma once

#include <tamis/detail/in_use.hpp>
#include <tamis/detail/memory.hpp>
#include <tamis/detail/weights_apart.hpp>
#include <tamis/ffn/call_ends.hpp>
#include <tamis/ffn/products.hpp>

#include <algorithm>
#include <type_traits>

TAMIS_BEGIN

/// Memory for a call that takes fewer tokens of a block at a time than it could; each group reads the weights again:
///     ffn(x, y, tokens_at_a_time{4, memory}, threads); // with memory of ffn.workspace_bytes(threads, 4)
struct tokens_at_a_time {
    /// How many at a time; 0 counts as 1.
    std::size_t tokens;
    /// Of workspace_bytes(threads, tokens).
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

/// A workspace as one row.
inline byte_rows bytes_of(const workspace& w) {
    return {w.memory_left().data(), 1, w.memory_left().size(), w.memory_left().size()};
}

/// Refuses memory that a call can not work on.
inline void need_apart(const byte_rows& x, const byte_rows& y, const workspace& w) {
    if (overlap(x, y)) {
        fail("tamis: an FFN's x and y overlap: give y memory of its own");
    }
    const std::span<const std::byte> memory = w.memory_left();
    if (overlap(x, memory.data(), memory.size()) || overlap(y, memory.data(), memory.size())) {
        fail("tamis: an FFN's workspace overlaps its x or y: give it memory of its own");
    }
}

struct prefill_access;

/// For what holds an FFN and runs it as its own: the tokens of x together, and the workspace for so many.
struct ffn_access {
    template <class Products, class Ffn, class Executor, class Observer>
    static traffic run(const Ffn& ffn, block<const float> x, block<float> y, workspace w,
                       const Executor& threads, Observer& see, std::size_t first) {
        return ffn.template run<Products>(x, y, w, threads, see, first);
    }
    template <class Products, class Ffn>
    static std::size_t bytes_for(const Ffn& ffn, std::size_t tokens, std::size_t threads) {
        return ffn.template bytes_for<Products>(tokens, threads);
    }
    template <class Ffn>
    static constexpr bool is_right = Ffn::is_right;
    /// Calls f with the weights, which may be one of several types, or those of an FFN within.
    template <class Ffn, class Call>
    static void visit_weights(const Ffn& ffn, Call&& f) {
        if constexpr (requires { ffn.visit_weights(f); }) {
            ffn.visit_weights(f);
        } else if constexpr (requires { ffn.ffn(); }) {
            visit_weights(ffn.ffn(), f);
        } else if constexpr (requires { ffn.weights(); }) {
            f(ffn.weights());
        }
    }

    /// The same of a projection, whose calls are its own.
    template <class Products, class Projection, class X, class Y, class Executor, class Observer>
    static traffic call(const Projection& p, X&& x, Y&& y, const call_memory& w, const Executor& threads,
                        Observer& see) {
        return p.template call<Products>(x, y, w, threads, see);
    }
    template <class Products, class Projection, class Executor>
    static std::size_t call_bytes(const Projection& p, const Executor& threads, std::size_t tokens) {
        return p.template call_bytes<Products>(threads, tokens);
    }
};

} // namespace detail

/// The calls that every FFN has: y = FFN(x) for one token or a block of them, with the caller's threads (none: the calling
/// one) and with an observer (none: nothing is shown). All return what was read of the weights.
///
/// x and y are contiguous floats of width(), or numbers of binary16 or bfloat16, which are converted on the way in and rounded
/// on the way out; they may not overlap. A block has a token a row. scaled{x, w} gives FFN(w x), add_to{y, w} makes
/// y += w FFN(x), tokens_of{x, places} takes some tokens of a block. Tokens of a block share readings of the weights, up to
/// most_tokens at a time: a row that any of them wants is read once, and an observer sees the sites of all of them one after
/// the other (a token by its place among those of the call). A call needs workspace_bytes(threads, tokens), so that none takes them one by one unasked;
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
        const auto in = detail::call_end_of<true>(x);
        const auto out = detail::call_end_of<false>(y);
        using in_type = decltype(in);
        using out_type = decltype(out);
        static_assert(in_type::is_block == out_type::is_block,
                      "tamis: an FFN's x and y are two vectors of floats or two blocks of them");
        static_assert(out_type::writes, "tamis: an FFN's y is read-only");
        constexpr bool sees = observer<std::remove_reference_t<Observer>>;
        static_assert(sees, "tamis: an observer is callable with a const tamis::sighting&");
        if constexpr (Ffn::is_right && sees && in_type::is_right && out_type::is_right && out_type::writes) {
            return run_block<detail::by_rows>(in, out, w, threads, see);
        } else { // it was said why
            return {};
        }
    }

    /// Bytes of workspace that a call needs, for a block of so many tokens or for so many at a time.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return workspace_bytes_with<detail::by_rows>(threads, tokens);
    }

    // Calls that are nearly right, and what is wrong with them.

    /// Refused: memory was left out.
    template <class X, class Y>
    traffic operator()(X&&, Y&&) const {
        static_assert(detail::never<X>,
                      "tamis: an FFN allocates nothing, so it needs memory to work in: "
                      "ffn(x, y, memory), with owned_workspace memory{ffn.workspace_bytes()}");
        return {};
    }
    /// Refused: the third argument is no memory.
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
    /// workspace_bytes for products of a kind: by rows, or prefill.
    template <class Products, class Executor>
    std::size_t workspace_bytes_with(const Executor& threads, std::size_t tokens) const {
        if constexpr (Ffn::is_right) {
            const std::size_t together = std::clamp<std::size_t>(tokens, 1, Products::most_tokens);
            return copies() * detail::bytes_of_rows(together, self().width()) +
                   self().template bytes_for<Products>(together, width_of(threads));
        } else {
            return 0;
        }
    }

    /// A block, as many tokens at a time as the products take and are asked for.
    template <class Products, class In, class Out, class Executor, class Observer>
    traffic run_block(const In& x, const Out& y, const detail::call_memory& w, const Executor& threads,
                      Observer& see) const {
        need_sizes(In::is_block, x.all().columns(), y.all().columns());
        detail::need("tamis: an FFN's y needs %zu rows, got %zu", x.rows(), y.rows());
        detail::need_apart(x.bytes(), y.bytes(), w.memory);
        if constexpr (detail::hardened) {
            detail::ffn_access::visit_weights(self(), [&](const auto& weights) {
                detail::need_apart_from_weights(weights, y.bytes());
                detail::need_apart_from_weights(weights, detail::bytes_of(w.memory));
            });
        }
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
            workspace rest = w.memory;
            const block<float> copy = detail::take_rows(rest, tokens, self().width());
            const block<const float> in = rows_in(x, first, copy);
            const block<float> out =
                rows_out(y, first, copies() == 1 ? copy : detail::take_rows(rest, tokens, self().width()));
            total += self().template run<Products>(in, out, rest, threads, see, first);
            for (std::size_t token = 0; token < tokens && !Out::is_plain; ++token) {
                y.write(first + token, out.row(token));
            }
        }
        return total;
    }

  private:
    const Ffn& self() const { return static_cast<const Ffn&>(*this); }

    void need_sizes(bool is_block, std::size_t of_x, std::size_t of_y) const {
        detail::need(is_block ? "tamis: an FFN's x needs %zu columns, got %zu"
                              : "tamis: an FFN's x needs %zu entries, got %zu",
                     self().width(), of_x);
        detail::need(is_block ? "tamis: an FFN's y needs %zu columns, got %zu"
                              : "tamis: an FFN's y needs %zu entries, got %zu",
                     self().width(), of_y);
    }
    /// How many copies a call may need: x's and y's are one where x has been read when y is written.
    static constexpr std::size_t copies() {
        if constexpr (requires { Ffn::reads_x_before_y; }) {
            return 1;
        } else {
            return 2;
        }
    }
    /// Floats where they lie, or copies of what is none.
    template <class In>
    static block<const float> rows_in(const In& x, std::size_t first, block<float> copy) {
        if constexpr (In::is_plain) {
            return {x.end.row(first).data(), copy.rows(), copy.columns(), x.all().stride()};
        } else {
            for (std::size_t token = 0; token < copy.rows(); ++token) {
                x.read(first + token, copy.row(token));
            }
            return copy;
        }
    }
    template <class Out>
    static block<float> rows_out(const Out& y, std::size_t first, block<float> copy) {
        if constexpr (Out::is_plain) {
            return {y.end.row(first).data(), copy.rows(), copy.columns(), y.all().stride()};
        } else {
            return copy;
        }
    }
    friend struct detail::prefill_access;
};

TAMIS_END
