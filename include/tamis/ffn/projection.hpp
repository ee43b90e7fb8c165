#pragma once

#include <tamis/detail/lifetimebound.hpp>
#include <tamis/ffn/calls.hpp>
#include <tamis/ffn/linear_weights.hpp>
#include <tamis/ffn/site_step.hpp>

TAMIS_BEGIN

/// Where a projection writes to, in the order of its matrices: vectors or blocks, as the y of an FFN's call may be (floats,
/// binary16, bfloat16; add_to{y, weight}).
///     qkv(x, outputs{q, k, v}, memory);
template <class... Ends>
class outputs {
  public:
    /// The ys, borrowed.
    template <class... Ys>
        requires(sizeof...(Ys) == sizeof...(Ends))
    explicit outputs(Ys&&... ys) : ends_{detail::call_end_of<false>(ys)...} {}

    /// The ys.
    const std::tuple<Ends...>& ends() const { return ends_; }

  private:
    std::tuple<Ends...> ends_;
};
template <class... Ys>
explicit outputs(Ys&&...)
    -> outputs<decltype(detail::call_end_of<false>(std::declval<std::remove_reference_t<Ys>&>()))...>;

namespace detail {

template <class Y>
inline constexpr bool is_outputs = false;
template <class... Ends>
inline constexpr bool is_outputs<outputs<Ends...>> = true;

/// Rows of a call's end from `first` on: where they lie, or a copy of theirs.
template <class T, class End>
block<T> rows_of_end(const End& end, std::size_t first, std::size_t tokens, workspace& w) {
    if constexpr (End::is_plain) {
        return {end.end.row(first).data(), tokens, end.all().columns(), end.all().stride()};
    } else {
        return take_rows(w, tokens, end.all().columns());
    }
}

} // namespace detail

/// A linear layer by itself, or several that share x, with a mask at the input: attention's q, k, v and its output.
///
///     const projection qkv{linear_weights{w_q, w_k, w_v}, at_input(top_p{0.9})};
///     qkv(x, outputs{q, k, v}, memory, threads, observer);
///     const projection o{linear_weights{w_o}, at_input(top_p{0.9})};
///     o(x, y, memory);
///
/// The mask is made once for all of them; the rows of its inactive inputs stay unread where a matrix is input_major
/// (packed_projection makes it so). Everything else is as it is with an FFN: memory comes before threads and an observer (who
/// sees site::input), tokens of a block share readings (workspace_bytes(threads, tokens), tokens_at_a_time), no bit depends on
/// the number of threads, nothing is allocated, and what was read is returned.
template <class Weights, class... Policies>
class projection {
    static_assert(detail::is_linear_weights<Weights>,
                  "tamis: a projection takes tamis::linear_weights{matrices...}, and then at_input(...)");
    static constexpr bool is_right =
        detail::is_linear_weights<Weights> && detail::explain_policies<Policies...>();
    using policy_set_type = typename detail::checked_policies<is_right, Policies...>::type;
    static_assert(!policy_set_type::template has<site::gate> && !policy_set_type::template has<site::up> &&
                      !policy_set_type::template has<site::intermediate> &&
                      !policy_set_type::template has<detail::before_sites>,
                  "tamis: a projection has one site: at_input(...)");

  public:
    /// Over borrowed weights. A policy that saves nothing in their layouts does not compile.
    explicit projection(Weights weights, Policies... policies)
        : weights_{weights}, policies_{std::move(policies)...} {
        static_assert(
            !policy_set_type::template has_to_skip<site::input> || skips(),
            "tamis: the mask at the input saves nothing: no matrix is input_major. "
            "tamis::packed_projection makes them so; masks_only(at_input(...)) asks for masks alone");
    }

    /// Whether there is a policy at a site.
    template <site Where>
    static constexpr bool has = policy_set_type::template has<Where>;
    /// Whether the mask leaves any matrix partly unread, and whether all of them.
    static constexpr bool skips() { return has<site::input> && skipping(weights_type{}) != 0; }
    /// Whether the mask saves all that it could in any layout.
    static constexpr bool skips_all() {
        return has<site::input> && skipping(weights_type{}) == Weights::count;
    }

    /// The length of x and y.
    std::size_t width() const { return weights_.width(); }
    /// The weights, as they were given.
    const Weights& weights() const TAMIS_LIFETIMEBOUND { return weights_; }

    template <class X, class Y, class Observer = no_observer>
        requires(!executor<std::remove_cvref_t<Observer>>)
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, Observer&& see = {}) const {
        return (*this)(x, y, w, serial{}, see);
    }
    template <class X, class Y, executor Executor, class Observer = no_observer>
    traffic operator()(X&& x, Y&& y, const detail::call_memory& w, const Executor& threads,
                       Observer&& see = {}) const {
        return call<detail::by_rows>(x, y, w, threads, see);
    }

    /// Bytes of workspace that a call needs, for a block of so many tokens or for so many at a time.
    template <executor Executor = serial>
    std::size_t workspace_bytes(const Executor& threads = {}, std::size_t tokens = 1) const {
        return call_bytes<detail::by_rows>(threads, tokens);
    }

  private:
    friend detail::ffn_access;

    template <class Products, class X, class Y, class Executor, class Observer>
    traffic call(X&& x, Y&& y, const detail::call_memory& w, const Executor& threads, Observer& see) const {
        static_assert(observer<std::remove_reference_t<Observer>>,
                      "tamis: an observer is callable with a const tamis::sighting&");
        if constexpr (!detail::is_outputs<std::remove_cvref_t<Y>>) {
            return call<Products>(x, outputs{y}, w, threads, see);
        } else {
            return run_block<Products>(detail::call_end_of<true>(x), y.ends(), w, threads, see);
        }
    }
    template <class Products, class Executor>
    std::size_t call_bytes(const Executor& threads, std::size_t tokens) const {
        const std::size_t together = std::clamp<std::size_t>(tokens, 1, most_tokens);
        const std::size_t h = width();
        const std::size_t products = std::apply(
            [&](const auto&... m) {
                return (Products::up_bytes(as_up(m), together, width_of(threads)) + ...);
            },
            weights_.matrices);
        std::size_t copies = detail::bytes_of_rows(together, h); // of what is no plain float
        for (std::size_t k = 0; k < Weights::count; ++k) {
            copies += detail::bytes_of_rows(together, weights_.outputs(k));
        }
        return copies +
               (has<site::input> ? detail::bytes_of_rows(together, h) + detail::site_step::bytes(h, together)
                                 : 0) +
               (std::max)(products, policies_.selection_bytes(site::input, h));
    }

    template <class Of>
    struct type_of {};
    using weights_type = type_of<Weights>;
    template <class... M>
    static constexpr std::size_t skipping(type_of<linear_weights<M...>>) {
        return (std::size_t{!detail::rows_are_outputs<M>()} + ...);
    }
    /// What W_up would be: its neurons are the outputs.
    template <class F, class L>
    static auto as_up(const matrix<F, L>& m) {
        using layout =
            std::conditional_t<detail::rows_are_outputs<matrix<F, L>>(), neuron_major, input_major>;
        return matrix<F, layout>{m.row(0), m.rows(), m.columns(), m.stride_bytes()};
    }
    template <detail::laid_at_run_time M>
    static const M& as_up(const M& m) { // any_projection made it so
        return m;
    }

    template <class In, class... Out>
    void check(const In& x, const std::tuple<Out...>& ys, const workspace& w) const {
        static_assert(sizeof...(Out) == Weights::count,
                      "tamis: a projection of several matrices writes as many: outputs{q, k, v}");
        static_assert(((In::is_block == Out::is_block) && ...),
                      "tamis: a projection's x and outputs are all vectors of floats or all blocks of them");
        static_assert((Out::writes && ...), "tamis: a projection's y is read-only");
        detail::need("tamis: a projection's x needs %zu entries a token, got %zu", width(),
                     x.all().columns());
        const std::span<const std::byte> memory = w.memory_left();
        std::array<detail::byte_rows, sizeof...(Out) + 1> places{x.bytes()};
        std::size_t k = 0;
        const auto check_one = [&](const auto& y) {
            detail::need("tamis: a projection's y needs %zu entries a token, got %zu", weights_.outputs(k),
                         y.all().columns());
            detail::need("tamis: a projection's y needs %zu rows, got %zu", x.rows(), y.rows());
            places[++k] = y.bytes();
        };
        std::apply([&](const auto&... y) { (check_one(y), ...); }, ys);
        for (std::size_t i = 0; i < places.size(); ++i) {
            bool apart = !detail::overlap(places[i], memory.data(), memory.size());
            for (std::size_t other = 0; other < i; ++other) {
                apart = apart && !detail::overlap(places[i], places[other]);
            }
            if (!apart) {
                fail("tamis: a projection's x, outputs and workspace overlap: give each memory of its own");
            }
        }
    }

    template <class Products, class In, class... Out, class Executor, class Observer>
    traffic run_block(const In& x, const std::tuple<Out...>& ys, const detail::call_memory& w,
                      const Executor& threads, Observer& see) const {
        check(x, ys, w.memory);
        if constexpr (detail::hardened) {
            detail::need_apart_from_weights(weights_, detail::bytes_of(w.memory));
            std::apply([&](const auto&... y) { (detail::need_apart_from_weights(weights_, y.bytes()), ...); },
                       ys);
        }
        const std::size_t together = (std::min)({x.rows(), most_tokens, w.tokens});
        const std::size_t bytes = call_bytes<Products>(threads, together);
        if (bytes > w.memory.bytes_left() && together != 0) {
            fail_sizes(
                "tamis::workspace: this call needs %zu bytes (workspace_bytes(threads, tokens)), got %zu; "
                "fewer tokens at a time need less: tokens_at_a_time{1, memory}",
                bytes, w.memory.bytes_left());
        }
        [[maybe_unused]] const detail::in_use held{w.memory.memory_left()};
        traffic total;
        for (std::size_t first = 0; first < x.rows(); first += together) {
            total += run<Products>(x, ys, w.memory, threads, see, first,
                                   (std::min)(together, x.rows() - first), std::index_sequence_for<Out...>{});
        }
        return total;
    }

    template <class Products, class In, class... Out, class Executor, class Observer, std::size_t... K>
    traffic run(const In& from, const std::tuple<Out...>& ys, workspace w, const Executor& threads,
                Observer& see, std::size_t first, std::size_t tokens, std::index_sequence<K...>) const {
        traffic read = detail::traffic_of_group(weights_.bytes(), tokens);
        block<const float> x = rows_in(from, first, tokens, w);
        const std::array<block<float>, sizeof...(K)> out{
            detail::rows_of_end<float>(std::get<K>(ys), first, tokens, w)...};
        detail::site_step input;
        if constexpr (has<site::input>) {
            x = detail::masked_copy<site::input>(policies_, x, input, w, see, first);
        } else {
            detail::show_all<site::input>(x, see, first);
        }
        detail::run_products(threads, w, read,
                             Products::up(as_up(std::get<K>(weights_.matrices)), x, input.active(),
                                          detail::active_set{}, weights_.biases[K], out[K])...);
        const auto write = [&](const auto& y, block<float> made) {
            for (std::size_t token = 0; token < tokens && !std::remove_cvref_t<decltype(y)>::is_plain;
                 ++token) {
                y.write(first + token, made.row(token));
            }
        };
        (write(std::get<K>(ys), out[K]), ...);
        return read;
    }
    template <class In>
    static block<const float> rows_in(const In& from, std::size_t first, std::size_t tokens, workspace& w) {
        if constexpr (In::is_plain) {
            return detail::rows_of_end<const float>(from, first, tokens, w);
        } else {
            const block<float> copy = detail::rows_of_end<float>(from, first, tokens, w);
            for (std::size_t token = 0; token < tokens; ++token) {
                from.read(first + token, copy.row(token));
            }
            return copy;
        }
    }

    Weights weights_;
    [[no_unique_address]] policy_set_type policies_;
};

TAMIS_END
